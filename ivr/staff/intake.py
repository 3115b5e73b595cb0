"""A booking is opened, so that whoever was arrested has their free calls at an intake station."""

from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update

from ivr.facility.fields import Digits, Time
from ivr.facility.tables import booking, facility, special_number
from ivr.policy.intake import Entitled
from ivr.staff.desk import Asked, Desk, StaffError


class OpenBooking(Asked):
    """A booking that staff open, or correct; `arrested_at` without a zone is the facility's time."""

    booking: Digits
    arrested_at: Time
    custodial_parent: bool = False

    @property
    def about(self) -> str:
        """The booking."""
        return f"booking {self.booking}"


def open_booking(desk: Desk, asked: OpenBooking) -> str:
    """Open a booking, or correct the one that there is; raises StaffError for an arrest that has not been yet."""
    facility_id = desk.facility_id(asked)
    site = desk.conn.execute(select(facility).where(facility.c.id == facility_id)).one()
    zone = ZoneInfo(site.time_zone)
    arrested_at = asked.arrested_at if asked.arrested_at.tzinfo else asked.arrested_at.replace(tzinfo=zone)
    if arrested_at > desk.at:
        raise StaffError(f"arrested_at: {arrested_at:%Y-%m-%d %H:%M} is not over yet")
    code = select(special_number.c.number).where(
        special_number.c.facility_id == facility_id, special_number.c.code == asked.booking
    )
    if desk.conn.scalar(code) is not None:
        raise StaffError(f"booking: {asked.booking} is the code of a hotline")
    own = (booking.c.facility_id == facility_id) & (booking.c.number == asked.booking)
    said = {"arrested_at": arrested_at, "custodial_parent": asked.custodial_parent}
    corrected = desk.conn.execute(update(booking).where(own).values(**said)).rowcount
    if not corrected:
        new = {"facility_id": facility_id, "number": asked.booking, "opened_at": desk.at}
        desk.conn.execute(insert(booking).values(**new, **said))
    entitled = Entitled.of(
        arrested_at,
        custodial_parent=asked.custodial_parent,
        calls=site.intake_calls,
        for_parents=site.intake_calls_for_parents,
        within_minutes=site.intake_within_minutes,
    )
    until = f"{entitled.ends_at.astimezone(zone):%Y-%m-%d %H:%M}"
    late = ", which is over" if entitled.ends_at <= desk.at else ""
    done = "corrected" if corrected else "opened"
    return f"booking {asked.booking}: {done}; {entitled.calls} free calls until {until}{late}"
