"""Privileged numbers: one operator adds, unrecorded at once, another confirms; to take one away needs two as well."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationInfo, field_validator
from sqlalchemy import Row

from ivr.facility import privileged, scopes
from ivr.facility.fields import E164
from ivr.policy.privilege import (
    ASKED_FOR,
    WAITS_FOR_ANOTHER,
    PrivilegeKind,
    PrivilegeSource,
    Shrinking,
    Waiting,
)
from ivr.records import sealing
from ivr.staff.desk import Asked, Desk, StaffError
from rating.form import like

A = TypeVar("A", bound="OfNumber")
Sha256 = Annotated[str, like(r"[0-9a-f]{64}", "a SHA-256 hash, 64 hexadecimal digits")]


class OfNumber(Asked):
    """A privileged number: everybody's at the facility, or at every facility of an agency, or one inmate's."""

    number: E164
    inmate_id: str | None = None
    agency_id: str | None = Field(default=None, validate_default=True)

    @field_validator("agency_id")
    @classmethod
    def _is_all_of_it(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and (info.data.get("inmate_id") or info.data.get("facility_id")):
            raise ValueError("an agency's number is that of all its facilities, and no inmate's")
        return value

    @property
    def of_one_facility(self) -> bool:
        """Not where it is an agency's."""
        return self.agency_id is None

    @property
    def about(self) -> str:
        """The number, and whose."""
        if self.agency_id is not None:
            return f"number {self.number} of agency {self.agency_id}"
        return f"number {self.number}{f' of inmate {self.inmate_id}' if self.inmate_id else ''}"


class AddPrivileged(OfNumber):
    """Calls to a number are not to be recorded from now on; what proves whose it is may be named."""

    kind: PrivilegeKind
    untimed: bool = False
    bar_number: str | None = None
    document_sha256: Sha256 | None = None


class ConfirmPrivileged(OfNumber):
    """Another operator agrees to what was added, or to what was asked for; to which, where more than one waits."""

    what: Waiting | None = None


class ShrinkPrivileged(OfNumber):
    """Something is to be taken away from a privileged number."""

    how: Shrinking
    to_inmate_id: str | None = Field(default=None, validate_default=True)

    @field_validator("to_inmate_id")
    @classmethod
    def _names_whom(cls, value: str | None, info: ValidationInfo) -> str | None:
        narrowed = info.data.get("how") is Shrinking.NARROW
        if "how" in info.data and narrowed != (value is not None):
            raise ValueError("expected an inmate to narrow it to, and only then")
        if narrowed and info.data.get("inmate_id") is not None:
            raise ValueError("it is one inmate's already")
        if narrowed and info.data.get("agency_id") is not None:
            raise ValueError(
                "an agency's number is narrowed to no inmate: add it for the inmate, then remove it"
            )
        return value


def add(desk: Desk, asked: AddPrivileged) -> str:
    """Privileged for 72 hours, and for good once another operator confirms it; earlier recordings are sealed.

    Who adds anew what was to be taken away withdraws that. Raises StaffError for what is so already.
    """
    return _at_each(desk, asked, _add)


def _add(desk: Desk, asked: AddPrivileged, facility_id: str, scope: str) -> str:
    rows = privileged.standing(desk.conn, facility_id, desk.at, number=asked.number, scope=scope)
    same = [row for row in rows if row.untimed or not asked.untimed]
    if wanted := [row for row in same if _is_asked(row, desk.at)]:
        with privileged.changing(desk.conn, facility_id) as listed:
            for row in wanted:
                listed.change(row.id, **_NOTHING_ASKED)
        return f"{asked.about}: stays privileged; what was asked for is withdrawn"
    if any(row.confirmed_at is not None for row in same):
        raise StaffError(f"{asked.about}: is privileged already")
    if same:
        raise StaffError(f"{asked.about}: {same[0].author} has added it; another operator confirms it")
    with privileged.changing(desk.conn, facility_id) as listed:
        listed.add(
            scope=scope,
            number=asked.number,
            kind=asked.kind,
            source=PrivilegeSource.STAFF,
            note=asked.note,
            author=asked.author,
            at=desk.at,
            untimed=asked.untimed,
            bar_number=asked.bar_number,
            document_sha256=asked.document_sha256,
        )
    why = f"{asked.about}: {asked.kind}, added by {asked.author}: {asked.note}"
    sealed = sealing.seal(desk.conn, facility_id, {asked.number}, desk.at, why)
    hours = WAITS_FOR_ANOTHER.total_seconds() // 3600
    return (
        f"{asked.about}: privileged from now on, never recorded; recordings sealed: {len(sealed)}; "
        f"lapses in {hours:.0f} hours unless another operator confirms it"
    )


def confirm(desk: Desk, asked: ConfirmPrivileged) -> str:
    """The one thing that waits is done, or of several the named one.

    Raises StaffError for whoever wanted it themselves, where nothing such waits, and where it is not clear which.
    """
    return _at_each(desk, asked, _confirm)


def _confirm(desk: Desk, asked: ConfirmPrivileged, facility_id: str, scope: str) -> str:
    rows = privileged.standing(desk.conn, facility_id, desk.at, number=asked.number, scope=scope)
    what = _what(asked, rows, desk.at)
    waiting = {row: by for row in rows if (by := _waits(row, desk.at).get(what))}
    _refuse_same(asked, set(waiting.values()))
    with privileged.changing(desk.conn, facility_id) as listed:
        for row in waiting:
            if what is Waiting.ADDITION:
                listed.change(row.id, confirmed_by=asked.author, confirmed_at=desk.at)
            else:
                _shrink(desk, listed, row, rows)
    by = ", ".join(sorted(set(waiting.values())))
    if what is Waiting.ADDITION:
        return f"{asked.about}: addition confirmed: privileged, as {by} added it"
    return f"{asked.about}: {what} confirmed: {_DONE[what]}, as {by} asked"


def shrink(desk: Desk, asked: ShrinkPrivileged) -> str:
    """Ask for it; until another operator confirms that, everything stays as it is."""
    return _at_each(desk, asked, _ask)


def _ask(desk: Desk, asked: ShrinkPrivileged, facility_id: str, scope: str) -> str:
    rows = privileged.standing(desk.conn, facility_id, desk.at, number=asked.number, scope=scope)
    wanted = [row for row in rows if row.untimed or asked.how is not Shrinking.TIMED]
    if not wanted:
        so = "untimed" if asked.how is Shrinking.TIMED else "privileged"
        raise StaffError(f"{asked.about}: is not {so}")
    to = None
    if asked.to_inmate_id is not None:
        to = scopes.inmate(desk.inmate(facility_id, asked.to_inmate_id).id)
    with privileged.changing(desk.conn, facility_id) as listed:
        for row in wanted:
            listed.ask(row.id, asked.how, author=asked.author, at=desk.at, to=to)
    return f"{asked.about}: stays as it is until another operator confirms that it is {_DONE[ASKED_FOR[asked.how]]}"


_NOTHING_ASKED = {"asked": None, "asked_scope": None, "asked_by": None, "asked_until": None}
_DONE = {
    Waiting.REMOVAL: "no longer privileged",
    Waiting.TIMED: "no longer untimed",
    Waiting.NARROWING: "one inmate's only",
}


def _what(asked: ConfirmPrivileged, rows: Sequence[Row[Any]], at: datetime) -> Waiting:
    """What is to be confirmed; raises StaffError unless it is clear."""
    waiting = {what: by for row in rows for what, by in _waits(row, at).items()}
    if not waiting:
        raise StaffError(f"{asked.about}: there is nothing to confirm")
    told = ", ".join(f"{what} by {waiting[what]}" for what in sorted(waiting))
    if asked.what is None and len(waiting) > 1:
        raise StaffError(
            f"{asked.about}: more than one thing waits: {told}; say --what {'|'.join(sorted(waiting))}"
        )
    what = asked.what or next(iter(waiting))
    if what not in waiting:
        raise StaffError(f"{asked.about}: no {what} waits, but {told}")
    return what


def _waits(row: Row[Any], at: datetime) -> dict[Waiting, str]:
    """What of a row waits for another operator, and who wanted it."""
    added = {Waiting.ADDITION: row.author} if row.confirmed_at is None else {}
    asked = {ASKED_FOR[Shrinking(row.asked)]: row.asked_by} if _is_asked(row, at) else {}
    return {**added, **asked}


def _shrink(desk: Desk, listed: privileged.Changing, row: Row[Any], rows: Sequence[Row[Any]]) -> None:
    """Do what was asked for; of two rows that become the same one remains."""
    match Shrinking(row.asked):
        case Shrinking.REMOVE:
            values: dict[str, object] = {"removed_at": desk.at}
        case Shrinking.TIMED if any(not other.untimed for other in rows):
            values = {"removed_at": desk.at}
        case Shrinking.TIMED:
            values = {"untimed": False}
        case Shrinking.NARROW:
            there = privileged.standing(
                desk.conn, row.facility_id, desk.at, number=row.number, scope=row.asked_scope
            )
            for other in (each for each in there if each.untimed == row.untimed):
                listed.change(other.id, removed_at=desk.at)
            values = {"scope": row.asked_scope, "source": PrivilegeSource.STAFF}
    listed.change(row.id, **_NOTHING_ASKED, **values)


def _at_each(desk: Desk, asked: A, work: Callable[[Desk, A, str, str], str]) -> str:
    """The work at each facility that it is about; where an agency's number already is as it shall be, it stays so.

    Raises StaffError where there is nothing to do at any.
    """
    told: dict[str, list[str]] = defaultdict(list)
    refused: list[StaffError] = []
    for facility_id, scope in _places(desk, asked):
        try:
            told[work(desk, asked, facility_id, scope)].append(facility_id)
        except StaffError as error:
            refused.append(error)
    if not told:
        raise refused[0]
    if asked.agency_id is None:
        return next(iter(told))
    return "\n".join(f"{', '.join(places)}: {each}" for each, places in told.items())


def _places(desk: Desk, asked: OfNumber) -> list[tuple[str, str]]:
    if asked.agency_id is not None:
        return [(each, scopes.AGENCY) for each in desk.facilities_of(asked.agency_id)]
    facility_id = desk.facility_id(asked)
    if asked.inmate_id is None:
        return [(facility_id, scopes.FACILITY)]
    return [(facility_id, scopes.inmate(desk.inmate(facility_id, asked.inmate_id).id))]


def _is_asked(row: Row[Any], at: datetime) -> bool:
    return row.asked is not None and row.asked_until > at


def _refuse_same(asked: Asked, authors: set[str]) -> None:
    """Two operators are two people: who wanted something does not confirm it."""
    if asked.author in authors:
        raise StaffError(f"{asked.about}: you asked for this yourself, so another operator confirms it")


class Vouch(Asked):
    """The list of privileged numbers is right as it stands, although something else has changed it."""

    @property
    def about(self) -> str:
        """The list."""
        return "list of privileged numbers"


def vouch(desk: Desk, asked: Vouch) -> str:
    """Take a list in doubt for right; raises StaffError for one that is in no doubt."""
    facility_id = desk.facility_id(asked)
    if privileged.intact(desk.conn, facility_id):
        raise StaffError(f"{facility_id}: the list of privileged numbers is in no doubt")
    first = privileged.vouch(desk.conn, facility_id, asked.author, desk.at)
    if first is None:
        return f"{facility_id}: in doubt until another operator vouches for it too; nothing is recorded"
    return f"{facility_id}: vouched for by {first} and {asked.author}; calls are recorded again"
