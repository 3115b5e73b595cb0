"""When an account counts as idle, what its holder is told before, and when its money may go elsewhere.

47 CFR 64.6130: money stays its holder's; nobody disposes of it before 180 days in a row without activity, or a longer
period of a state's law. Depositing, spending, getting money back, and any interest shown begins them again.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Final

from rating.dated_table import Period, Row, TableError, read_tables

DATA: Final = files("accounts") / "data" / "unclaimed.toml"
LEAST_DAYS: Final = 180
#: Days without activity after which a holder is told so; and in a longer period so many days before its end.
TOLD_AFTER_DAYS: Final = (90, 150, 170)
TOLD_BEFORE_DAYS: Final = (30, 10)
LAST_WARNING: Final = timedelta(days=min(TOLD_BEFORE_DAYS))


class Step(StrEnum):
    """What is to be done about an account."""

    NOTHING = "nothing"
    TELL = "tell"
    GIVE_BACK = "give_back"


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done, and for a notice after how many days without activity it is due."""

    step: Step
    days: int = 0


@dataclass(frozen=True, slots=True)
class StatePeriod:
    """One row of the table: a state, its period, and when that holds."""

    id: str
    state: str  # two letters
    days: int
    period: Period
    source: str
    doubt: str | None

    def clashes(self, other: "StatePeriod") -> bool:
        """Whether some day would find both."""
        return self.state == other.state and self.period.overlap(other.period) is not None


def days_of(state: str, on: date, *, rows: Collection[StatePeriod] | None = None) -> int:
    """After how many days without activity money of a holder in the state ("US-MA") may go elsewhere."""
    letters = state.removeprefix("US-")
    held = (
        row.days
        for row in (shipped() if rows is None else rows)
        if row.state == letters and row.period.holds(on)
    )
    return max([LEAST_DAYS, *held])


def notice_days(period: int) -> tuple[int, ...]:
    """After how many days without activity a holder is told, in order."""
    return tuple(sorted({*TOLD_AFTER_DAYS, *(period - before for before in TOLD_BEFORE_DAYS)}))


def notice_due(active_at: datetime, at: datetime, period: int) -> int:
    """The notice that is due by now, as the days after which it is; 0 before the first."""
    idle = (at - active_at).days
    return max((days for days in notice_days(period) if days <= idle), default=0)


def due(active_at: datetime, at: datetime, period: int, *, reachable: bool, told_at: datetime | None) -> Due:
    """What is to be done about an account that was last active then.

    `told_at` is when the holder was told by the notice that is due now. A holder who can be reached is warned so many
    days before anything goes elsewhere, even if nobody looked for idle accounts in time.
    """
    days = notice_due(active_at, at, period)
    if days and reachable and told_at is None:
        return Due(Step.TELL, days)
    is_over = (at - active_at).days >= period
    if is_over and (not reachable or (told_at is not None and at - told_at >= LAST_WARNING)):
        return Due(Step.GIVE_BACK)
    return Due(Step.NOTHING)


@cache
def shipped() -> tuple[StatePeriod, ...]:
    """The rows that come with the package; raises TableError if they were damaged."""
    return parse(DATA.read_text(encoding="utf-8"), "unclaimed.toml")


def parse(text: str, name: str) -> tuple[StatePeriod, ...]:
    """The rows of a TOML text; raises TableError for the first that is wrong, or two for one state and day."""
    rows = tuple(_read(row) for row in read_tables(text, name, ("unclaimed",))["unclaimed"])
    for one, other in combinations(rows, 2):
        if one.clashes(other):
            raise TableError(f"{name}: unclaimed {other.id}: from: overlaps {one.id}")
    return rows


def _read(row: Row) -> StatePeriod:
    read = StatePeriod(
        id=row.text("id"),
        state=row.state("state"),
        days=row.whole("days", LEAST_DAYS, 36_525),
        period=row.period(),
        source=row.text("source"),
        doubt=row.optional_text("doubt"),
    )
    row.finish()
    return read
