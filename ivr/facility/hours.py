"""The weekly hours of a facility's file as sets of minutes: what is open at several levels at once is their section."""

from collections.abc import Iterable
from dataclasses import dataclass

from ivr.facility.entries import WindowEntry
from ivr.policy.schedule import HOLIDAY

DAY = 24 * 60
WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Hours:
    """A bit for each minute of a week from Monday, and of a holiday; a holiday may fall on any day of the week."""

    week: int
    holiday: int

    def __and__(self, other: "Hours") -> "Hours":
        return Hours(self.week & other.week, self.holiday & other.holiday)

    def __or__(self, other: "Hours") -> "Hours":
        return Hours(self.week | other.week, self.holiday | other.holiday)

    def __bool__(self) -> bool:
        return bool(self.week or self.holiday)

    def minutes_on(self, day: int) -> int:
        """How many minutes are open on an ordinary day of the week, Monday being 0."""
        return (self.week >> day * DAY & (1 << DAY) - 1).bit_count()


NEVER = Hours(0, 0)
ALWAYS = Hours((1 << WEEK) - 1, (1 << DAY) - 1)


def hours(windows: Iterable[WindowEntry]) -> Hours:
    """When the windows of one level are open; none set no limit. Without holiday windows, holidays are as any day."""
    week, holiday, has_holiday = 0, 0, False
    for window in windows:
        first = window.opens.hour * 60 + window.opens.minute
        last = window.closes.hour * 60 + window.closes.minute
        length = (last - first - 1) % DAY + 1
        for day in window.days:
            if day == HOLIDAY:
                has_holiday = True
                holiday |= _run(first, length, DAY)
            else:
                week |= _run(day * DAY + first, length, WEEK)
    if not week and not has_holiday:
        return ALWAYS
    return Hours(week, holiday if has_holiday else _any_day(week))


def _run(first: int, length: int, whole: int) -> int:
    """Bits of `length` minutes; those past the end begin anew."""
    bits = (1 << length) - 1 << first
    return bits & (1 << whole) - 1 | bits >> whole


def _any_day(week: int) -> int:
    day = 0
    for number in range(7):
        day |= week >> number * DAY & (1 << DAY) - 1
    return day
