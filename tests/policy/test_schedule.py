"""Calling hours in local time: over midnight, holidays, closures, and both clock changes in every US zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.policy.schedule import HOLIDAY, LONGER_THAN_A_CALL, Period, Schedule, Window, instant

NEW_YORK = ZoneInfo("America/New_York")
ALL_DAY = Schedule([Window(day, time(0), time(0)) for day in range(7)])


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK, fold=fold)


def left(schedule: Schedule, at: datetime) -> timedelta | None:
    until = schedule.open_until(at)
    return until - at.astimezone(UTC) if until else None


def test_closed_before_and_after_a_window_and_at_its_end() -> None:
    monday = Schedule([Window(0, time(8), time(20))])
    assert left(monday, local("2026-11-23 07:59:59")) is None
    assert left(monday, local("2026-11-23 08:00")) == timedelta(hours=12)
    assert left(monday, local("2026-11-23 20:00")) is None
    assert left(monday, local("2026-11-24 12:00")) is None


def test_a_window_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    friday_night = Schedule([Window(4, time(22), time(2))])
    assert left(friday_night, local("2026-11-27 23:00")) == timedelta(hours=3)
    assert left(friday_night, local("2026-11-28 01:30")) == timedelta(minutes=30)
    assert left(friday_night, local("2026-11-27 01:30")) is None


def test_windows_that_touch_are_one() -> None:
    split = Schedule([Window(0, time(8), time(12)), Window(0, time(12), time(17))])
    assert left(split, local("2026-11-23 11:00")) == timedelta(hours=6)


def test_an_always_open_schedule_is_open_for_more_than_any_call() -> None:
    remaining = left(ALL_DAY, local("2026-11-23 11:00"))
    assert remaining is not None
    assert remaining >= timedelta(hours=28)


def test_an_empty_schedule_is_never_open() -> None:
    assert Schedule([]).open_until(local("2026-11-23 11:00")) is None


@pytest.mark.parametrize(
    ("at", "fold", "hours"),
    [
        ("2027-03-14 01:30", 0, 2.5),  # 02:00 to 03:00 does not exist
        ("2026-11-01 00:30", 0, 5.5),  # 01:00 to 02:00 comes twice
        ("2026-11-01 01:30", 0, 4.5),
        ("2026-11-01 01:30", 1, 3.5),
    ],
)
def test_clock_changes_make_windows_shorter_and_longer(at: str, fold: int, hours: float) -> None:
    night = Schedule([Window(6, time(0), time(5))])
    assert left(night, local(at, fold)) == timedelta(hours=hours)


def test_a_window_that_opens_or_closes_in_the_skipped_hour_does_so_at_the_change() -> None:
    early = Schedule([Window(6, time(2, 30), time(5))])
    assert left(early, local("2027-03-14 01:59")) is None
    assert left(early, local("2027-03-14 03:00")) == timedelta(hours=2)
    for closes in (time(2), time(2, 55), time(3)):
        assert left(Schedule([Window(6, time(1, 30), closes)]), local("2027-03-14 01:30")) == timedelta(
            minutes=30
        )
    assert left(Schedule([Window(6, time(2, 10), time(2, 50))]), local("2027-03-14 03:00")) is None


def test_a_window_that_closes_in_the_repeated_hour_closes_at_its_first_coming() -> None:
    early = Schedule([Window(6, time(0), time(1, 30))])
    assert left(early, local("2026-11-01 01:29", fold=0)) == timedelta(minutes=1)
    assert left(early, local("2026-11-01 01:29", fold=1)) is None


CHRISTMAS = date(2026, 12, 25)  # a Friday
WEEKDAYS = [Window(day, time(8), time(20)) for day in range(7)]


def dated(first: str, last: str) -> Period:
    return Period(local(first).astimezone(UTC), local(last).astimezone(UTC))


def test_on_a_holiday_the_windows_of_holidays_hold_in_place_of_the_weekdays() -> None:
    short = Schedule([*WEEKDAYS, Window(HOLIDAY, time(12), time(14))], holidays=frozenset({CHRISTMAS}))
    assert left(short, local("2026-12-25 09:00")) is None
    assert left(short, local("2026-12-25 12:30")) == timedelta(minutes=90)
    assert left(short, local("2026-12-26 09:00")) == timedelta(hours=11)


def test_where_no_window_is_for_holidays_they_are_days_like_others() -> None:
    schedule = Schedule(WEEKDAYS, holidays=frozenset({CHRISTMAS}))
    assert left(schedule, local("2026-12-25 09:00")) == timedelta(hours=11)


def test_a_holiday_window_over_midnight_runs_into_the_next_day() -> None:
    late = Schedule([*WEEKDAYS, Window(HOLIDAY, time(22), time(2))], holidays=frozenset({CHRISTMAS}))
    assert left(late, local("2026-12-26 01:00")) == timedelta(hours=1)


def test_a_closure_ends_calling_and_an_opening_adds_to_it() -> None:
    schedule = Schedule(
        WEEKDAYS,
        closures=[dated("2026-11-23 10:00", "2026-11-23 11:00")],
        openings=[
            dated("2026-11-23 20:00", "2026-11-23 21:30"),
            dated("2026-11-23 10:30", "2026-11-23 10:45"),
        ],
    )
    assert left(schedule, local("2026-11-23 09:00")) == timedelta(hours=1)
    assert left(schedule, local("2026-11-23 10:30")) is None
    assert left(schedule, local("2026-11-23 11:00")) == timedelta(hours=10, minutes=30)
    assert left(schedule, local("2026-11-23 21:30")) is None


def test_without_hours_of_its_own_a_level_closes_only_for_its_closures() -> None:
    free = Schedule(None, closures=[dated("2026-11-24 10:00", "2026-11-24 11:00")])
    assert left(free, local("2026-11-23 10:00")) == timedelta(days=1)
    assert left(free, local("2026-11-24 10:00")) is None
    remaining = left(free, local("2026-11-24 11:00"))
    assert remaining is not None
    assert remaining >= timedelta(hours=28)


US_ZONES = (
    "America/New_York",
    "America/Detroit",
    "America/Indiana/Indianapolis",
    "America/Kentucky/Louisville",
    "America/Chicago",
    "America/Indiana/Tell_City",
    "America/North_Dakota/Center",
    "America/Denver",
    "America/Boise",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Juneau",
    "America/Metlakatla",
    "America/Nome",
    "America/Adak",
    "America/Puerto_Rico",
    "America/St_Thomas",
    "Pacific/Honolulu",
    "Pacific/Guam",
    "Pacific/Saipan",
    "Pacific/Pago_Pago",
)


def transitions(zone: ZoneInfo) -> list[datetime]:
    """The instants from 2024 to 2037 at which the zone's offset changes, to the minute."""
    found = []
    day = datetime(2024, 1, 1, tzinfo=UTC)
    while day.year < 2038:
        following = day + timedelta(days=1)
        if day.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            minute = day
            while minute.astimezone(zone).utcoffset() == day.astimezone(zone).utcoffset():
                minute += timedelta(minutes=1)
            found.append(minute)
        day = following
    return found


TRANSITIONS = {name: transitions(ZoneInfo(name)) for name in US_ZONES}


def test_zones_change_their_clocks_twice_a_year_or_never() -> None:
    assert {len(instants) for instants in TRANSITIONS.values()} == {0, 28}


@pytest.mark.parametrize("zone", [name for name in US_ZONES if TRANSITIONS[name]])
def test_around_every_clock_change_an_earlier_local_time_is_never_a_later_instant(zone: str) -> None:
    for change in TRANSITIONS[zone]:
        midnight = datetime.combine(change.astimezone(ZoneInfo(zone)).date(), time(0), ZoneInfo(zone))
        naive = midnight.replace(tzinfo=None)
        quarters = [(naive + timedelta(minutes=15 * n)).replace(tzinfo=ZoneInfo(zone)) for n in range(96)]
        meant = [instant(each) for each in quarters]
        assert meant == sorted(meant)
        assert meant == [first_shown(each) for each in quarters]
        opens = time(1, 30)
        ends = [
            Window(naive.weekday(), opens, closes.time()).on(naive.date(), midnight).ends_at
            for closes in quarters
            if closes.time() > opens
        ]
        assert ends == sorted(ends)


def first_shown(wall: datetime) -> datetime:
    """When clocks there first show this time or a later one, found by looking at them minute by minute."""
    at = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    naive = wall.replace(tzinfo=None)
    while at.astimezone(wall.tzinfo).replace(tzinfo=None) < naive:
        left_over = naive - at.astimezone(wall.tzinfo).replace(tzinfo=None)
        at += timedelta(minutes=15) if left_over <= timedelta(hours=3) else left_over - timedelta(hours=3)
    return at


def is_open(windows: list[Window], instant: datetime, zone: ZoneInfo) -> bool:
    """The rule as it is stated: from when clocks first show one local time, or a later one, until another."""
    today = instant.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        for window in windows:
            last = day + timedelta(days=window.closes <= window.opens)
            begins = first_shown(datetime.combine(day, window.opens, zone))
            ends = first_shown(datetime.combine(last, window.closes, zone))
            if window.day == day.weekday() and begins <= instant < ends:
                return True
    return False


TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
WINDOWS = st.lists(st.builds(Window, st.sampled_from([5, 6, 0]), TIMES, TIMES), min_size=1, max_size=3)


@pytest.mark.parametrize("zone", [name for name in US_ZONES if TRANSITIONS[name]])
@given(st.data())
def test_at_every_clock_change_calls_are_open_just_as_long_as_the_rule_says(
    zone: str, data: st.DataObject
) -> None:
    at = data.draw(st.sampled_from(TRANSITIONS[zone])) + timedelta(minutes=data.draw(st.integers(-300, 300)))
    windows = data.draw(WINDOWS)
    _matches_the_rule(windows, at, ZoneInfo(zone))


@pytest.mark.parametrize("zone", US_ZONES)
def test_a_night_window_is_right_at_each_clock_change_until_2037(zone: str) -> None:
    windows = [Window(day, time(22), time(2, 30)) for day in range(7)]
    for change in TRANSITIONS[zone] or [datetime(2027, 3, 14, 9, tzinfo=UTC)]:
        for minutes in (-90, -30, -1, 0, 1, 29, 30, 59, 60, 89, 90):
            _matches_the_rule(windows, change + timedelta(minutes=minutes), ZoneInfo(zone))


def _matches_the_rule(windows: list[Window], at: datetime, zone: ZoneInfo) -> None:
    until = Schedule(windows).open_until(at.astimezone(zone))
    assert (until is not None) == is_open(windows, at, zone)
    if until is not None:
        assert is_open(windows, until - timedelta(minutes=1), zone)
        assert until - at > LONGER_THAN_A_CALL or not is_open(windows, until, zone)
        quarter = at + (until - at) / 4
        assert is_open(windows, quarter, zone)
