"""What inmates have asked for by telephone is approved or refused."""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select, update

from ivr.facility.daily import number_request
from ivr.facility.fields import OnlyPayer, SpeedDial
from ivr.facility.tables import facility, inmate
from ivr.staff.contacts import speed_dial_wanted
from ivr.staff.desk import Asked, Desk, StaffError
from ivr.staff.lists import listed
from ivr.staff.shown import Shown, facility_of, local


class Decide(Asked):
    """A request, by its number in the queue."""

    request: int

    @property
    def about(self) -> str:
        """The request."""
        return f"request {self.request}"


class Approve(Decide):
    """The number is to stand in the inmate's list."""

    relation: str | None = None
    speed_dial: SpeedDial | None = None
    payer: OnlyPayer | None = None
    records: bool | None = None


def approve(desk: Desk, asked: Approve) -> str:
    """Add the number to the list; raises StaffError where the list is full or the request was decided."""
    row = _waiting(desk, asked)
    said = ("relation", "speed_dial", "payer", "records")
    given = {name: value for name in said if (value := getattr(asked, name)) is not None}
    person = desk.inmate(row.facility_id, row.inmate_id)
    if asked.speed_dial is None and (wanted := speed_dial_wanted(desk.conn, person.id, row.number)):
        given["speed_dial"] = wanted
    told = listed(desk, person, asked, row.number, given)
    _decide(desk, asked, "approved")
    return f"inmate {row.inmate_id}: {told}, as was asked for"


def refuse(desk: Desk, asked: Decide) -> str:
    """The number stays out of the list."""
    row = _waiting(desk, asked)
    _decide(desk, asked, "refused")
    return f"inmate {row.inmate_id}: the request for {row.number} is refused"


def requests_shown(conn: Connection, facility_id: str | None, *, decided: bool) -> list[Shown]:
    """The requests that wait, or with `decided` all of them, the oldest first."""
    wanted = (
        select(number_request, inmate.c.facility_id, inmate.c.inmate_id, facility.c.time_zone)
        .join(inmate, inmate.c.id == number_request.c.inmate)
        .join(facility, facility.c.id == inmate.c.facility_id)
    )
    if facility_id is not None:
        wanted = wanted.where(inmate.c.facility_id == facility_of(conn, facility_id).id)
    if not decided:
        wanted = wanted.where(number_request.c.state == "waiting")
    shown: list[Shown] = []
    for row in conn.execute(wanted.order_by(number_request.c.id)):
        zone = ZoneInfo(row.time_zone)
        shown.append(
            {
                "request": row.id,
                "facility": row.facility_id,
                "inmate": row.inmate_id,
                "number": row.number,
                "asked": local(row.asked_at, zone),
                "station": row.station_id,
                "state": row.state,
                "decided by": row.decided_by,
                "decided": local(row.decided_at, zone),
                "note": row.note,
            }
        )
    return shown


def _waiting(desk: Desk, asked: Decide) -> Row[Any]:
    own = desk.facility_id(asked)
    wanted = select(number_request, inmate.c.facility_id, inmate.c.inmate_id).join(
        inmate, inmate.c.id == number_request.c.inmate
    )
    row = desk.conn.execute(
        wanted.where(number_request.c.id == asked.request, inmate.c.facility_id == own)
    ).one_or_none()
    if row is None:
        raise StaffError(f"{own} has no request {asked.request}")
    if row.state != "waiting":
        raise StaffError(f"request {asked.request} was {row.state} by {row.decided_by}")
    return row


def _decide(desk: Desk, asked: Decide, state: str) -> None:
    how = {"state": state, "decided_by": asked.author, "decided_at": desk.at, "note": asked.note}
    desk.conn.execute(update(number_request).where(number_request.c.id == asked.request).values(**how))
