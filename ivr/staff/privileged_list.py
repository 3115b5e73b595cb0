"""A signed list of privileged numbers: it adds what is new, and asks for the removal of what it has lost."""

import hmac
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

from sqlalchemy import Row

from ivr.facility import privileged, scopes
from ivr.facility.csv_rows import ImportMistakes, Kind, PrivilegedRow, read_rows
from ivr.policy.privilege import WAITS_FOR_ANOTHER, PrivilegeSource, Shrinking, is_too_short
from ivr.records import sealing
from ivr.staff.desk import Alarm, Asked, Desk, StaffError, ToldOnce
from ivr.staff.privileged import Sha256

REFUSED = "privileged list refused"
SIGNED = "signed list"


class PrivilegedList(Asked):
    """A CSV text and what was signed of it."""

    csv: str
    signature: str
    agency_id: str | None = None  # of all its facilities

    @property
    def of_one_facility(self) -> bool:
        """Not where it is an agency's."""
        return self.agency_id is None

    @property
    def about(self) -> str:
        """The list."""
        return f"privileged numbers{f' of agency {self.agency_id}' if self.agency_id else ''}"


class ListToSign(Asked):
    """A list that somebody approves, by the SHA-256 of its text."""

    of_facility: ClassVar[bool] = False

    digest: Sha256

    @property
    def about(self) -> str:
        """The list."""
        return f"list {self.digest[:12]}"


def sign_list(desk: Desk, asked: ListToSign) -> ToldOnce:
    """The signature of a list, by whoever asks and for 72 hours; another operator imports it."""
    return ToldOnce(
        f"{asked.about}: signed by {asked.author}, for 72 hours; another operator imports it",
        _signed(desk.list_key, asked.digest, asked.author, desk.at),
    )


def signature(key: bytes, text: str, *, by: str, at: datetime) -> str:
    """What stands beside a list that somebody has approved: who, when, and the HMAC-SHA256 (RFC 2104) over all."""
    return _signed(key, digest_of(text), by, at)


def digest_of(text: str) -> str:
    """What is signed of a list."""
    return sha256(text.encode()).hexdigest()


def _signed(key: bytes, digest: str, by: str, at: datetime) -> str:
    said = f"{by} {at.isoformat()}"
    return f"{said} {hmac.new(key, f'{said} {digest}'.encode(), sha256).hexdigest()}"


def _fault(desk: Desk, asked: PrivilegedList) -> str | None:
    """Why the signature does not stand for a second operator."""
    by, _, rest = asked.signature.strip().partition(" ")
    wrong = "its signature is missing or wrong"
    try:
        at = datetime.fromisoformat(rest.partition(" ")[0])
    except ValueError:
        return wrong
    right = signature(desk.list_key, asked.csv, by=by, at=at)
    if not desk.list_key or not hmac.compare_digest(right.encode(), asked.signature.strip().encode()):
        return wrong
    if by == asked.author:
        return f"{by} has signed it, so another operator imports it"
    return "it was signed more than 72 hours ago" if desk.at - at > WAITS_FOR_ANOTHER else None


def import_list(desk: Desk, asked: PrivilegedList) -> str:
    """Bring the numbers of earlier lists in step with this one; what it has lost stays until another operator agrees.

    Raises Alarm, of which an alert remains, for a list that is unsigned, signed by whoever imports it or too long ago,
    malformed, or has lost more than 1 % of its numbers.
    """
    if asked.agency_id is None:
        return _import(desk, asked, desk.facility_id(asked))
    return "\n".join(f"{each}: {_import(desk, asked, each)}" for each in desk.facilities_of(asked.agency_id))


def _import(desk: Desk, asked: PrivilegedList, facility_id: str) -> str:
    if fault := _fault(desk, asked):
        raise _alarm(facility_id, asked, fault)
    wanted = _wanted(desk, facility_id, asked)
    rows = privileged.standing(desk.conn, facility_id, desk.at)
    of_agency = asked.agency_id is not None
    of_lists = [row for row in rows if row.source == PrivilegeSource.LIST]
    standing = {_key(row): row for row in of_lists if (row.scope == scopes.AGENCY) is of_agency}
    missing = [row for key, row in standing.items() if key not in wanted]
    if is_too_short(len(standing), len(missing)):
        raise _alarm(facility_id, asked, f"{len(missing)} of {len(standing)} numbers are missing from it")
    known = {_key(row) for row in rows if row.confirmed_at is not None}
    new = [key for key in wanted if key not in known]
    with privileged.changing(desk.conn, facility_id) as listed:
        for key in new:
            _add(listed, desk.at, key, wanted[key], asked)
        for row in missing:
            listed.ask(row.id, Shrinking.REMOVE, author=asked.author, at=desk.at)
    sealed = sealing.seal(
        desk.conn, facility_id, {number for number, _, _ in new}, desk.at, f"{asked.note}, by {asked.author}"
    )
    told = f"privileged: {len(new)} added, {len(wanted) - len(new)} as they were; recordings sealed: {len(sealed)}"
    if not missing:
        return told
    numbers = ", ".join(sorted(row.number for row in missing))
    return f"{told}; to be removed when another operator confirms it: {numbers}"


#: A number, whose it is, and whether it is untimed.
Key = tuple[str, str, bool]


def _key(row: Row[Any]) -> Key:
    return row.number, row.scope, row.untimed


def _wanted(desk: Desk, facility_id: str, asked: PrivilegedList) -> dict[Key, PrivilegedRow]:
    try:
        rows = read_rows(Kind.PRIVILEGED, asked.csv)
    except ImportMistakes as mistakes:
        raise _alarm(facility_id, asked, str(mistakes)) from None
    wanted: dict[Key, PrivilegedRow] = {}
    for line, row in rows.entries:
        assert isinstance(row, PrivilegedRow)
        try:
            scope = _scope(desk, facility_id, asked, row)
        except StaffError as unknown:
            raise _alarm(facility_id, asked, f"line {line}: {unknown}") from None
        key = (row.number, scope, row.untimed)
        if key in wanted:
            raise _alarm(facility_id, asked, f"line {line}: {row.number} stands there twice")
        wanted[key] = row
    return wanted


def _scope(desk: Desk, facility_id: str, asked: PrivilegedList, row: PrivilegedRow) -> str:
    if asked.agency_id is not None:
        if row.inmate:
            raise StaffError("inmate: expected none, since the list is an agency's")
        return scopes.AGENCY
    return scopes.inmate(desk.inmate(facility_id, row.inmate).id) if row.inmate else scopes.FACILITY


def _add(
    listed: privileged.Changing, at: datetime, key: Key, row: PrivilegedRow, asked: PrivilegedList
) -> None:
    number, scope, untimed = key
    listed.add(
        scope=scope,
        number=number,
        kind=row.kind,
        source=PrivilegeSource.LIST,
        note=row.note,
        author=asked.author,
        at=at,
        untimed=untimed,
        bar_number=row.bar_number,
        confirmed_by=SIGNED,
    )


def _alarm(facility_id: str, asked: PrivilegedList, why: str) -> Alarm:
    return Alarm(REFUSED, f"{facility_id}, {asked.note}, by {asked.author}: {why}; nothing was imported")
