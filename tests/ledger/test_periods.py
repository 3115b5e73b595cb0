"""Periods of subscriptions: every day from 2024 to 2037 is in one of them, whatever day they are anchored on."""

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.periods import days_in, last_date, next_first, unused_days

SINCE, UNTIL = date(2024, 1, 1), date(2037, 12, 31)
starts = st.dates(SINCE, UNTIL)


def periods(start: date) -> list[tuple[date, date]]:
    """Every period from the first one on, to the end of the time."""
    found, first = [], start
    while first <= UNTIL:
        found.append((first, last_date(first, start.day)))
        first = next_first(first, start.day)
    return found


@given(starts)
def test_periods_leave_no_day_out_and_share_none(start: date) -> None:
    found = periods(start)
    for (_, last), (first, _) in pairwise(found):
        assert first - last == timedelta(days=1)
    assert all(28 <= days_in(first, last) <= 31 for first, last in found)


@given(starts)
def test_each_month_has_one_period_that_begins_on_the_anchor_or_the_months_last_day(start: date) -> None:
    found = periods(start)
    months = [(first.year, first.month) for first, _ in found]
    assert len(set(months)) == len(months) == 12 * (2037 - start.year) + 13 - start.month
    for first, _ in found:
        assert first.day == min(start.day, monthrange(first.year, first.month)[1])


@pytest.mark.parametrize(
    ("start", "firsts"),
    [
        (date(2026, 1, 31), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        (date(2028, 1, 31), ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30", "2028-05-31"]),
        (date(2027, 12, 30), ["2027-12-30", "2028-01-30", "2028-02-29", "2028-03-30", "2028-04-30"]),
        (date(2028, 2, 29), ["2028-02-29", "2028-03-29", "2028-04-29", "2028-05-29", "2028-06-29"]),
        (date(2026, 11, 23), ["2026-11-23", "2026-12-23", "2027-01-23", "2027-02-23", "2027-03-23"]),
    ],
)
def test_a_short_month_does_not_move_the_anchor(start: date, firsts: list[str]) -> None:
    assert [str(first) for first, _ in periods(start)[:5]] == firsts


@given(starts, st.integers(-40, 40))
def test_days_left_are_those_after_today(start: date, offset: int) -> None:
    last, today = last_date(start, start.day), start + timedelta(days=offset)
    days = [start + timedelta(days=n) for n in range(days_in(start, last))]
    assert unused_days(start, last, today) == max(0, sum(day > today for day in days))
