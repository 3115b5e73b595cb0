"""The rules that a call meets at every level, read in one statement by index."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import (
    Connection,
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
from ivr.facility.lookup import Facility
from ivr.facility.tables import schedule_exception, schedule_window
from ivr.policy.schedule import Period, Schedule, Window

WINDOW, CLOSURE, OPENING, HOLIDAY = "window", "closure", "opening", "holiday"
_NO_TEXT: Final = cast(null(), String(5))
_NO_INSTANT: Final = cast(null(), Instant)


def _met(table: Any) -> Any:
    """The rows of a table that are set for one of the scopes."""
    wanted = table.c.scope.in_(bindparam("scopes", expanding=True))
    return (table.c.facility_id == bindparam("facility_id")) & wanted


_SETTINGS = union_all(
    select(
        literal(WINDOW).label("kind"),
        schedule_window.c.scope,
        schedule_window.c.day,
        schedule_window.c.opens,
        schedule_window.c.closes,
        _NO_INSTANT.label("starts_at"),
        _NO_INSTANT.label("ends_at"),
    ).where(_met(schedule_window)),
    select(
        schedule_exception.c.kind,
        schedule_exception.c.scope,
        cast(null(), SmallInteger),
        _NO_TEXT,
        _NO_TEXT,
        schedule_exception.c.starts_at,
        schedule_exception.c.ends_at,
    ).where(_met(schedule_exception)),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the levels of one call have set."""

    schedules: Sequence[Schedule]
    holidays: frozenset[date]


def settings_of(conn: Connection, facility: Facility, met: Sequence[str], at: datetime) -> Settings:
    """The rules of the scopes that a call meets, at an instant."""
    rows: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in conn.execute(_SETTINGS, {"facility_id": facility.id, "scopes": met}):
        rows[row.scope].append(row)
    local = at.astimezone(ZoneInfo(facility.time_zone))
    days_off = holidays_around(facility.state, local.date()) | _added_holidays(rows, local)
    by_scope = {scope: _schedule(scope, rows[scope], days_off) for scope in met}
    return Settings([each for each in by_scope.values() if each is not None], days_off)


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


def _schedule(scope: str, rows: Sequence[Row[Any]], days_off: frozenset[date]) -> Schedule | None:
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
