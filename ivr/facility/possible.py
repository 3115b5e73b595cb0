"""What a facility's settings leave each inmate of a day, and where that is less than a law gives them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, literal, or_, select

from ivr.facility import scopes
from ivr.facility.lookup import Facility, facility_by_id
from ivr.facility.settings import HOLIDAY, WINDOW, holidays_around, limits_of, schedule_of
from ivr.facility.tables import (
    call_limit,
    facility,
    inmate,
    schedule_exception,
    schedule_window,
    station,
    switch,
)
from ivr.policy.level import Level
from ivr.policy.possible import FOREVER, Telephone, possible_minutes, within_reach
from ivr.policy.quantity import CallLimit
from ivr.policy.request import InmateState
from ivr.policy.schedule import Period, Schedule
from rating.free_by_law import agency_share

GONE = (InmateState.RELEASED, InmateState.TRANSFERRED)
DAYS_AHEAD = 7


@dataclass(frozen=True, slots=True)
class Entitled:
    """What each person is to be given each day, by which law."""

    minutes: int
    law: str


def entitled_on(place: Facility, on: date) -> Entitled | None:
    """What the law gives each person of the facility on a local day; None where no law is known."""
    share = agency_share(place.site, on)
    if share is None or share.minutes_a_day is None:
        return None
    return Entitled(share.minutes_a_day, share.law)


@dataclass(slots=True)
class Possible:
    """The minutes that settings leave, worked out once for all inmates with the same ones."""

    place: Facility
    _rules: dict[str, list[Row[Any]]]
    _off: dict[str, list[Period]]  # by the scope of the switch
    _telephones: Sequence[Row[Any, Any]]
    _known: dict[tuple[str | None, int | None, date], int] = field(default_factory=dict)

    @classmethod
    def read(cls, conn: Connection, place: Facility, since: date) -> "Possible":
        """The settings of a facility as they stand, and what was switched off when, from a local day on."""
        rules: dict[str, list[Row[Any]]] = defaultdict(list)
        windows = select(schedule_window, literal(WINDOW).label("kind"))
        wanted = ((schedule_window, windows), (schedule_exception, select(schedule_exception)))
        for table, asked in (*wanted, (call_limit, select(call_limit))):
            for row in conn.execute(asked.where(table.c.facility_id == place.id)):
                rules[row.scope].append(row)
        off: dict[str, list[Period]] = defaultdict(list)
        begins = datetime.combine(since, time(0), ZoneInfo(place.time_zone))
        later = or_(switch.c.ended_at.is_(None), switch.c.ended_at > begins)
        for row in conn.execute(select(switch).where(later)):
            if row.ended_at is None or row.ended_at > row.thrown_at:
                off[row.scope].append(Period(row.thrown_at, row.ended_at or FOREVER))
        its = select(station.c.id, station.c.unit_id).where(station.c.facility_id == place.id)
        telephones = conn.execute(its.where(station.c.intake.is_(False)).order_by(station.c.id)).all()
        return cls(place, dict(rules), dict(off), telephones)

    def group(self, unit_id: str | None, key: int) -> tuple[str | None, int | None]:
        """Inmates of one group have the same settings: their unit's, and perhaps their own."""
        return unit_id, key if scopes.inmate(key) in self._rules else None

    def minutes(self, group: tuple[str | None, int | None], on: date) -> int:
        """The most that somebody of the group can talk on a local day."""
        place = (*group, on)
        if place not in self._known:
            self._known[place] = self._minutes(group, on)
        return self._known[place]

    def _minutes(self, group: tuple[str | None, int | None], on: date) -> int:
        unit_id, key = group
        zone = ZoneInfo(self.place.time_zone)
        days_off = holidays_around(self.place.state, on) | {
            row.starts_at.astimezone(zone).date()
            for row in self._rules.get(scopes.FACILITY, ())
            if row.kind == HOLIDAY
        }
        set_by = partial(self._set_by, on=on, days_off=days_off)
        met = [scopes.AGENCY, scopes.FACILITY, *([scopes.unit(unit_id)] if unit_id is not None else [])]
        met += [scopes.inmate(key)] if key is not None else []
        units = {unit_id}
        switches = scopes.switches_of(
            agency_id=self.place.agency_id, facility_id=self.place.id, units=units, station_id=None
        )
        schedules, limits = set_by(met, switches)
        telephones = [Telephone(*set_by(*each)) for each in self._in_reach(unit_id)]
        return possible_minutes(
            schedules, limits, self.place.longest_call_ms, on, zone, telephones=telephones
        )

    def _in_reach(self, unit_id: str | None) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """The rules and switches of each telephone that somebody of the unit can use, the same ones once."""
        named = [(row.unit_id, row) for row in self._telephones]
        found: dict[tuple[tuple[str, ...], tuple[str, ...]], None] = {}
        for row in within_reach(unit_id, named):
            own = scopes.station(row.id)
            met = [own] if own in self._rules else []
            switches = [each for each in [scopes.switch(Level.STATION, row.id)] if each in self._off]
            if row.unit_id not in (None, unit_id):  # what their own unit sets holds anyway
                met.append(scopes.unit(row.unit_id))
                switches.append(scopes.switch(Level.UNIT, self.place.id, row.unit_id))
            found[tuple(met), tuple(switches)] = None
        return list(found)

    def _set_by(
        self, met: Iterable[str], switches: Iterable[str], *, on: date, days_off: frozenset[date]
    ) -> tuple[list[Schedule], list[CallLimit]]:
        """The hours and limits of these scopes; while one of these switches is off, nobody calls."""
        schedules = [schedule_of(scope, self._rules.get(scope, ()), days_off) for scope in met]
        limits = [limit for scope in met for limit in limits_of(self._rules.get(scope, ()), on)]
        off = [Schedule(None, closures=self._off[each]) for each in switches if each in self._off]
        known = [each for each in schedules if each is not None]
        return [*known, *off], limits


def people(conn: Connection, facility_id: str) -> Sequence[Row[Any, Any, Any, Any]]:
    """Everybody who is there, by ID."""
    there = inmate.c.state.not_in(GONE)
    wanted = select(inmate.c.id, inmate.c.inmate_id, inmate.c.unit_id, inmate.c.state).where(
        inmate.c.facility_id == facility_id, there
    )
    return conn.execute(wanted.order_by(inmate.c.inmate_id)).all()


def shortfalls(conn: Connection, facility_id: str, at: datetime, *, days_back: int = 0) -> Iterator[str]:
    """A line for each group of inmates to whom settings leave less than a law gives on one of the next seven days.

    With `days_back` also on one of so many days that are over, with what was switched off then.
    """
    place = facility_by_id(conn, facility_id)
    assert place is not None
    today = at.astimezone(ZoneInfo(place.time_zone)).date()
    days = [
        (day, entitled_on(place, day))
        for day in (today + timedelta(days=n) for n in range(-days_back, DAYS_AHEAD))
    ]
    if all(entitled is None for _, entitled in days):
        return
    possible = Possible.read(conn, place, days[0][0])
    groups: dict[tuple[str | None, int | None], str] = {}
    for row in people(conn, facility_id):
        group = possible.group(row.unit_id, row.id)
        alone = f"inmate {row.inmate_id}" if group[1] is not None else None
        groups.setdefault(group, alone or f"inmates of {row.unit_id or 'no unit'}")
    for group, name in groups.items():
        for day, entitled in days:
            if entitled is not None and (minutes := possible.minutes(group, day)) < entitled.minutes:
                gives = f"the law gives each person {entitled.minutes} a day ({entitled.law})"
                so = "were" if day < today else "are"
                yield f"{name}: {minutes} minutes {so} possible on {day}: {gives}"
                break


def alerts(conn: Connection, at: datetime) -> list[str]:
    """The shortfalls of every facility."""
    ids = list(conn.scalars(select(facility.c.id).order_by(facility.c.id)))
    return [f"{each}: {line}" for each in ids for line in shortfalls(conn, each, at)]
