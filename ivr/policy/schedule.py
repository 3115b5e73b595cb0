"""Calling hours: weekly windows, holidays, closures and openings, in the facility's own time zone."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from ivr.policy.level import Level

#: The day of a window that holds on holidays; 0 to 6 are Monday to Sunday.
HOLIDAY = 7
#: Open for longer than any call may last: how much longer is not looked for.
LONGER_THAN_A_CALL = timedelta(hours=28)


@dataclass(frozen=True, slots=True)
class Period:
    """From one instant until another (exclusive)."""

    starts_at: datetime
    ends_at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether the instant falls into it."""
        return self.starts_at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class Window:
    """One opening a week: from `opens` until `closes` (exclusive; midnight is the day's end).

    A window whose end is not after its beginning runs over midnight into the next day.
    """

    day: int  # Monday is 0; or HOLIDAY
    opens: time
    closes: time

    def on(self, day: date, local: datetime) -> Period:
        """This window as it begins on a date, in the zone of `local`."""
        last_day = day if self.closes > self.opens else day + timedelta(days=1)
        return Period(
            instant(datetime.combine(day, self.opens, local.tzinfo)),
            instant(datetime.combine(last_day, self.closes, local.tzinfo)),
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """When one level lets calls be made: with no window never, with None always; but for its closures.

    An opening holds beside the windows of its own level, a closure against both. On a holiday the windows of the day
    "holiday" hold in place of the weekday's, where the level has any.
    """

    windows: Sequence[Window] | None
    level: Level = Level.FACILITY
    closures: Sequence[Period] = ()
    openings: Sequence[Period] = ()
    holidays: frozenset[date] = frozenset()

    def open_until(self, local: datetime) -> datetime | None:
        """The UTC instant at which calling ends, openings that touch being one; None when closed now.

        What is open for longer than any call may last ends at some instant after that.
        `local` is aware, in the facility's zone; `instant` says what local times of windows mean.
        """
        now = local.astimezone(UTC)
        if any(closure.holds(now) for closure in self.closures):
            return None
        until = now + LONGER_THAN_A_CALL if self.windows is None else self._windows_close(local)
        if until is None:
            return None
        return min([until, *(closure.starts_at for closure in self.closures if closure.starts_at > now)])

    def beginnings(self, local: datetime) -> Iterator[datetime]:
        """The instants of the local day of `local` at which it may begin to be open, and some others; in no order."""
        yield from (closure.ends_at for closure in self.closures)
        yield from (period.starts_at for period in self._around(local))

    def _windows_close(self, local: datetime) -> datetime | None:
        until: datetime | None = None
        at = local
        while ends := [period.ends_at for period in self._around(at) if period.holds(at.astimezone(UTC))]:
            until = max(ends)
            if until - local.astimezone(UTC) > LONGER_THAN_A_CALL:
                return until
            at = until.astimezone(local.tzinfo)
        return until

    def _around(self, local: datetime) -> Iterable[Period]:
        """Every opening that may hold at `local`."""
        yield from self.openings
        for day in (local.date(), local.date() - timedelta(days=1)):
            kind = self._kind(day)
            yield from (window.on(day, local) for window in self.windows or () if window.day == kind)

    def _kind(self, day: date) -> int:
        is_holiday = day in self.holidays and any(window.day == HOLIDAY for window in self.windows or ())
        return HOLIDAY if is_holiday else day.weekday()


def instant(local: datetime) -> datetime:
    """What a local time means, in UTC: of one that a clock change repeats the first, of one that it skips the change.

    So an earlier local time never means a later instant. `local` is aware; its fold is not looked at (PEP 495).
    """
    early, late = local.replace(fold=0), local.replace(fold=1)
    before, after = early.utcoffset(), late.utcoffset()
    if before is None or after is None or before >= after:
        return early.astimezone(UTC)
    zone, ahead_of_it = (
        local.tzinfo,
        late.astimezone(UTC),
    )  # skipped: fold 1 lies before the change, fold 0 after it
    seconds = range((after - before) // timedelta(seconds=1))
    to_change = bisect_left(
        seconds,
        True,
        key=lambda each: (ahead_of_it + timedelta(seconds=each)).astimezone(zone).utcoffset() == after,
    )
    return ahead_of_it + timedelta(seconds=to_change)
