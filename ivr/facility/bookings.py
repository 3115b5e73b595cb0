"""Bookings: people who were arrested a moment ago, known by the number that staff gave them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from accounts.db import Prepared
from ivr.facility.lookup import Facility
from ivr.facility.tables import booking
from ivr.policy.intake import Entitled


@dataclass(frozen=True, slots=True)
class Booking:
    """One booking, as its calls need it."""

    id: int
    arrested_at: datetime
    custodial_parent: bool
    has_name: bool  # recorded in their own voice

    def entitled(self, facility: Facility) -> Entitled:
        """The free calls that the facility gives to this booking."""
        return Entitled.of(
            self.arrested_at,
            custodial_parent=self.custodial_parent,
            calls=facility.intake_calls,
            for_parents=facility.intake_calls_for_parents,
            within_minutes=facility.intake_within_minutes,
        )


_COLUMNS = (
    booking.c.id,
    booking.c.arrested_at,
    booking.c.custodial_parent,
    booking.c.recorded_name.is_not(None).label("has_name"),
)
_BY_NUMBER = Prepared(
    select(*_COLUMNS).where(
        booking.c.facility_id == bindparam("facility_id"), booking.c.number == bindparam("keyed")
    )
)
_BY_ID = Prepared(select(*_COLUMNS).where(booking.c.id == bindparam("booking_id")))


def booking_by_number(conn: Connection, facility_id: str, keyed: str) -> Booking | None:
    """The booking whose number was keyed; None if it is none's."""
    row = _BY_NUMBER.row(conn, {"facility_id": facility_id, "keyed": keyed})
    return Booking(**row._mapping) if row else None


def booking_by_id(conn: Connection, booking_id: int) -> Booking:
    """The booking of a session; bookings are never deleted."""
    row = _BY_ID.row(conn, {"booking_id": booking_id})
    assert row is not None
    return Booking(**row._mapping)


def keep_recorded_name(conn: Connection, booking_id: int, name: bytes) -> None:
    """Keep the name for every later call of the booking."""
    conn.execute(update(booking).where(booking.c.id == booking_id).values(recorded_name=name))
