from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rating.money import Money
from rating.price import Price, charge
from rating.tariff import Rate, Step, simple_rate
from rating.timetable import EVERY_DAY, HOLIDAY, Entry, Timetable, always
from tests.rating.tariffs import US_ZONES, random_start, random_talk_ms

LOADED_MACHINE = [HealthCheck.too_slow]
HOUR_MS = 3_600_000
NEW_YORK = ZoneInfo("America/New_York")
DAY, NIGHT, FEAST = (simple_rate(Money(price)) for price in (20_000, 10_000, 1_000))
WEEKDAYS, WEEKEND = frozenset({1, 2, 3, 4, 5}), frozenset({6, 7})
WEEK = (Entry(WEEKDAYS, time(8), DAY), Entry(WEEKDAYS, time(18), NIGHT), Entry(WEEKEND, time(0), NIGHT))


def rates_at(timetable: Timetable, *walls: str) -> list[Rate]:
    return [timetable.rate_at(datetime.fromisoformat(wall).replace(tzinfo=timetable.zone)) for wall in walls]


def test_each_entry_holds_until_the_next_starts_over_midnight_and_the_weeks_end() -> None:
    walls = (
        "2026-05-20T07:59:59",
        "2026-05-20T08:00",
        "2026-05-20T18:00",
        "2026-05-25T07:59",
        "2026-05-25T08:00",
    )
    assert rates_at(Timetable(WEEK, NEW_YORK), *walls) == [NIGHT, DAY, NIGHT, NIGHT, DAY]


def test_one_entry_a_week_holds_all_week() -> None:
    assert rates_at(Timetable((Entry(frozenset({3}), time(9), DAY),), NEW_YORK), "2026-05-20T08:00") == [DAY]


def test_on_a_holiday_only_its_own_entries_start() -> None:
    week = Timetable(
        (*WEEK, Entry(frozenset({HOLIDAY}), time(9), FEAST)), NEW_YORK, frozenset({date(2026, 5, 20)})
    )
    walls = (
        "2026-05-20T08:30",
        "2026-05-20T09:00",
        "2026-05-20T19:00",
        "2026-05-21T07:00",
        "2026-05-21T08:00",
    )
    assert rates_at(week, *walls) == [NIGHT, FEAST, FEAST, FEAST, DAY]


def test_without_entries_for_holidays_a_holiday_is_a_day_like_others() -> None:
    week = Timetable(WEEK, NEW_YORK, frozenset({date(2026, 5, 20)}))
    assert rates_at(week, "2026-05-20T08:00") == [DAY]


def test_a_weekly_entry_that_falls_on_a_holiday_leaves_the_feast_in_force_for_the_week() -> None:
    entries = (Entry(frozenset({1}), time(0), DAY), Entry(frozenset({HOLIDAY}), time(0), FEAST))
    week = Timetable(entries, NEW_YORK, frozenset({date(2026, 5, 18)}))
    assert rates_at(week, "2026-05-17T12:00", "2026-05-18T12:00", "2026-05-24T23:59") == [DAY, FEAST, FEAST]


def test_a_call_is_cut_where_the_rate_changes_and_nowhere_else() -> None:
    saturday = datetime(2026, 5, 22, 17, 30, tzinfo=NEW_YORK)
    parts = Timetable(WEEK, NEW_YORK).parts(saturday, 48 * HOUR_MS)
    assert [(part.rate, part.offset_ms) for part in parts] == [(DAY, 0), (NIGHT, HOUR_MS // 2)]
    assert sum(part.length_ms for part in parts) == 48 * HOUR_MS


def test_fractions_of_a_second_stay_exact_to_the_millisecond() -> None:
    start = datetime(2026, 5, 20, 17, 59, 59, 123_999, tzinfo=NEW_YORK)
    assert Timetable(WEEK, NEW_YORK).parts(start, 2_000)[1].offset_ms == 877


def test_a_change_of_rate_begins_a_new_increment() -> None:
    price = Price(Timetable(WEEK, NEW_YORK))
    charged = charge(price, datetime(2026, 5, 20, 17, 59, 30, tzinfo=NEW_YORK), 60_000)
    assert (charged.billed_seconds, charged.amount) == (120, 30_000)


def test_the_step_is_that_of_the_seconds_since_the_talk_began() -> None:
    cheaper = Rate((Step(0, Money(60), 60, 60), Step(600, Money(6), 60, 60)))
    week = Timetable((Entry(EVERY_DAY, time(0), DAY), Entry(EVERY_DAY, time(18), cheaper)), NEW_YORK)
    start = datetime(2026, 5, 20, 17, 55, tzinfo=NEW_YORK)
    assert charge(Price(week), start, 15 * 60_000).amount == 5 * 20_000 + 5 * 60 + 5 * 6


def test_fees_and_rounding_are_those_of_the_beginning() -> None:
    with_fee = Rate(NIGHT.steps, connect_fee=Money(500_000))
    week = Timetable((Entry(EVERY_DAY, time(8), DAY), Entry(EVERY_DAY, time(18), with_fee)), NEW_YORK)
    start = datetime(2026, 5, 20, 17, 59, tzinfo=NEW_YORK)
    assert charge(Price(week), start, 120_000).amount == 30_000
    assert charge(Price(week), start + timedelta(minutes=1), 120_000).amount == 520_000


@pytest.mark.parametrize("zone", US_ZONES)
@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
@pytest.mark.parametrize("start", [time(1), time(1, 30), time(2), time(2, 30), time(3)])
def test_a_start_about_a_clock_change_is_one_instant_and_the_hours_that_passed_are_charged(
    zone: str, day: date, start: time
) -> None:
    zone_info = ZoneInfo(zone)
    week = Timetable((Entry(EVERY_DAY, time(0), NIGHT), Entry(EVERY_DAY, start, DAY)), zone_info)
    midnight = datetime.combine(day, time(0), zone_info)
    passed_ms = (
        datetime.combine(day, time(12), zone_info).astimezone(UTC) - midnight.astimezone(UTC)
    ) // timedelta(milliseconds=1)
    changes = zone_info.utcoffset(midnight) != zone_info.utcoffset(midnight.replace(hour=12))
    assert changes == (
        zone not in ("America/Phoenix", "Pacific/Honolulu", "America/Puerto_Rico", "Pacific/Guam")
    )
    night, by_day = week.parts(midnight, passed_ms)
    after_midnight = timedelta(hours=start.hour, minutes=start.minute)
    if changes and day.month == 3 and start >= time(3):
        after_midnight -= timedelta(hours=1)
    if changes and day.month == 11 and start >= time(2):
        after_midnight += timedelta(hours=1)
    assert night.length_ms == after_midnight // timedelta(milliseconds=1)
    assert night.length_ms + by_day.length_ms == passed_ms


def test_a_start_that_is_repeated_does_not_start_again() -> None:
    week = Timetable((Entry(EVERY_DAY, time(0), NIGHT), Entry(EVERY_DAY, time(1, 30), DAY)), NEW_YORK)
    start = datetime(2026, 11, 1, 1, 0, tzinfo=NEW_YORK)
    assert [part.offset_ms for part in week.parts(start, 2 * HOUR_MS)] == [0, HOUR_MS // 2]
    second_time = datetime(2026, 11, 1, 1, 0, fold=1, tzinfo=NEW_YORK)
    assert week.rate_at(second_time) == DAY


def test_a_skipped_start_gives_way_to_a_later_one_that_holds_by_then() -> None:
    entries = ((time(0), NIGHT), (time(2, 30), FEAST), (time(3), DAY))
    week = Timetable(tuple(Entry(EVERY_DAY, start, rate) for start, rate in entries), NEW_YORK)
    start = datetime(2026, 3, 8, 1, 59, tzinfo=NEW_YORK)
    assert [part.rate for part in week.parts(start, 2 * HOUR_MS)] == [NIGHT, DAY]


@settings(max_examples=500, deadline=None, suppress_health_check=LOADED_MACHINE)
@given(st.randoms(use_true_random=False))
def test_cutting_a_call_at_a_change_of_rate_changes_its_price_by_no_more_than_a_rounding(
    chance: Random,
) -> None:
    starts = (
        (WEEKDAYS, time(chance.randint(0, 23), chance.randint(0, 58))),
        (WEEKEND, time(chance.randint(0, 23), chance.randint(0, 58))),
        (EVERY_DAY, time(chance.randint(0, 23), 59, 1)),
    )
    entries = tuple(Entry(days, start, one_step(chance)) for days, start in starts)
    week = Timetable(entries, ZoneInfo(chance.choice(US_ZONES)))
    start, talk_ms = random_start(chance, week.zone), max(1, 12 * random_talk_ms(chance))
    whole = charge(Price(week), start, talk_ms)
    parts = week.parts(start, talk_ms)
    alone = [
        charge(Price(always(part.rate)), start + timedelta(milliseconds=part.offset_ms), part.length_ms)
        for part in parts
    ]
    assert whole.billed_seconds == sum(each.billed_seconds for each in alone)
    assert 0 <= whole.amount - sum(each.amount for each in alone) < len(parts)


def one_step(chance: Random) -> Rate:
    return Rate(
        (Step(0, Money(chance.randint(0, 500_000)), chance.choice((1, 7, 60)), chance.choice((1, 6, 60))),)
    )


def test_a_capped_week_has_no_rate_above_the_cap() -> None:
    capped = Timetable(WEEK, NEW_YORK).capped(Money(10_000))
    assert capped.same_always
    assert {entry.rate for entry in capped.entries} == {NIGHT}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ((), "an entry for a day of the week"),
        ((Entry(frozenset({HOLIDAY}), time(0), DAY),), "an entry for a day of the week"),
        ((Entry(EVERY_DAY, time(0), DAY), Entry(WEEKEND, time(0), NIGHT)), "same day at the same time"),
    ],
)
def test_a_week_with_gaps_or_overlaps_is_refused(entries: tuple[Entry, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Timetable(entries, NEW_YORK)


@pytest.mark.parametrize(
    ("days", "start"),
    [
        (frozenset(), time(0)),
        (frozenset({8}), time(0)),
        (EVERY_DAY, time(0, 0, 0, 1)),
        (EVERY_DAY, time(0, tzinfo=UTC)),
    ],
)
def test_an_entry_that_never_starts_or_not_on_the_second_is_refused(
    days: frozenset[int], start: time
) -> None:
    with pytest.raises(ValueError, match="an entry starts"):
        Entry(days, start, DAY)
