"""Weekly calling windows, in the facility's own time zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

END_OF_DAY = time(0)


@dataclass(frozen=True, slots=True)
class Window:
    """One opening a week: from `opens` until `closes` (exclusive; midnight is the day's end).

    A window whose end is not after its beginning runs over midnight into the next day.
    """

    weekday: int  # Monday is 0
    opens: time
    closes: time

    def around(self, local: datetime) -> tuple[datetime, datetime] | None:
        """The opening of this window that `local` falls into, as two UTC instants; None if there is none."""
        days_back = (local.weekday() - self.weekday) % 7
        if days_back > 1:
            return None
        day = local.date() - timedelta(days=days_back)
        last_day = day if self.closes > self.opens else day + timedelta(days=1)
        start = _instant(datetime.combine(day, self.opens, local.tzinfo))
        end = _instant(datetime.combine(last_day, self.closes, local.tzinfo))
        return (start, end) if start <= local.astimezone(UTC) < end else None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When calls may be made; with no window, never."""

    windows: Sequence[Window]

    def open_until(self, local: datetime) -> datetime | None:
        """The UTC instant at which calling ends, windows that touch being one; None when closed now.

        `local` is aware, in the facility's zone. A local time that a clock change repeats means its first
        occurrence, one that it skips means the instant just as far after the change (PEP 495, fold 0).
        """
        until: datetime | None = None
        at = local
        while ends := [around[1] for window in self.windows if (around := window.around(at))]:
            until = max(ends)
            if until - local.astimezone(UTC) > timedelta(days=7):
                return until  # open all week: any longest call ends before this
            at = until.astimezone(local.tzinfo)
        return until


def _instant(local: datetime) -> datetime:
    return local.replace(fold=0).astimezone(UTC)
