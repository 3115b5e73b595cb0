"""Which bookings have not had the free calls that they were entitled to, once the time for them is over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, and_, case, func, select

from ivr.facility.tables import booking, facility
from ivr.policy.intake import Entitled
from ivr.policy.quantity import SHORTEST_COUNTED_MS
from ivr.records.tables import call

_completed = and_(
    call.c.talk_ms >= SHORTEST_COUNTED_MS, call.c.given_back.is_not(True), call.c.privileged.is_(False)
)
_BOOKINGS = (
    select(
        booking.c.number,
        booking.c.arrested_at,
        booking.c.custodial_parent,
        facility.c.id.label("facility_id"),
        facility.c.time_zone,
        facility.c.intake_calls,
        facility.c.intake_calls_for_parents,
        facility.c.intake_within_minutes,
        func.count(call.c.id).label("attempts"),
        func.coalesce(func.sum(case((_completed, 1), else_=0)), 0).label("completed"),
    )
    .join(facility, facility.c.id == booking.c.facility_id)
    .outerjoin(call, call.c.booking_id == booking.c.id)
    .group_by(booking.c.id, facility.c.id)
    .order_by(booking.c.arrested_at)
)


@dataclass(frozen=True, slots=True)
class NotGiven:
    """A booking whose time is over, and whose calls were not all completed."""

    facility: str
    booking: str
    arrested_at: datetime  # local
    ended_at: datetime  # of the time for free calls, local
    custodial_parent: bool
    entitled: int
    completed: int
    attempts: int  # calls of any sort, answered or not

    def as_dict(self) -> dict[str, object]:
        """The line as JSON can hold it."""
        instants = {"arrested_at": self.arrested_at.isoformat(), "ended_at": self.ended_at.isoformat()}
        same = ("facility", "booking", "custodial_parent", "entitled", "completed", "attempts")
        return {**{name: getattr(self, name) for name in same}, **instants}


def not_given(conn: Connection, now: datetime, facility_id: str | None = None) -> Sequence[NotGiven]:
    """The bookings of a facility, or of all, that had fewer calls than they were entitled to; oldest first."""
    wanted = _BOOKINGS if facility_id is None else _BOOKINGS.where(facility.c.id == facility_id)
    return list(_short(conn, wanted, now))


def _short(conn: Connection, wanted: Select[Any], now: datetime) -> Iterator[NotGiven]:
    for row in conn.execute(wanted):
        entitled = Entitled.of(
            row.arrested_at,
            custodial_parent=row.custodial_parent,
            calls=row.intake_calls,
            for_parents=row.intake_calls_for_parents,
            within_minutes=row.intake_within_minutes,
        )
        if now < entitled.ends_at or row.completed >= entitled.calls:
            continue
        zone = ZoneInfo(row.time_zone)
        yield NotGiven(
            row.facility_id,
            row.number,
            row.arrested_at.astimezone(zone),
            entitled.ends_at.astimezone(zone),
            row.custodial_parent,
            entitled.calls,
            int(row.completed),
            row.attempts,
        )
