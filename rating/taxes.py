"""Taxes and pass-through fees that an operator has entered for its places, and which of them a call carries.

No tax of any state or of the United States is shipped: they change often and depend on the operator's own
registrations. The operator gives a TOML table. A tax or fee may be passed on only as it is, without markup, and
only if a government demands it (mandatory) or lets it be passed on (authorized): 47 CFR 64.6000 and 64.6070.
What a tax comes to on a charge is worked out elsewhere.

    [[tax]]
    name = "State sales tax"
    state = "MA"                 # or "US" for everywhere
    locality = "suffolk"         # optional: only for facilities that name this key
    percent = "6.25"             # of the price, or: fixed = "0.10", an amount a call
    call_types = ["local", "intrastate"]
    kind = "mandatory"           # or "authorized"
    from = 2026-01-01
    to = 2026-12-31              # optional, the last day
    source = "830 CMR 64H.6.1"
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from itertools import combinations

from rating.call_type import CallType
from rating.dated_table import Period, Row, TableError, read_tables
from rating.price import Tax

EVERYWHERE = "US"

_PERCENT = re.compile(r"\d{1,3}(\.\d{1,6})?", re.ASCII)


class TaxKind(StrEnum):
    """By what right a tax or fee is passed on (47 CFR 64.6000)."""

    MANDATORY = "mandatory"
    AUTHORIZED = "authorized"


@dataclass(frozen=True, slots=True)
class TaxRow:
    """One tax with the places, calls and days on which it is due."""

    tax: Tax
    kind: TaxKind
    state: str  # two letters, or "US" for everywhere
    locality: str | None  # the operator's own key; None: the whole state
    call_types: frozenset[CallType]
    period: Period
    source: str

    def is_due(self, state: str, localities: Collection[str], call_type: CallType, on: date) -> bool:
        """Whether a call of the type bears the tax on the day at a facility of the state and localities."""
        return (
            self.state in (EVERYWHERE, state)
            and (self.locality is None or self.locality in localities)
            and call_type in self.call_types
            and self.period.holds(on)
        )

    def clashes(self, other: "TaxRow") -> bool:
        """Whether some call would bear one tax twice."""
        return bool(
            (self.tax.name, self.state, self.locality) == (other.tax.name, other.state, other.locality)
            and self.call_types & other.call_types
            and self.period.overlap(other.period)
        )


def rows_due(
    rows: Collection[TaxRow], state: str, call_type: CallType, on: date, *, localities: Collection[str] = ()
) -> list[TaxRow]:
    """The rows that a call bears, in the order of the table, with the right by which each is passed on.

    `state` is the facility's two letters, `localities` the keys that it names, `on` a day of its time zone.
    """
    return [row for row in rows if row.is_due(state, localities, call_type, on)]


def taxes_due(
    rows: Collection[TaxRow], state: str, call_type: CallType, on: date, *, localities: Collection[str] = ()
) -> list[Tax]:
    """The taxes that a call bears, in the order of the table; see `rows_due`."""
    return [row.tax for row in rows_due(rows, state, call_type, on, localities=localities)]


def parse(text: str, name: str) -> tuple[TaxRow, ...]:
    """The rows of a TOML text; raises TableError naming row and field for the first that is wrong.

    The same tax twice for the same place, call and day is refused: it would be charged twice.
    """
    rows = tuple(_read(row) for row in read_tables(text, name, ("tax",))["tax"])
    for one, other in combinations(rows, 2):
        if one.clashes(other):
            raise TableError(f"{name}: tax {other.tax.name}: from: overlaps another row of the same tax")
    return rows


def _read(row: Row) -> TaxRow:
    read = TaxRow(
        tax=_tax(row),
        kind=row.word("kind", TaxKind),
        state=row.state("state", also=EVERYWHERE),
        locality=row.optional_text("locality"),
        call_types=row.words("call_types", CallType),
        period=row.period(),
        source=row.text("source"),
    )
    row.finish()
    return read


def _tax(row: Row) -> Tax:
    if row.has("percent") == row.has("fixed"):
        raise row.fail("percent", "give either percent or fixed")
    name = row.text("name")
    if row.has("fixed"):
        return Tax(name, fixed=row.money("fixed"))
    written = row.text("percent")
    percent = Fraction(written) if _PERCENT.fullmatch(written) else None
    if percent is None or not 0 < percent <= 100:
        raise row.fail("percent", f'must be decimal text from 0 to 100 such as "6.25", not {written!r}')
    return Tax(name, percent)
