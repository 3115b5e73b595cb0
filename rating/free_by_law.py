"""Places where calls are free by law, for both parties: the agency pays all of the price or a stated part.

What counts is where the **facility** is, its kind and whose it is, never the number that is called: a call from
a Massachusetts jail to California is free, a call from California to Massachusetts is not. Free calls keep
their rules: recording, schedules, longest call and blocks do not change. Sources stand in each row of
`data/free_by_law.toml`.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import combinations

from rating.call_type import CallType
from rating.dated_table import Period, Row, TableError, read_tables
from rating.site import FacilityKind, Operator, Site

DATA = files("rating") / "data" / "free_by_law.toml"

MINUTES_OF_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Share:
    """What an agency pays of each call by law, from one day to another."""

    id: str
    percent: int  # 1 to 100: 100 is a call that costs neither party anything
    period: Period
    call_types: frozenset[CallType]
    offered_as_collect: bool | None  # False: "will you pay for this call" must not be asked; None: not said
    minutes_a_day: int | None  # the least that each person must be given, where the law says so
    law: str
    source: str
    doubt: str | None  # what to have confirmed before relying on the row

    @property
    def is_free(self) -> bool:
        """Whether the agency pays everything."""
        return self.percent == 100


@dataclass(frozen=True, slots=True)
class FreeByLaw:
    """One row: the facilities that it holds for, and the share."""

    state: str
    kinds: frozenset[FacilityKind]
    operators: frozenset[Operator]
    share: Share

    def covers(self, site: Site) -> bool:
        """Whether the row is about the facility, whatever the day."""
        return site.state == self.state and site.kind in self.kinds and site.operator in self.operators

    def clashes(self, other: "FreeByLaw") -> bool:
        """Whether some call on some day would find both rows."""
        return bool(
            self.state == other.state
            and self.kinds & other.kinds
            and self.operators & other.operators
            and self.share.call_types & other.share.call_types
            and self.share.period.overlap(other.share.period)
        )


def agency_share(
    site: Site, on: date, call_type: CallType | None = None, *, rows: Collection[FreeByLaw] | None = None
) -> Share | None:
    """What the agency pays by law for calls from the facility on a day of its time zone; None: no law is known.

    A row that does not hold for `call_type` is passed over; without one, any row of the facility is found and
    its `call_types` say what it holds for.
    """
    for row in shipped() if rows is None else rows:
        wanted = call_type is None or call_type in row.share.call_types
        if wanted and row.covers(site) and row.share.period.holds(on):
            return row.share
    return None


def highest_share(site: Site, days: Period, call_type: CallType) -> Share | None:
    """The most that the agency pays of such calls on any of the days; the first of equal ones, None without a law."""
    found = (share for _, share in shares_between(days, site, call_type))
    return max(found, key=lambda share: share.percent, default=None)


def shares_between(days: Period, site: Site, call_type: CallType) -> list[tuple[date, Share]]:
    """Every share of such calls on some of the days, with its first day among them, in order."""
    rows = [row.share for row in shipped() if row.covers(site) and call_type in row.share.call_types]
    shared = ((share.period.overlap(days), share) for share in rows)
    return sorted(((both.since, share) for both, share in shared if both), key=lambda each: each[0])


@cache
def shipped() -> tuple[FreeByLaw, ...]:
    """The rows that come with the package; raises TableError if they were damaged."""
    return parse(DATA.read_text(encoding="utf-8"), "free_by_law.toml")


def parse(text: str, name: str) -> tuple[FreeByLaw, ...]:
    """The rows of a TOML text; raises TableError naming row and field for the first that is wrong.

    Two rows for the same call on the same day are refused: which of them holds must never depend on order.
    """
    rows = tuple(_read(row) for row in read_tables(text, name, ("free",))["free"])
    for one, other in _clashes(rows):
        raise TableError(
            f"{name}: free {other.share.id}: from: overlaps {one.share.id} for the same facilities"
        )
    return rows


def _clashes(rows: Collection[FreeByLaw]) -> Iterator[tuple[FreeByLaw, FreeByLaw]]:
    return ((one, other) for one, other in combinations(rows, 2) if one.clashes(other))


def _read(row: Row) -> FreeByLaw:
    share = Share(
        id=row.text("id"),
        percent=row.whole("agency_percent", 1, 100),
        period=row.period(),
        call_types=row.words("call_types", CallType),
        offered_as_collect=row.flag("offered_as_collect"),
        minutes_a_day=row.whole("minutes_a_day", 1, MINUTES_OF_A_DAY) if row.has("minutes_a_day") else None,
        law=row.text("law"),
        source=row.text("source"),
        doubt=row.optional_text("doubt"),
    )
    read = FreeByLaw(
        state=row.state("state"),
        kinds=row.words("kinds", FacilityKind),
        operators=row.words("operators", Operator),
        share=share,
    )
    row.finish()
    return read
