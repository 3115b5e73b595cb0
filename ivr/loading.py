"""Loads a whole facility file: the facility's settings and the accounts that pay for its calls."""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from accounts import closing, ledger, payers, periods
from accounts.tables import AccountKind, Unit, subscription
from ivr.facility import kept, privileged, scopes
from ivr.facility.file import FacilityFile, FacilityFileError
from ivr.facility.kept import Kept, Left
from ivr.facility.load import load_facility
from ivr.facility.payer_entries import PrepaidEntry, SubscriptionEntry
from ivr.facility.pins import PinKey
from ivr.facility.tables import facility
from ivr.facility.taken_away import covers_of_file, taken_away
from ivr.records.alerts import TAKEN_AWAY, alert_unless_told
from ivr.records.sealing import seal
from rating.money import format_money


def load(conn: Connection, file: FacilityFile, key: PinKey, at: datetime) -> list[str]:
    """Bring the database in step with the file, in this one transaction; a line for each change.

    Raises FacilityFileError where the file contradicts what stands in the database and can't be changed by a file.
    """
    its = _facilities(conn, file)
    before = {each: privileged.numbers(conn, each, at) for each in its}
    try:
        changed = [*load_facility(conn, file, key, at), *_load_payers(conn, file, at)]
    except (payers.PayerConflict, ledger.LedgerError) as conflict:
        raise FacilityFileError(f"this contradicts the database: {conflict}") from None
    for each in its:
        added = {number for number, _ in privileged.numbers(conn, each, at) - before[each]}
        sealed = seal(conn, each, added, at, "privileged by the facility's or its agency's file")
        changed += [f"recording: {len(sealed)} sealed at {each}"] if sealed else []
    return changed + [Left(f"alert: {each}") for each in _taken_away(conn, file.facility.id, at)]


def _facilities(conn: Connection, file: FacilityFile) -> list[str]:
    """Where the file may make numbers privileged: its facility, and all others of its agency."""
    if file.agency is None:
        return [file.facility.id]
    its = select(facility.c.id).where(facility.c.agency_id == file.agency.agency.id)
    return sorted({file.facility.id, *conn.scalars(its)})


def _taken_away(conn: Connection, facility_id: str, at: datetime) -> Sequence[str]:
    """What is blocked that people have a right to reach; of each an alert is left once."""
    found = taken_away(conn, facility_id, covers_of_file(conn, facility_id), at)
    for each in found:
        alert_unless_told(conn, TAKEN_AWAY, f"{facility_id}: {each}, by the facility's file", at)
    return found


def rehearse(conn: Connection, file: FacilityFile, key: PinKey, at: datetime) -> list[str]:
    """What `load` would change, in the same lines, and with the same refusals; nothing of it stays."""
    attempt = conn.begin_nested()
    try:
        return load(conn, file, key, at)
    finally:
        attempt.rollback()


def _load_payers(conn: Connection, file: FacilityFile, at: datetime) -> list[str]:
    agency = payers.agency_account(file.facility.id)
    ledger.open_account(conn, account_id=agency, unit=Unit.USD, kind=AccountKind.SYSTEM, at=at)
    theirs = kept.kept(conn, file.facility.id)
    changed: list[str] = []
    open_ones = []
    for prepaid in file.prepaid:
        if closing.closed_at(conn, account_id := _account_id(file, prepaid)) is None:
            open_ones.append(prepaid)
        else:
            changed.append(Left(f"{account_id}: stays closed, as staff have closed it"))
    changed += [line for prepaid in open_ones for line in _take_numbers(conn, file, prepaid, theirs, at)]
    for prepaid in open_ones:
        changed += _load_prepaid(conn, file, prepaid, theirs, at)
    today = at.astimezone(ZoneInfo(file.facility.time_zone)).date()
    for entry in file.subscription:
        changed += _load_subscription(conn, file, entry, today, at)
    return changed


def _load_prepaid(
    conn: Connection, file: FacilityFile, prepaid: PrepaidEntry, theirs: Kept, at: datetime
) -> list[str]:
    """Open the account with its deposit, once, and have it pay for its numbers."""
    account_id = _account_id(file, prepaid)
    changed: list[str] = []
    known = _is_open(conn, account_id)
    payers.open_prepaid(conn, account_id=account_id, at=at)
    paid_for = payers.numbers_of(conn, account_id=account_id)
    for number in prepaid.numbers:
        author = theirs.author(scopes.number(number), kept.PAYER)
        if author is None:
            payers.add_number(conn, account_id=account_id, number=number, at=at)
            changed += [f"{account_id}: pays for {number}"] if known and number not in paid_for else []
        elif number not in paid_for:
            changed.append(Left(f"{account_id}: does not pay for {number}, as {author} set it"))
    if not known:
        payers.deposit(
            conn,
            transfer_id=f"{account_id}/opening",
            account_id=account_id,
            amount=prepaid.opening_balance,
            at=at,
        )
        changed.append(f"{account_id}: opened with ${format_money(prepaid.opening_balance)}")
    return changed


def _account_id(file: FacilityFile, prepaid: PrepaidEntry) -> str:
    return f"prepaid/{file.facility.id}/{prepaid.account}"


def _take_numbers(
    conn: Connection, file: FacilityFile, prepaid: PrepaidEntry, theirs: Kept, at: datetime
) -> list[str]:
    """The account pays no longer for calls to numbers that are not its own in the file, unless staff gave it them."""
    account_id = _account_id(file, prepaid)
    changed: list[str] = []
    for number in sorted(payers.numbers_of(conn, account_id=account_id) - set(prepaid.numbers)):
        if (author := theirs.author(scopes.number(number), kept.PAYER)) is not None:
            changed.append(Left(f"{account_id}: goes on paying for {number}, as {author} set it"))
            continue
        payers.remove_number(conn, account_id=account_id, number=number, at=at)
        changed.append(f"{account_id}: pays no longer for {number}")
    return changed


def _load_subscription(
    conn: Connection, file: FacilityFile, entry: SubscriptionEntry, today: date, at: datetime
) -> list[str]:
    facility, calls = file.facility, file.calls_of(entry)
    subscription_id = f"subscription/{facility.id}/{entry.number}"
    if conn.scalar(select(subscription.c.closed_at).where(subscription.c.id == subscription_id)) is not None:
        return []  # it has been ended: no load gives it calls again
    known = payers.payer_facts(conn, facility_id=facility.id, number=entry.number, on=today).subscription
    payers.open_subscription(
        conn,
        subscription_id=subscription_id,
        facility_id=facility.id,
        number=entry.number,
        state=f"US-{facility.state}",
        calls_each_period=calls,
        plan_id=entry.plan,
        at=at,
    )
    if known is not None and entry.starts_on is None:
        return []  # a file that is loaded again gives no calls away
    first = entry.starts_on or today
    last = entry.ends_on or periods.last_date(first, first.day)
    if last < first:
        raise FacilityFileError(f"subscription {entry.number}: ends_on {last} is before it starts, {first}")
    account_id = f"{subscription_id}/{first}"
    if _is_open(conn, account_id):
        return []
    payers.open_period(
        conn,
        account_id=account_id,
        subscription_id=subscription_id,
        first_date=first,
        last_date=last,
        calls=calls,
        at=at,
    )
    return [f"{account_id}: {calls} calls until {last}"]


def _is_open(conn: Connection, account_id: str) -> bool:
    try:
        ledger.balance(conn, account_id)
    except ledger.AccountUnknown:
        return False
    return True
