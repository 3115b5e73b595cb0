"""Whether what stands in the database may be charged: every tariff and plan of a facility against the rules."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from ivr.facility.lookup import Facility, facility_by_id
from ivr.facility.scopes import FACILITY
from ivr.facility.tables import call_limit, facility, plan, schedule_window, tariff
from ivr.policy.quantity import Counted, Each
from ivr.policy.schedule import HOLIDAY
from rating.breach import Breach
from rating.call_type import IN_STATE, CallType
from rating.dated_table import Period
from rating.free_by_law import shares_between
from rating.lawful import breaches, unbilled
from rating.ordinary import lowest_cap_in_state, ordinary_minute
from rating.plans import SECTION, FacilityLimits, Plan, Quota
from rating.plans import breaches as plan_breaches
from rating.prices import Tariff, tariff_at
from rating.tariff_file import TariffFileError, parse_tariff

MINUTES_OF_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Found:
    """A rule that a tariff or plan breaks."""

    kind: Literal["tariff", "plan"]
    name: str  # its id
    breach: Breach

    def __str__(self) -> str:
        return f"{self.name}: {self.breach}"


def breaches_at(
    conn: Connection, facility_id: str, at: datetime, *, new: Collection[str] = ()
) -> Iterator[Found]:
    """Every rule that a tariff or plan of the facility breaks on a day that is not over at `at`.

    Tariffs of the ids in `new` are looked at from their first day on. A plan is measured against every tariff that
    holds, or will. Raises LookupError for a facility that there is not.
    """
    place = facility_by_id(conn, facility_id)
    if place is None:
        raise LookupError(facility_id)
    today = local_day(place, at)
    tariffs = list(tariffs_of(conn, place))
    for each in tariffs:
        since = None if each.id in new else today
        yield from (Found("tariff", each.id, breach) for breach in breaches(each, place.site, since))
    limits = FacilityLimits(
        place.longest_call_ms // 60_000,
        _open_minutes_a_week(conn, facility_id),
        calls=_quota(conn, facility_id, "calls"),
        minutes=_quota(conn, facility_id, "minutes"),
    )
    for row in conn.execute(select(plan).where(plan.c.facility_id == facility_id).order_by(plan.c.id)):
        found = _plan_breaches(Plan(row.price, row.calls), tariffs, today, place, limits)
        yield from (Found("plan", row.id, breach) for breach in found)


def alerts(conn: Connection, at: datetime) -> list[str]:
    """What is found at every facility, a line each: a cap or a population may have changed since the tariff came in."""
    found = [f"{each}: {breach}" for each in _facilities(conn) for breach in _told(conn, each, at)]
    return list(dict.fromkeys(found))


def _told(conn: Connection, facility_id: str, at: datetime) -> Iterator[object]:
    """What is found, or why it can't be: a tariff that an earlier version took may be one no longer."""
    try:
        yield from breaches_at(conn, facility_id, at)
    except TariffFileError as mistake:
        yield mistake


def unbilled_calls(conn: Connection, at: datetime) -> list[str]:
    """A line for each facility, tariff and law by which calls are free that have no rate: nobody is billed for them."""
    lines = []
    for each in _facilities(conn):
        place = facility_by_id(conn, each)
        assert place is not None
        today = local_day(place, at)
        lives = [(tariff, tariff.life_from(today)) for tariff in tariffs_of(conn, place)]
        held = [(tariff.id, tariff.unpriced(), days) for tariff, days in lives if days is not None]
        for name, unpriced, days in held or [("no tariff", list(CallType), Period(today))]:
            lines += [f"{each}: {name}: {sentence}" for sentence in unbilled(unpriced, place.site, days)]
    return lines


def local_day(place: Facility, at: datetime) -> date:
    """The day at the facility."""
    return at.astimezone(ZoneInfo(place.time_zone)).date()


def tariffs_of(conn: Connection, place: Facility) -> Iterator[Tariff]:
    """Every tariff of a facility, the earliest first."""
    held = select(tariff.c.id, tariff.c.text).where(tariff.c.facility_id == place.id)
    for tariff_id, text in conn.execute(held.order_by(tariff.c.valid_from)):
        yield tariff_at(parse_tariff(text, tariff_id), ZoneInfo(place.time_zone))


def _plan_breaches(
    offered: Plan, tariffs: Collection[Tariff], today: date, place: Facility, limits: FacilityLimits
) -> Iterator[Breach]:
    """A plan has no end of its own: it is measured from today on, by the life of each tariff with prices for it."""
    measured = False
    for each in tariffs:
        days = each.life_from(today)
        if days is None:
            continue
        ordinary = ordinary_minute(each, place.site, days, limits.longest_call_minutes)
        if free := free_by_law_since(place, days):
            yield free
        elif ordinary is not None:
            allowed = lowest_cap_in_state(place.site, days)
            yield from plan_breaches(offered, per_minute=ordinary, cap=allowed, facility=limits)
        measured |= ordinary is not None or free is not None
    if not measured:
        yield from plan_breaches(offered, per_minute=None, cap=None, facility=limits)


def free_by_law_since(place: Facility, days: Period) -> Breach | None:
    """Why no plan of the facility ever pays on some of the days; None where its calls cost something on all."""
    for kind in IN_STATE:
        for day, share in shares_between(days, place.site, kind):
            if share.is_free:
                sentence = f"From {day} calls are free by law ({share.law}), so the plan never pays ({SECTION}(b)(1))."
                return Breach("plan-free-by-law", sentence, day)
    return None


def _facilities(conn: Connection) -> list[str]:
    return list(conn.scalars(select(facility.c.id).order_by(facility.c.id)))


def _open_minutes_a_week(conn: Connection, facility_id: str) -> int:
    """For how many minutes of a week the schedule is open; windows that overlap count once."""
    rows = conn.execute(
        select(schedule_window.c.day, schedule_window.c.opens, schedule_window.c.closes).where(
            schedule_window.c.facility_id == facility_id,
            schedule_window.c.scope == FACILITY,
            schedule_window.c.day != HOLIDAY,
        )
    )
    open_at: set[int] = set()
    for weekday, opens, closes in rows:
        first, last = _minute(opens), _minute(closes)
        length = (last - first - 1) % MINUTES_OF_A_DAY + 1  # a window may run over midnight
        begins = weekday * MINUTES_OF_A_DAY + first
        open_at.update(minute % (7 * MINUTES_OF_A_DAY) for minute in range(begins, begins + length))
    return len(open_at)


def _quota(conn: Connection, facility_id: str, kind: str) -> Quota:
    """The most calls or minutes that the facility gives each inmate in a day, a week and a month."""
    rows = conn.execute(
        select(call_limit.c.each, func.min(call_limit.c.most))
        .where(
            call_limit.c.facility_id == facility_id,
            call_limit.c.scope == FACILITY,
            call_limit.c.kind == kind,
            call_limit.c.counted == Counted.INMATE,
        )
        .group_by(call_limit.c.each)
    )
    most: dict[str, int] = {row.each: row[1] for row in rows}
    return Quota(most.get(Each.DAY), most.get(Each.WEEK), most.get(Each.MONTH))


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
