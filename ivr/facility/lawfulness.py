"""Whether what stands in the database may be charged: every tariff and plan of a facility against the rules."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from ivr.facility.lookup import Facility, facility_by_id
from ivr.facility.scopes import FACILITY
from ivr.facility.tables import call_limit, facility, plan, schedule_window, tariff
from ivr.policy.quantity import Counted, Each
from ivr.policy.schedule import HOLIDAY
from rating.breach import Breach
from rating.call_type import CallType
from rating.dated_table import Period
from rating.lawful import breaches, cheapest_minute, lowest_cap
from rating.money import Money
from rating.plans import FacilityLimits, Plan, Quota
from rating.plans import breaches as plan_breaches
from rating.prices import Tariff, tariff_at
from rating.tariff_file import parse_tariff

#: What a subscription covers.
IN_STATE = (CallType.LOCAL, CallType.INTRASTATE)
MINUTES_OF_A_DAY = 24 * 60


def breaches_at(conn: Connection, facility_id: str) -> Iterator[tuple[str, Breach]]:
    """Every rule that a tariff or plan of the facility breaks on some day of its life, with the tariff's or plan's id.

    Raises LookupError for a facility that there is not.
    """
    place = facility_by_id(conn, facility_id)
    if place is None:
        raise LookupError(facility_id)
    tariffs = list(tariffs_of(conn, place))
    for each in tariffs:
        yield from ((each.id, breach) for breach in breaches(each, place.site))
    limits = FacilityLimits(
        place.longest_call_ms // 60_000,
        _open_minutes_a_week(conn, facility_id),
        calls=_quota(conn, facility_id, "calls"),
        minutes=_quota(conn, facility_id, "minutes"),
    )
    for row in conn.execute(select(plan).where(plan.c.facility_id == facility_id).order_by(plan.c.id)):
        for each in tariffs:
            found = _plan_breaches(Plan(row.price, row.calls), each, place, limits)
            yield from ((row.id, breach) for breach in found)


def alerts(conn: Connection) -> list[str]:
    """What is found at every facility, a line each: a cap or a population may have changed since the tariff came in."""
    ids = conn.scalars(select(facility.c.id).order_by(facility.c.id)).all()
    found = [f"{each}: {name}: {breach}" for each in ids for name, breach in breaches_at(conn, each)]
    return list(dict.fromkeys(found))


def tariffs_of(conn: Connection, place: Facility) -> Iterator[Tariff]:
    """Every tariff of a facility, the earliest first."""
    held = select(tariff.c.id, tariff.c.text).where(tariff.c.facility_id == place.id)
    for tariff_id, text in conn.execute(held.order_by(tariff.c.valid_from)):
        yield tariff_at(parse_tariff(text, tariff_id), ZoneInfo(place.time_zone))


def _plan_breaches(
    offered: Plan, prices: Tariff, place: Facility, limits: FacilityLimits
) -> Iterator[Breach]:
    allowed = lowest_cap(place.site, CallType.INTRASTATE, Period(prices.valid_from, prices.valid_to))
    yield from plan_breaches(offered, per_minute=ordinary_minute(prices), cap=allowed, facility=limits)


def ordinary_minute(prices: Tariff) -> Money:
    """The least that a minute costs of the calls that a subscription covers; 0 where the tariff has none."""
    covered = [row.timetable for row, call_type in prices.rows() if call_type in IN_STATE]
    return min(map(cheapest_minute, covered), default=Money(0))


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
