"""The rules that a call meets at every level, read in one statement by index."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import (
    Connection,
    Date,
    Integer,
    Row,
    SmallInteger,
    String,
    bindparam,
    cast,
    literal,
    null,
    select,
    union_all,
)

from accounts.db import Instant
from ivr.facility import scopes
from ivr.facility.daily import appointment
from ivr.facility.lookup import Facility
from ivr.facility.tables import (
    blocked_number,
    call_limit,
    schedule_exception,
    schedule_window,
    switch,
    unrecorded,
)
from ivr.policy.level import Level
from ivr.policy.quantity import (
    MINUTE_MS,
    CallLimit,
    CallQuota,
    CoolingOff,
    Counted,
    DayKind,
    Each,
    From,
    LongestCall,
    MinuteQuota,
    Velocity,
)
from ivr.policy.request import BlockCause
from ivr.policy.schedule import Period, Schedule, Window
from rating.call_type import CallType
from rating.numbers import US_REGIONS, Dialled, Number

WINDOW, CLOSURE, OPENING, HOLIDAY, BLOCK = "window", "closure", "opening", "holiday", "block"
APPOINTMENT = "appointment"
UNRECORDED, SWITCH = "unrecorded", "switch"
#: The type of a number of another country.
INTERNATIONAL = "international"
#: The columns of the one statement; each table fills its own.
_COLUMNS: Final[Mapping[str, Any]] = {
    "kind": String,
    "scope": String,
    "day": SmallInteger,
    "opens": String,
    "closes": String,
    "starts_at": Instant,
    "ends_at": Instant,
    "most": Integer,
    "call_type": String,
    "days": String,
    "each": String,
    "within_minutes": Integer,
    "measured_from": String,
    "counted": String,
    "cause": String,
    "covers": String,
    "number": String,
    "valid_from": Date,
    "valid_to": Date,
}


def _columns(table: Any, **given: Any) -> list[Any]:
    return [
        given.get(name, table.c.get(name, cast(null(), kind))).label(name) for name, kind in _COLUMNS.items()
    ]


def _met(table: Any, **given: Any) -> Any:
    """The rows of a table that are set for one of the scopes, in the columns of all."""
    wanted = table.c.scope.in_(bindparam("scopes", expanding=True))
    return select(*_columns(table, **given)).where(table.c.facility_id == bindparam("facility_id"), wanted)


_LIVE_BLOCKS = _met(blocked_number, kind=literal(BLOCK)).where(
    blocked_number.c.lifted_at.is_(None), blocked_number.c.number.in_(bindparam("patterns", expanding=True))
)
_APPOINTMENTS = _met(appointment, kind=literal(APPOINTMENT)).where(
    appointment.c.cancelled_at.is_(None), appointment.c.ends_at > bindparam("at")
)
_OPEN_SWITCHES = select(*_columns(switch, kind=literal(SWITCH))).where(
    switch.c.ended_at.is_(None), switch.c.scope.in_(bindparam("switches", expanding=True))
)
_SETTINGS = union_all(
    _met(schedule_window, kind=literal(WINDOW)),
    _met(schedule_exception),
    _met(call_limit),
    _met(unrecorded, kind=literal(UNRECORDED)),
    _LIVE_BLOCKS,
    _APPOINTMENTS,
    _OPEN_SWITCHES,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the levels of one call have set."""

    schedules: Sequence[Schedule]
    limits: Sequence[CallLimit]
    holidays: frozenset[date]
    blocked_by: frozenset[BlockCause]
    unrecorded_at: frozenset[Level]
    switched_off: Level | None  # the widest
    appointments: Sequence[Period] = ()

    def agreed_until(self, at: datetime) -> datetime | None:
        """When the appointment ends that goes on at an instant."""
        return max((each.ends_at for each in self.appointments if each.holds(at)), default=None)


def settings_of(
    conn: Connection,
    facility: Facility,
    met: Sequence[str],
    dialled: Dialled,
    *,
    switches: Sequence[str],
    at: datetime,
) -> Settings:
    """The rules of the scopes that a call meets, at an instant; `switches` are those that it meets."""
    rows: dict[str, list[Row[Any]]] = defaultdict(list)
    asked = {
        "facility_id": facility.id,
        "scopes": met,
        "patterns": patterns(dialled),
        "switches": switches,
        "at": at,
    }
    for row in conn.execute(_SETTINGS, asked):
        rows[row.scope].append(row)
    local = at.astimezone(ZoneInfo(facility.time_zone))
    days_off = holidays_around(facility.state, local.date()) | _added_holidays(rows, local)
    by_scope = {scope: schedule_of(scope, rows[scope], days_off) for scope in met}
    limits = [limit for scope in met for limit in limits_of(rows[scope], local.date())]
    blocks = (row for scope in met for row in rows[scope] if row.kind == BLOCK)
    causes = frozenset(BlockCause(row.cause) for row in blocks if _blocks(row, dialled))
    agreed = [
        Period(row.starts_at, row.ends_at) for scope in met for row in rows[scope] if row.kind == APPOINTMENT
    ]
    silent = {scopes.level(scope) for scope in met for row in rows[scope] if row.kind == UNRECORDED}
    schedules = [each for each in by_scope.values() if each is not None]
    off = [row.scope for found in rows.values() for row in found if row.kind == SWITCH]
    widest = next((scopes.level(scope) for scope in switches if scope in off), None)
    return Settings(schedules, limits, days_off, causes, frozenset(silent), widest, agreed)


def patterns(dialled: Dialled) -> list[str]:
    """Everything a block may name to cover this number: it, its prefixes, its type."""
    if not isinstance(dialled, Number):
        return []
    prefixes = [dialled.e164[:length] for length in range(2, len(dialled.e164) + 1)]
    return [*prefixes, *_types(dialled)]


def _types(number: Number) -> list[str]:
    return [number.kind] if number.region in US_REGIONS else [number.kind, INTERNATIONAL]


def _blocks(row: Row[Any], dialled: Dialled) -> bool:
    """A block of one number covers no longer number that begins with it."""
    return row.covers != "number" or (isinstance(dialled, Number) and row.number == dialled.e164)


def holidays_around(state: str, day: date) -> frozenset[date]:
    """The state's public holidays of the years that a call on this day may meet."""
    years = {(day + timedelta(days=days)).year for days in (-1, 0, 9)}
    return frozenset().union(*(_holidays(state, year) for year in years))


@lru_cache(maxsize=256)
def _holidays(state: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("US", subdiv=state, years=year))


def _added_holidays(rows: dict[str, list[Row[Any]]], local: datetime) -> frozenset[date]:
    added = (row.starts_at for row in rows[scopes.FACILITY] if row.kind == HOLIDAY)
    return frozenset(starts_at.astimezone(local.tzinfo).date() for starts_at in added)


def schedule_of(scope: str, rows: Sequence[Row[Any]], days_off: frozenset[date]) -> Schedule | None:
    """The hours of one scope; None where it sets no limit. A facility without windows is never open."""
    windows = [
        Window(row.day, time.fromisoformat(row.opens), time.fromisoformat(row.closes))
        for row in rows
        if row.kind == WINDOW
    ]
    closures = [Period(row.starts_at, row.ends_at) for row in rows if row.kind == CLOSURE]
    openings = [Period(row.starts_at, row.ends_at) for row in rows if row.kind == OPENING]
    if not windows and not closures and scope != scopes.FACILITY:
        return None
    has_hours = windows or scope == scopes.FACILITY
    return Schedule(windows if has_hours else None, scopes.level(scope), closures, openings, days_off)


def limits_of(rows: Iterable[Row[Any]], on: date) -> list[CallLimit]:
    """The limits among rows that hold for calls of a local day."""
    found = ((row, _limit(row)) for row in rows)
    return [limit for row, limit in found if limit is not None and _is_valid(row, on)]


def _is_valid(row: Row[Any], on: date) -> bool:
    """Whether a row's dates, both inclusive, hold the day."""
    return (row.valid_from is None or row.valid_from <= on) and (row.valid_to is None or on <= row.valid_to)


def _limit(row: Row[Any]) -> CallLimit | None:
    """The limit that a row sets; None for a row of another table."""
    level = scopes.level(row.scope)
    match row.kind:
        case "longest_call":
            kind = CallType(row.call_type) if row.call_type else None
            return LongestCall(level, row.most * MINUTE_MS, kind, DayKind(row.days) if row.days else None)
        case "calls":
            return CallQuota(level, row.most, Each(row.each), Counted(row.counted))
        case "minutes":
            return MinuteQuota(level, row.most, Each(row.each), Counted(row.counted))
        case "cooling_off":
            return CoolingOff(level, row.most, From(row.measured_from), Counted(row.counted))
        case "attempts":
            return Velocity(level, row.most, row.within_minutes, Counted(row.counted))
    return None
