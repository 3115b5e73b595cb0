"""Rate caps and forbidden fees for calls from jails and prisons, each with the days on which it holds.

Federal caps are those of the FCC (47 CFR part 64 subpart FF); a state's cap counts where it is lower. All stand
in `data/caps.toml` with their sources and doubts. A cap is on the price of a minute, taxes not included. What
counts is the facility's class and the type of the call. Prices against these rules: `rating.cap_check`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import cache
from importlib.resources import files
from itertools import combinations

from rating.call_type import CallType
from rating.dated_table import Period, Row, TableError, read_tables
from rating.money import ZERO, Money
from rating.site import FacilityKind

DATA = files("rating") / "data" / "caps.toml"
FEDERAL = "federal"


class FacilityClass(StrEnum):
    """The FCC's classes: prisons, and jails by average daily population."""

    PRISON = "prison"
    JAIL_1000 = "jail_1000"
    JAIL_350_999 = "jail_350_999"
    JAIL_100_349 = "jail_100_349"
    JAIL_50_99 = "jail_50_99"
    JAIL_0_49 = "jail_0_49"


_JAILS = (
    (1000, FacilityClass.JAIL_1000),
    (350, FacilityClass.JAIL_350_999),
    (100, FacilityClass.JAIL_100_349),
    (50, FacilityClass.JAIL_50_99),
    (0, FacilityClass.JAIL_0_49),
)


def facility_class(kind: FacilityKind, average_daily_population: int | Fraction | None) -> FacilityClass:
    """The FCC's class of a facility, by the average daily population of the preceding calendar year.

    A jail whose population is not known counts as the largest, whose caps are the lowest: a price is never too
    high because a figure was not filled in. Juvenile facilities count as jails (from memory of the FCC's
    definitions, to be confirmed). Raises ValueError for a negative population.
    """
    if kind is FacilityKind.PRISON:
        return FacilityClass.PRISON
    if average_daily_population is None:
        return FacilityClass.JAIL_1000
    for least, jail in _JAILS:
        if average_daily_population >= least:
            return jail
    raise ValueError(f"a population is never negative: {average_daily_population}")


class Status(StrEnum):
    """Whether a row ever bound anybody."""

    IN_FORCE = "in_force"
    NOT_IN_FORCE = "not_in_force"  # adopted, then waived or superseded: kept so that nobody adds it again


class Forbidden(StrEnum):
    """Charges that may not be made at all, however small."""

    PER_CALL_FEE = "per_call_fee"
    ANCILLARY_FEE = "ancillary_fee"


@dataclass(frozen=True, slots=True)
class CapRow:
    """One figure of one rule, as the table has it."""

    id: str
    jurisdiction: str  # "federal", or a state's two letters
    status: Status
    classes: frozenset[FacilityClass]
    call_types: frozenset[CallType]
    per_minute: Money  # for an international call: before what its termination costs
    additive: Money  # the part of `per_minute` that may only recover the facility's own costs
    period: Period
    section: str
    source: str
    doubt: str | None

    def binds(self, site_class: FacilityClass, call_type: CallType, state: str | None) -> bool:
        """Whether the row is about such a call, whatever the day."""
        return (
            self.status is Status.IN_FORCE
            and self.jurisdiction in (FEDERAL, state)
            and site_class in self.classes
            and call_type in self.call_types
        )

    def clashes(self, other: "CapRow") -> bool:
        """Whether one jurisdiction would set two caps for the same call on the same day."""
        return bool(
            self.status is other.status
            and self.jurisdiction == other.jurisdiction
            and self.classes & other.classes
            and self.call_types & other.call_types
            and self.period.overlap(other.period)
        )


@dataclass(frozen=True, slots=True)
class Ban:
    """A charge that is forbidden from one day to another, for every facility and type of call."""

    id: str
    forbidden: Forbidden
    period: Period
    section: str
    source: str
    doubt: str | None


@dataclass(frozen=True, slots=True)
class CapTable:
    """All rules, checked: nobody sets two caps for one call on one day."""

    caps: tuple[CapRow, ...]
    bans: tuple[Ban, ...]


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that a minute may cost, and the rule that says so."""

    per_minute: Money  # taxes not included; what the termination costs is included
    additive: Money
    rule: str  # id of its row
    section: str
    source: str
    period: Period  # the rule's own days, wherever the question's days lie
    doubt: str | None


def cap(
    site_class: FacilityClass,
    call_type: CallType | None,
    on: date,
    termination: Money | None = None,
    *,
    state: str | None = None,
    table: CapTable | None = None,
) -> Cap | None:
    """The lowest cap on such a call on a day of the facility's time zone; None where none is known.

    `termination` is the average amount a minute that the provider paid to end calls in the destination; it is
    added for international calls only, and an unknown one counts as nothing. A call of unknown type (None) has
    the federal interstate cap: where the ends of a call are not known, the federal caps hold. `state` is the
    facility's, whose own caps count where they are lower. Raises ValueError for a negative termination.
    """
    if termination is not None and termination < 0:
        raise ValueError(f"a termination never costs less than nothing: {termination}")
    rules = [
        row for row in _binding(site_class, call_type, state, table or shipped()) if row.period.holds(on)
    ]
    if not rules:
        return None
    added = (termination or ZERO) if call_type is CallType.INTERNATIONAL else ZERO
    row = min(rules, key=lambda rule: (rule.per_minute, rule.jurisdiction != FEDERAL))
    return Cap(
        per_minute=Money(row.per_minute + added),
        additive=row.additive,
        rule=row.id,
        section=row.section,
        source=row.source,
        period=row.period,
        doubt=row.doubt,
    )


def caps_between(
    first: date,
    last: date | None,
    site_class: FacilityClass,
    call_type: CallType | None,
    termination: Money | None = None,
    *,
    state: str | None = None,
    table: CapTable | None = None,
) -> list[tuple[date, Cap]]:
    """Every cap that holds on some day from `first` to `last`, both included, with its first day among them.

    Without `last` there is no end. A cap that returns after another appears again; days without one are left
    out. Raises ValueError if `last` is before `first`, and as `cap` does.
    """
    span = Period(first, last)
    days = {first}
    for row in _binding(site_class, call_type, state, table or shipped()):
        days |= {day for day in (row.period.since, row.period.day_after()) if day and span.holds(day)}
    found: list[tuple[date, Cap]] = []
    before: Cap | None = None
    for day in sorted(days):
        now = cap(site_class, call_type, day, termination, state=state, table=table)
        if now is not None and now != before:
            found.append((day, now))
        before = now
    return found


def bans_between(first: date, last: date | None, *, table: CapTable | None = None) -> list[tuple[date, Ban]]:
    """Every ban that holds on some day from `first` to `last`, both included, with its first day among them.

    Without `last` there is no end. Raises ValueError if `last` is before `first`.
    """
    span = Period(first, last)
    shared = ((ban.period.overlap(span), ban) for ban in (table or shipped()).bans)
    return sorted(((days.since, ban) for days, ban in shared if days), key=lambda each: each[0])


def _binding(
    site_class: FacilityClass, call_type: CallType | None, state: str | None, table: CapTable
) -> Iterator[CapRow]:
    if call_type is None:
        call_type, state = CallType.INTERSTATE, None
    return (row for row in table.caps if row.binds(site_class, call_type, state))


@cache
def shipped() -> CapTable:
    """The rules that come with the package; raises TableError if they were damaged."""
    return parse(DATA.read_text(encoding="utf-8"), "caps.toml")


def parse(text: str, name: str) -> CapTable:
    """The rules of a TOML text; raises TableError naming row and field for the first that is wrong.

    Two caps of one jurisdiction for the same call on the same day are refused.
    """
    tables = read_tables(text, name, ("cap", "ban"))
    caps = tuple(_read_cap(row) for row in tables["cap"])
    for one, other in combinations(caps, 2):
        if one.clashes(other):
            raise TableError(f"{name}: cap {other.id}: from: overlaps {one.id} for the same calls")
    return CapTable(caps, tuple(_read_ban(row) for row in tables["ban"]))


def _read_cap(row: Row) -> CapRow:
    read = CapRow(
        id=row.text("id"),
        jurisdiction=row.state("jurisdiction", also=FEDERAL),
        status=row.word("status", Status),
        classes=row.words("classes", FacilityClass),
        call_types=row.words("call_types", CallType),
        per_minute=row.money("per_minute"),
        additive=row.money("additive_included") if row.has("additive_included") else ZERO,
        period=row.period(),
        section=row.text("section"),
        source=row.text("source"),
        doubt=row.optional_text("doubt"),
    )
    row.finish()
    if read.additive >= read.per_minute:
        raise row.fail("additive_included", "must be less than per_minute, which includes it")
    return read


def _read_ban(row: Row) -> Ban:
    read = Ban(
        id=row.text("id"),
        forbidden=row.word("forbidden", Forbidden),
        period=row.period(),
        section=row.text("section"),
        source=row.text("source"),
        doubt=row.optional_text("doubt"),
    )
    row.finish()
    return read
