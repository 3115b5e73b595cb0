"""Look-ups by a call: each one statement, each by index."""

from dataclasses import dataclass
from datetime import time
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, select

from ivr.facility.tables import (
    allowed_number,
    blocked_number,
    facility,
    inmate,
    local_exchange,
    plan,
    schedule_window,
    special_number,
    station,
)
from ivr.policy.schedule import Schedule, Window
from rating.money import Money
from rating.site import FacilityKind, Operator, Site


@dataclass(frozen=True, slots=True)
class Facility:
    """What a call needs of its facility."""

    id: str
    kind: str
    operator: str
    average_daily_population: int | None
    state: str
    time_zone: str
    caller_id: str
    inmate_id_digits: int
    longest_call_ms: int
    ring_seconds: int
    records: bool
    taxes: str
    localities: str

    @property
    def site(self) -> Site:
        """The facility as laws see it."""
        return Site(
            self.state, FacilityKind(self.kind), Operator(self.operator), self.average_daily_population
        )


_FACILITY = select(*(facility.c[name] for name in Facility.__dataclass_fields__))
_FACILITY_OF_STATION = _FACILITY.join(station, station.c.facility_id == facility.c.id).where(
    station.c.id == bindparam("station_id")
)
_INMATE = select(inmate.c.id, inmate.c.pin_hash, inmate.c.recorded_name.is_not(None).label("has_name")).where(
    inmate.c.facility_id == bindparam("facility_id"), inmate.c.inmate_id == bindparam("keyed")
)
_SPEED_DIAL = select(allowed_number.c.number).where(
    allowed_number.c.inmate == bindparam("inmate_key"), allowed_number.c.speed_dial == bindparam("code")
)
_NUMBER = (
    select(
        inmate.c.state,
        inmate.c.recorded_name.is_not(None),
        allowed_number.c.number.is_not(None),
        allowed_number.c.records,
        blocked_number.c.cause,
        special_number.c.privileged,
        special_number.c.free,
        local_exchange.c.exchange.is_not(None),
    )
    .select_from(inmate)
    .outerjoin(
        allowed_number,
        and_(allowed_number.c.inmate == inmate.c.id, allowed_number.c.number == bindparam("number")),
    )
    .outerjoin(
        blocked_number,
        and_(
            blocked_number.c.facility_id == bindparam("facility_id"),
            blocked_number.c.number == bindparam("number"),
            blocked_number.c.lifted_at.is_(None),
        ),
    )
    .outerjoin(
        special_number,
        and_(
            special_number.c.facility_id == bindparam("facility_id"),
            special_number.c.number == bindparam("number"),
        ),
    )
    .outerjoin(
        local_exchange,
        and_(
            local_exchange.c.facility_id == bindparam("facility_id"),
            local_exchange.c.exchange == bindparam("exchange"),
        ),
    )
    .where(inmate.c.id == bindparam("inmate_key"))
)
_WINDOWS = select(schedule_window.c.weekday, schedule_window.c.opens, schedule_window.c.closes).where(
    schedule_window.c.facility_id == bindparam("facility_id")
)


def facility_of_station(conn: Connection, station_id: str) -> Facility | None:
    """The facility whose telephone this is; None for an unknown one."""
    row = conn.execute(_FACILITY_OF_STATION, {"station_id": station_id}).one_or_none()
    return Facility(*row) if row else None


def facility_by_id(conn: Connection, facility_id: str) -> Facility | None:
    """The facility with this id."""
    row = conn.execute(_FACILITY.where(facility.c.id == facility_id)).one_or_none()
    return Facility(*row) if row else None


def plans_of(conn: Connection, facility_id: str) -> list[tuple[str, Money, int]]:
    """The subscription plans that the facility offers: id, price, calls a month."""
    offered = select(plan.c.id, plan.c.price, plan.c.calls).where(plan.c.facility_id == facility_id)
    return [(each, price, calls) for each, price, calls in conn.execute(offered.order_by(plan.c.id))]


def inmate_by_id(conn: Connection, facility_id: str, inmate_id: str) -> Row[Any] | None:
    """The inmate that keyed this ID; None for an unknown one."""
    return conn.execute(_INMATE, {"facility_id": facility_id, "keyed": inmate_id}).one_or_none()


def number_of_speed_dial(conn: Connection, inmate_key: int, code: str) -> str | None:
    """The number behind an inmate's speed dial."""
    return conn.scalar(_SPEED_DIAL, {"inmate_key": inmate_key, "code": code})


def free_and_local(conn: Connection, facility_id: str, number: str) -> tuple[bool, bool]:
    """Whether nobody pays for calls to this number, and whether its exchange is of the facility's list."""
    free = conn.scalar(
        select(special_number.c.free).where(
            special_number.c.facility_id == facility_id, special_number.c.number == number
        )
    )
    exchange = conn.scalar(
        select(local_exchange.c.exchange).where(
            local_exchange.c.facility_id == facility_id,
            local_exchange.c.exchange == _exchange(number),
        )
    )
    return bool(free), exchange is not None


def _exchange(number: str) -> str:
    """Area code and exchange of a number in E.164, where it has them."""
    return number.removeprefix("+1")[:6]


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What one inmate's facility knows of one number."""

    inmate_state: str
    has_recorded_name: bool
    allowed: bool
    records: bool
    blocked_by: str | None
    privileged: bool
    free: bool
    local: bool


def number_facts(conn: Connection, facility_id: str, inmate_key: int, number: str) -> NumberFacts:
    """The inmate's state and all lists that name this number, in one statement."""
    row = conn.execute(
        _NUMBER,
        {
            "facility_id": facility_id,
            "inmate_key": inmate_key,
            "number": number,
            "exchange": _exchange(number),
        },
    ).one()
    state, named, allowed, records, blocked_by, privileged, free, local = row
    return NumberFacts(
        state, named, allowed, records is not False, blocked_by, bool(privileged), bool(free), local
    )


def schedule_of(conn: Connection, facility_id: str) -> Schedule:
    """When the facility may call: one statement."""
    windows = conn.execute(_WINDOWS, {"facility_id": facility_id})
    return Schedule(
        [Window(day, time.fromisoformat(opens), time.fromisoformat(closes)) for day, opens, closes in windows]
    )
