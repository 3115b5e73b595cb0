"""Rows of law and regulation that hold from one day to another, read from TOML and refused by name if wrong.

Days are calendar days of the facility's time zone: who asks turns an instant into a day before asking.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Self, TypeVar

from rating.area_codes import known_states
from rating.days import bounded
from rating.money import Money, parse_money

Word = TypeVar("Word", bound=StrEnum)


class TableError(ValueError):
    """A table that must not be used; the message names file, row and field in one line."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `since` to `until`, both included; without `until` it has no end yet."""

    since: date
    until: date | None = None

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins; raises ValueError."""
        if self.until is not None and self.until < self.since:
            raise ValueError(f"{self.until} is before {self.since}")

    def holds(self, day: date) -> bool:
        """Whether the day lies in the period."""
        return self.since <= day and (self.until is None or day <= self.until)

    def overlap(self, other: Self) -> "Period | None":
        """The days that both have, or None if there are none."""
        since = max(self.since, other.since)
        ends = [each.until for each in (self, other) if each.until is not None]
        until = min(ends, default=None)
        return None if until is not None and until < since else Period(since, until)

    def day_after(self) -> date | None:
        """The first day that is no longer in the period; None if it has no end."""
        return None if self.until is None else self.until + timedelta(days=1)


class Row:
    """One row that is being read: each field is taken once, and `finish` refuses what nobody took.

    Every method raises TableError naming the row and the field when the field is missing or of another form.
    """

    def __init__(self, where: str, fields: dict[str, object]) -> None:
        self.where = where
        self._left = dict(fields)

    def fail(self, field: str, why: str) -> TableError:
        """The error that says what is wrong with a field of this row."""
        return TableError(f"{self.where}: {field}: {why}")

    def has(self, field: str) -> bool:
        """Whether the field is there and not yet taken."""
        return field in self._left

    def text(self, field: str) -> str:
        """A text that says something."""
        value = self._take(field)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(field, f"must be a text, not {value!r}")
        return value

    def optional_text(self, field: str) -> str | None:
        """A text that says something, or None if the field is absent."""
        return self.text(field) if self.has(field) else None

    def period(self) -> Period:
        """The period of the fields `from` and, if there is an end, `to` (its last day)."""
        since = self._day("from")
        until = self._day("to") if self.has("to") else None
        try:
            return Period(since, until)
        except ValueError as error:
            raise self.fail("to", str(error)) from None

    def whole(self, field: str, least: int, most: int) -> int:
        """A whole number between two bounds, both allowed."""
        value = self._take(field)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.fail(field, f"must be a whole number from {least} to {most}, not {value!r}")
        return value

    def flag(self, field: str) -> bool | None:
        """True or false as written; None if the field is absent, which says neither."""
        if not self.has(field):
            return None
        value = self._take(field)
        if not isinstance(value, bool):
            raise self.fail(field, f"must be true or false, not {value!r}")
        return value

    def word(self, field: str, words: type[Word]) -> Word:
        """One word of an enumeration."""
        return self._word(field, self._take(field), words)

    def words(self, field: str, words: type[Word]) -> frozenset[Word]:
        """One word or several of an enumeration, written as a list; none twice."""
        value = self._take(field)
        if not isinstance(value, list) or not value:
            raise self.fail(field, f"must be a list of {', '.join(words)}, not {value!r}")
        read = [self._word(field, each, words) for each in value]
        if len(set(read)) < len(read):
            raise self.fail(field, "names something twice")
        return frozenset(read)

    def state(self, field: str, *, also: str | None = None) -> str:
        """The two letters of a state or territory, such as MA, or the one other word that the table allows."""
        value = self._take(field)
        if not isinstance(value, str) or value not in (*known_states(), also):
            raise self.fail(
                field, f"must be a state such as MA{f' or {also}' if also else ''}, not {value!r}"
            )
        return value

    def money(self, field: str) -> Money:
        """A positive amount, written as text so that nothing is rounded while it is read."""
        value = self._take(field)
        if not isinstance(value, str):
            raise self.fail(field, f'must be an amount in quotes such as "0.11", not {value!r}')
        try:
            amount = parse_money(value)
        except ValueError as error:
            raise self.fail(field, str(error)) from None
        if amount <= 0:
            raise self.fail(field, f"must be more than nothing, not {value!r}")
        return amount

    def finish(self) -> None:
        """Refuse fields that the table does not know: a misspelt one would be lost in silence."""
        if self._left:
            raise self.fail(sorted(self._left)[0], "is no field of this table")

    def _take(self, field: str) -> object:
        if field not in self._left:
            raise self.fail(field, "is missing")
        return self._left.pop(field)

    def _day(self, field: str) -> date:
        value = self._take(field)
        if type(value) is not date:  # a TOML date and time is a date too, to Python
            raise self.fail(field, f"must be a day such as 2026-04-06, not {value!r}")
        try:
            return bounded(value)
        except ValueError as mistake:
            raise self.fail(field, str(mistake)) from None

    def _word(self, field: str, value: object, words: type[Word]) -> Word:
        if not isinstance(value, str) or value not in list(words):
            raise self.fail(field, f"must be one of {', '.join(words)}, not {value!r}")
        return words(value)


def read_tables(text: str, name: str, known: tuple[str, ...]) -> dict[str, list[Row]]:
    """The rows of each `[[table]]` in a TOML text, with their ids in what errors say.

    Raises TableError for a text that is not TOML, a table that is not known, and two rows of one table with
    the same id. Rows are named by `id`, or by `name` where a table has no ids, or else by their place.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TableError(f"{name}: not TOML: {error}") from None
    if unknown := sorted(content.keys() - set(known)):
        raise TableError(f"{name}: {unknown[0]}: is no table of this file")
    rows = {table: list(_rows(content.get(table, []), f"{name}: {table}")) for table in known}
    for table, read in rows.items():
        places = [row.where for row in read if row.has("id")]
        if twins := sorted({place for place in places if places.count(place) > 1}):
            raise TableError(f"{twins[0]}: id: there are two such rows in {table}")
    return rows


def _rows(entries: object, where: str) -> Iterator[Row]:
    if not isinstance(entries, list):
        raise TableError(f"{where}: must be written as rows, each under [[…]]")
    for place, fields in enumerate(entries, start=1):
        if not isinstance(fields, dict):
            raise TableError(f"{where} row {place}: must be written under [[…]]")
        title = fields.get("id", fields.get("name", f"row {place}"))
        yield Row(f"{where} {title}", fields)
