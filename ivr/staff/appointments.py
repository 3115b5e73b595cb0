"""Calls that staff agree on: one inmate, one number, from one time until another."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from ivr.facility import scopes
from ivr.facility.daily import appointment
from ivr.facility.fields import E164, Time
from ivr.facility.tables import facility, inmate
from ivr.staff.desk import Asked, Desk, StaffError
from ivr.staff.shown import Shown, facility_of, local

LONGEST = timedelta(hours=4)


class Appoint(Asked):
    """Calls of an inmate to a number, from one local time until another."""

    inmate_id: str
    number: E164
    begins: Time
    ends: Time

    @property
    def about(self) -> str:
        """The inmate and the number."""
        return f"inmate {self.inmate_id}, number {self.number}"


class Cancel(Asked):
    """An appointment is to be no more, by its number."""

    appointment: int

    @property
    def about(self) -> str:
        """The appointment."""
        return f"appointment {self.appointment}"


def appoint(desk: Desk, asked: Appoint) -> str:
    """Make the appointment; raises StaffError for one that is over, backwards or too long."""
    own = desk.facility_id(asked)
    key = desk.inmate(own, asked.inmate_id).id
    begins, ends = desk.instant(own, asked.begins), desk.instant(own, asked.ends)
    assert begins is not None
    assert ends is not None
    if ends <= begins or ends <= desk.at:
        raise StaffError("ends: the appointment would be over before it begins")
    if ends - begins > LONGEST:
        raise StaffError(f"an appointment lasts {LONGEST // timedelta(hours=1)} hours at most")
    when = {"starts_at": begins, "ends_at": ends, "set_at": desk.at}
    row = {"facility_id": own, "scope": scopes.entry(key, asked.number), **when}
    number = desk.conn.execute(insert(appointment), {**row, "note": asked.note, "author": asked.author})
    [made] = number.inserted_primary_key or (None,)
    zone = ZoneInfo(desk.time_zone(own))
    span = f"from {local(begins, zone)} to {local(ends, zone)}"
    return f"appointment {made}: inmate {asked.inmate_id} may call {asked.number} {span}"


def cancel(desk: Desk, asked: Cancel) -> str:
    """Cancel it; a call in progress goes on. Raises StaffError for one that there is not."""
    own = desk.facility_id(asked)
    live = (
        appointment.c.id == asked.appointment,
        appointment.c.facility_id == own,
        appointment.c.cancelled_at.is_(None),
    )
    if desk.conn.execute(update(appointment).where(*live).values(cancelled_at=desk.at)).rowcount == 0:
        raise StaffError(f"{own} has no appointment {asked.appointment}")
    return f"appointment {asked.appointment}: cancelled"


def appointments_shown(conn: Connection, facility_id: str | None, at: datetime, *, past: bool) -> list[Shown]:
    """The appointments that are not over, or with `past` all that were not cancelled, the earliest first."""
    wanted = select(appointment, facility.c.time_zone).join(
        facility, facility.c.id == appointment.c.facility_id
    )
    wanted = wanted.where(appointment.c.cancelled_at.is_(None))
    if facility_id is not None:
        wanted = wanted.where(appointment.c.facility_id == facility_of(conn, facility_id).id)
    if not past:
        wanted = wanted.where(appointment.c.ends_at > at)
    rows = conn.execute(wanted.order_by(appointment.c.starts_at, appointment.c.id)).all()
    keys = {int(row.scope.split("/")[1]) for row in rows}
    ids = {key: conn.scalar(select(inmate.c.inmate_id).where(inmate.c.id == key)) for key in keys}
    return [
        {
            "appointment": row.id,
            "facility": row.facility_id,
            "inmate": ids[int(row.scope.split("/")[1])],
            "number": row.scope.split("/")[2],
            "from": local(row.starts_at, ZoneInfo(row.time_zone)),
            "to": local(row.ends_at, ZoneInfo(row.time_zone)),
            "note": row.note,
            "author": row.author,
        }
        for row in rows
    ]
