"""The periods of a subscription: calendar months by local date, each from one anchor day to the day before the next.

A period that is anchored on the 29th, 30th or 31st begins on the last day of a month that is shorter, and on its anchor
again in the next: 31 January, 28 February, 31 March.
"""

from calendar import monthrange
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


def next_first(first: date, anchor_day: int) -> date:
    """The first day of the period after the one that begins on `first`: next month's anchor day, or its last day."""
    year, month = first.year + first.month // 12, first.month % 12 + 1
    return date(year, month, min(anchor_day, monthrange(year, month)[1]))


def last_date(first: date, anchor_day: int) -> date:
    """The last day of the period that begins on `first`, included: no day is left out, and none is in two periods."""
    return next_first(first, anchor_day) - ONE_DAY


def days_in(first: date, last: date) -> int:
    """How many days from the first to the last, both included."""
    return (last - first).days + 1


def unused_days(first: date, last: date, today: date) -> int:
    """How many whole days are left after today; all of a period that has not begun."""
    return max(0, days_in(max(first, today + ONE_DAY), last))
