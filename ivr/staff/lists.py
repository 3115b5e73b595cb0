"""Numbers come into an inmate's list and go out of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from ivr.facility import kept, scopes
from ivr.facility.fields import E164, OnlyPayer, SpeedDial
from ivr.facility.kept import keep
from ivr.facility.tables import allowed_number, facility
from ivr.staff.desk import Asked, Desk, StaffError

NOTHING: Mapping[str, object] = MappingProxyType({})


class Allow(Asked):
    """A number is to stand in an inmate's list; what is not said stays as it is."""

    inmate_id: str
    number: E164
    relation: str | None = None
    speed_dial: SpeedDial | None = None
    payer: OnlyPayer | None = None
    records: bool | None = None
    override: bool | None = None  # of a block of staff or of the file, for this inmate; the note says why

    @property
    def about(self) -> str:
        """The inmate and the number."""
        return f"inmate {self.inmate_id}, number {self.number}"


class Disallow(Asked):
    """A number is to stand in an inmate's list no longer."""

    inmate_id: str
    number: E164

    @property
    def about(self) -> str:
        """The inmate and the number."""
        return f"inmate {self.inmate_id}, number {self.number}"


def allow(desk: Desk, asked: Allow) -> str:
    """Add the number, or change what its entry says."""
    own = desk.facility_id(asked)
    row = desk.inmate(own, asked.inmate_id)
    said = ("relation", "speed_dial", "payer", "records")
    given = {name: value for name in said if (value := getattr(asked, name)) is not None}
    blocked = ""
    if asked.override is not None:
        given["override_note"] = asked.note if asked.override else None
        blocked = f"; a block {'does not hold' if asked.override else 'holds'} for this inmate"
    return f"inmate {asked.inmate_id}: {listed(desk, row, asked, asked.number, given)}{blocked}"


def listed(
    desk: Desk, person: Row[Any], asked: Asked, number: str, given: Mapping[str, object] = NOTHING
) -> str:
    """Have a number in an inmate's list, with what is given; raises StaffError for a full one or a taken speed dial."""
    own, key = person.facility_id, person.id
    _refuse_taken(desk, key, number, given.get("speed_dial"))
    place = (allowed_number.c.inmate == key, allowed_number.c.number == number)
    standing = desk.conn.execute(select(allowed_number).where(*place)).one_or_none()
    if standing is None:
        _refuse_full(desk, own, key)
        row = {"inmate": key, "number": number, "records": True, "learned": False, **given}
        desk.conn.execute(insert(allowed_number).values(row))
    else:
        desk.conn.execute(update(allowed_number).where(*place).values(learned=False, **given))
    keep(desk.conn, own, [(scopes.entry(key, number), kept.LISTED)], asked.author, desk.at)
    return f"{number} {'added to the list' if standing is None else 'stands in the list'}"


def disallow(desk: Desk, asked: Disallow) -> str:
    """Take the number out; raises StaffError for one that is not in the list."""
    own = desk.facility_id(asked)
    key = desk.inmate(own, asked.inmate_id).id
    place = (allowed_number.c.inmate == key, allowed_number.c.number == asked.number)
    if desk.conn.execute(delete(allowed_number).where(*place)).rowcount == 0:
        raise StaffError(f"{asked.number} is not in the list of inmate {asked.inmate_id}")
    keep(desk.conn, own, [(scopes.entry(key, asked.number), kept.LISTED)], asked.author, desk.at)
    return f"inmate {asked.inmate_id}: {asked.number} taken out of the list"


def _refuse_full(desk: Desk, own: str, key: int) -> None:
    most = desk.conn.scalar(select(facility.c.pan_maximum).where(facility.c.id == own))
    count = select(func.count()).select_from(allowed_number).where(allowed_number.c.inmate == key)
    if most is not None and (desk.conn.scalar(count) or 0) >= most:
        raise StaffError(f"the list is full: facility.pan_maximum is {most}")


def _refuse_taken(desk: Desk, key: int, number: str, code: object) -> None:
    if code is None:
        return
    taken = select(allowed_number.c.number).where(
        allowed_number.c.inmate == key, allowed_number.c.speed_dial == code, allowed_number.c.number != number
    )
    if other := desk.conn.scalar(taken):
        raise StaffError(f"speed_dial: {code} is that of {other}")
