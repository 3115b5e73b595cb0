"""Look-ups by a call: each one statement, each by index."""

from dataclasses import dataclass
from datetime import time
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, select

from accounts.db import Prepared
from ivr.facility.tables import (
    allowed_number,
    blocked_number,
    facility,
    inmate,
    local_exchange,
    schedule_window,
    special_number,
    station,
)
from ivr.policy.schedule import Schedule, Window
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


_FACILITY_OF_STATION = Prepared(
    select(*(facility.c[name] for name in Facility.__dataclass_fields__))
    .join(station, station.c.facility_id == facility.c.id)
    .where(station.c.id == bindparam("station_id"))
)
_INMATE = Prepared(
    select(inmate.c.id, inmate.c.pin_hash, inmate.c.recorded_name.is_not(None).label("has_name")).where(
        inmate.c.facility_id == bindparam("facility_id"), inmate.c.inmate_id == bindparam("keyed")
    )
)
_NAME = Prepared(select(inmate.c.recorded_name).where(inmate.c.id == bindparam("inmate_key")))
_SPEED_DIAL = Prepared(
    select(allowed_number.c.number).where(
        allowed_number.c.inmate == bindparam("inmate_key"), allowed_number.c.speed_dial == bindparam("code")
    )
)
_NUMBER = Prepared(
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
_WINDOWS = Prepared(
    select(schedule_window.c.weekday, schedule_window.c.opens, schedule_window.c.closes).where(
        schedule_window.c.facility_id == bindparam("facility_id")
    )
)


def facility_of_station(conn: Connection, station_id: str) -> Facility | None:
    """The facility whose telephone this is; None for an unknown one."""
    row = _FACILITY_OF_STATION.row(conn, {"station_id": station_id})
    return Facility(*row) if row else None


def inmate_by_id(conn: Connection, facility_id: str, inmate_id: str) -> Row[Any] | None:
    """The inmate that keyed this ID; None for an unknown one."""
    return _INMATE.row(conn, {"facility_id": facility_id, "keyed": inmate_id})


def recorded_name(conn: Connection, inmate_key: int) -> bytes | None:
    """The inmate's name in their own voice; None until it was recorded."""
    name: bytes | None = _NAME.value(conn, {"inmate_key": inmate_key})
    return name


def number_of_speed_dial(conn: Connection, inmate_key: int, code: str) -> str | None:
    """The number behind an inmate's speed dial."""
    number: str | None = _SPEED_DIAL.value(conn, {"inmate_key": inmate_key, "code": code})
    return number


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
    row = _NUMBER.row(
        conn,
        {
            "facility_id": facility_id,
            "inmate_key": inmate_key,
            "number": number,
            "exchange": number.removeprefix("+1")[:6],
        },
    )
    assert row is not None  # inmates are never deleted
    state, named, allowed, records, blocked_by, privileged, free, local = row
    return NumberFacts(
        state, named, allowed, records is not False, blocked_by, bool(privileged), bool(free), local
    )


def schedule_of(conn: Connection, facility_id: str) -> Schedule:
    """When the facility may call: one statement."""
    windows = _WINDOWS.rows(conn, {"facility_id": facility_id})
    return Schedule(
        [Window(day, time.fromisoformat(opens), time.fromisoformat(closes)) for day, opens, closes in windows]
    )
