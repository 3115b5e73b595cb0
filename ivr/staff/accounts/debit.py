"""Inmates' own money: handed over by the facility's trust or commissary in files, and given back to it by files."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from sqlalchemy import Connection, Row, select

from accounts import debit, ledger, outbox, payers
from accounts.crediting import known_transfers
from accounts.tables import account, account_holder, inmate_account, transfer
from ivr.facility.csv_rows import ImportMistakes, Mistakes, Rows, Shape, read_all
from ivr.facility.daily import inmate_event
from ivr.facility.fields import InmateId
from ivr.facility.tables import facility, inmate
from ivr.policy.request import InmateState
from ivr.records.alerts import alert_once
from ivr.staff.accounts.asked import Reference, dollars
from ivr.staff.desk import Asked, Desk, StaffError, ToldOnce
from rating.money import ZERO, Money, at_most, ceil_to_cent, floor_to_cent, format_money, parse_money

GONE = (InmateState.RELEASED, InmateState.TRANSFERRED)
_available = account.c.credits - account.c.debits - account.c.held


def _amount(value: object) -> object:
    amount = parse_money(value) if isinstance(value, str) else value
    if isinstance(amount, int) and (amount <= 0 or amount % 10_000):
        raise ValueError(f"expected dollars and cents above 0, such as 12.50, found {value}")
    return amount


class TransferRow(BaseModel):
    """One line of a transfer file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reference: Reference
    inmate_id: InmateId
    amount: Annotated[Money, BeforeValidator(_amount), AfterValidator(at_most)]
    kind: debit.Source = debit.Source.TRUST


SHAPE = Shape(TransferRow, ("reference", "inmate_id", "amount"), ("kind",))


class TransferFile(Asked):
    """Money that a facility hands over for its inmates."""

    file: str  # its name
    csv: str

    @property
    def about(self) -> str:
        """The file."""
        return f"transfer file {self.file}"


class ReleaseFile(Asked):
    """A facility takes inmates' money back to pay it out: of those who have left, or of these."""

    reference: Reference
    inmates: tuple[InmateId, ...] = ()

    @property
    def about(self) -> str:
        """The file, by its reference."""
        return f"release file {self.reference}"


def transfer_file(desk: Desk, asked: TransferFile) -> str:
    """Credit all amounts of a file that are new, or none; raises StaffError with a line for each bad row."""
    own = desk.facility_id(asked)
    _alone(desk, own)
    try:
        rows = read_all(SHAPE, asked.csv)
        nothing = [] if rows.entries or rows.mistakes else [(2, "expected at least one transfer")]
        people = _people(desk.conn, own)
        incoming = {
            line: _incoming(each, people, own) for line, each in _lines(rows) if each.inmate_id in people
        }
        ids = [debit.transfer_id(own, each.reference) for each in incoming.values()]
        known = known_transfers(desk.conn, ids)
        contradictions = _contradictions(incoming, known, own)
        rows.refuse([*nothing, *_misfits(rows, people, own), *_twice(rows), *contradictions])
    except ImportMistakes as mistakes:
        raise StaffError(str(mistakes)) from None
    new = [each for each in incoming.values() if debit.transfer_id(own, each.reference) not in known]
    debit.receive(desk.conn, own, new, desk.at)
    total = Money(sum(each.amount for each in new))
    before = f", {len(known)} known before" if known else ""
    return f"{asked.file}: {len(new)} transfers booked, {dollars(total)} in all{before}"


def release_file(desk: Desk, asked: ReleaseFile) -> ToldOnce:
    """Give the available money back to the trust, and name the CSV of it; the same reference gives the same CSV."""
    own = desk.facility_id(asked)
    _alone(desk, own)
    trust = debit.open_source(desk.conn, own, debit.Source.TRUST, desk.at)
    begins = f"release/{own}/{asked.reference}/"
    before = _released(desk.conn, trust, begins)
    if not before:
        for row in _to_give_back(desk, own, asked.inmates):
            _give_back(desk, f"{begins}{row.inmate_id}", row.account_id, trust, Money(row.available))
    given = before or _released(desk.conn, trust, begins)
    total = dollars(sum(given.values()))
    again = "was given back before" if before else "given back"
    return ToldOnce(
        f"{own}: {again} to the trust: {total} of {len(given)} inmates", _as_csv(given, asked.reference)
    )


def owed(conn: Connection, facility_id: str | None) -> list[dict[str, str]]:
    """Money that waits for its owner: of inmates who have left, and of accounts that were closed."""
    gone = (
        select(account.c.id, _available.label("available"), inmate.c.name, inmate.c.state)
        .join(inmate_account, inmate_account.c.account_id == account.c.id)
        .join(inmate, inmate.c.id == inmate_account.c.inmate)
        .where(_available > 0, inmate.c.state.in_(GONE))
    )
    closed = (
        select(account.c.id, _available.label("available"), account_holder.c.name)
        .join(account_holder, account_holder.c.account_id == account.c.id)
        .where(_available > 0, account_holder.c.closed_at.is_not(None), account.c.kind == "prepaid")
    )
    if facility_id is not None:
        gone = gone.where(inmate.c.facility_id == facility_id)
        closed = closed.where(account.c.id.startswith(f"prepaid/{facility_id}/", autoescape=True))
    found = [(row.id, row.name, row.available, row.state) for row in conn.execute(gone)]
    found += [(row.id, row.name, row.available, "closed") for row in conn.execute(closed)]
    return [
        {"account": entry, "name": name or "", "available": format_money(Money(amount)), "because": why}
        for entry, name, amount, why in sorted(found)
    ]


def offer_back(conn: Connection, facility_id: str, at: datetime) -> None:
    """Tell whose money it is of whoever was noted in this transaction to have left: it is theirs.

    The account's holder is told, where they can be reached, and staff are alerted in any case: they pay it out.
    """
    left = (
        select(
            account.c.id,
            inmate.c.inmate_id,
            inmate.c.state,
            facility.c.name.label("facility"),
            _available.label("available"),
            account_holder.c.mobile,
            account_holder.c.email,
        )
        .join(inmate_account, inmate_account.c.account_id == account.c.id)
        .join(inmate, inmate.c.id == inmate_account.c.inmate)
        .join(facility, facility.c.id == inmate.c.facility_id)
        .outerjoin(account_holder, account_holder.c.account_id == account.c.id)
        .where(
            inmate.c.facility_id == facility_id,
            inmate.c.state.in_(GONE),
            _available > 0,
            inmate.c.id.in_(
                select(inmate_event.c.inmate).where(
                    inmate_event.c.facility_id == facility_id,
                    inmate_event.c.noted_at == at,
                    inmate_event.c.applied,
                    inmate_event.c.kind.in_(GONE),
                )
            ),
        )
        .order_by(inmate.c.inmate_id)
    )
    for row in conn.execute(left).all():
        outbox.tell(
            conn,
            account_id=row.id,
            kind=outbox.NoticeKind.MONEY_LEFT,
            key=f"money_left/{row.id}/{at.isoformat()}",
            told={"facility": row.facility, "balance": format_money(floor_to_cent(Money(row.available)))},
            at=at,
        )
        who = f"inmate {row.inmate_id} of {facility_id} is {row.state}"
        can_be_told = row.mobile is not None or row.email is not None
        known = "a notice to its holder is written" if can_be_told else "nobody is known who could be told"
        owing = f"{dollars(row.available)} is theirs, {known} (`ivr account owed`)"
        alert_once(conn, "debit_owed", f"{who}: {owing}", at)


def _people(conn: Connection, facility_id: str) -> Mapping[str, int]:
    """The keys of the inmates' rows, by their IDs; also of those who have left: their money is theirs."""
    own = select(inmate.c.inmate_id, inmate.c.id).where(inmate.c.facility_id == facility_id)
    return {row.inmate_id: row.id for row in conn.execute(own)}


def _lines(rows: Rows) -> Iterator[tuple[int, TransferRow]]:
    for line, each in rows.entries:
        assert isinstance(each, TransferRow)
        yield line, each


def _incoming(each: TransferRow, people: Mapping[str, int], own: str) -> debit.Incoming:
    to = debit.account_id_of(own, each.inmate_id)
    return debit.Incoming(each.reference, people[each.inmate_id], to, each.amount, each.kind)


def _misfits(rows: Rows, people: Mapping[str, int], own: str) -> Mistakes:
    return [
        (line, f"inmate_id: {own} has no inmate {each.inmate_id}")
        for line, each in _lines(rows)
        if each.inmate_id not in people
    ]


def _twice(rows: Rows) -> Mistakes:
    seen: set[str] = set()
    mistakes: Mistakes = []
    for line, each in _lines(rows):
        if each.reference in seen:
            mistakes.append((line, f"reference: {each.reference} stands there twice"))
        seen.add(each.reference)
    return mistakes


def _contradictions(
    incoming: Mapping[int, debit.Incoming], known: Mapping[str, ledger.Transfer], own: str
) -> Mistakes:
    mistakes: Mistakes = []
    for line, each in incoming.items():
        before = known.get(debit.transfer_id(own, each.reference))
        if before is not None and not debit.is_same(before, own, each):
            mistakes.append((line, f"reference: {each.reference} was another transfer"))
    return mistakes


def _to_give_back(desk: Desk, own: str, only: Sequence[str]) -> Sequence[Row[*tuple[Any, ...]]]:
    """The accounts with something available: of these inmates, or of those who have left."""
    for inmate_id in only:
        desk.inmate(own, inmate_id)
    wanted = (
        select(inmate.c.inmate_id, account.c.id.label("account_id"), _available.label("available"))
        .join(inmate_account, inmate_account.c.inmate == inmate.c.id)
        .join(account, account.c.id == inmate_account.c.account_id)
        .where(inmate.c.facility_id == own, _available > 0)
    )
    wanted = wanted.where(inmate.c.inmate_id.in_(only) if only else inmate.c.state.in_(GONE))
    # locked, so that what is available stays so until it is booked
    rows = desk.conn.execute(wanted.order_by(account.c.id).with_for_update(of=account, key_share=True)).all()
    if not rows:
        whose = f"inmate {', '.join(only)}" if only else "those who have left"
        raise StaffError(f"{own}: nothing of {whose} is available to be given back")
    return rows


def _give_back(desk: Desk, entry: str, account_id: str, trust: str, amount: Money) -> None:
    """Book whole cents; a part of a cent is rounded up, at the provider's loss."""
    paid = ceil_to_cent(amount)
    ledger.post(desk.conn, transfer_id=entry, debit_id=account_id, credit_id=trust, amount=amount, at=desk.at)
    if paid > amount:
        ledger.post(
            desk.conn,
            transfer_id=f"{entry}/rounding",
            debit_id=payers.LOSS,
            credit_id=trust,
            amount=paid - amount,
            at=desk.at,
        )


def _released(conn: Connection, trust: str, begins: str) -> Mapping[str, Money]:
    """What each inmate has got back under a reference, by their IDs."""
    entries = select(transfer.c.id, transfer.c.amount).where(
        transfer.c.credit_id == trust, transfer.c.id.startswith(begins, autoescape=True)
    )
    booked = ((entry.removeprefix(begins), amount) for entry, amount in conn.execute(entries))
    given: dict[str, Money] = {}
    for what, amount in sorted(booked):
        inmate_id = what.partition("/")[0]
        given[inmate_id] = Money(given.get(inmate_id, ZERO) + amount)  # and its rounding
    return given


def _as_csv(given: Mapping[str, Money], reference: str) -> str:
    """The rows of the file, in the form of a transfer file."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(SHAPE.needed)
    for inmate_id, amount in given.items():
        lines.writerow((f"{reference}.{inmate_id}", inmate_id, format_money(amount)))
    return written.getvalue()


def _alone(desk: Desk, own: str) -> None:
    """Two files of a facility at once wait for each other."""
    row = select(facility.c.id).where(facility.c.id == own)
    desk.conn.execute(row.with_for_update(key_share=True))
