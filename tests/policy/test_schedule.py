"""Calling hours in local time: over midnight, touching windows, and both clock changes."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ivr.policy.schedule import Schedule, Window

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
    assert remaining > timedelta(days=7)


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


def test_a_window_that_opens_in_the_skipped_hour_opens_just_as_far_after_it() -> None:
    early = Schedule([Window(6, time(2, 30), time(5))])
    assert left(early, local("2027-03-14 03:29")) is None
    assert left(early, local("2027-03-14 03:30")) == timedelta(minutes=90)


def test_a_window_that_closes_in_the_repeated_hour_closes_at_its_first_coming() -> None:
    early = Schedule([Window(6, time(0), time(1, 30))])
    assert left(early, local("2026-11-01 01:29", fold=0)) == timedelta(minutes=1)
    assert left(early, local("2026-11-01 01:29", fold=1)) is None
