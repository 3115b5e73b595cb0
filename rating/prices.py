"""The published prices of a facility: which timetable of rates a call has, by its number and its type."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import holidays as calendars

from rating.call_type import IN_STATE, CallType, call_type_of_prefix, may_be_in_state
from rating.dated_table import Period
from rating.money import Money
from rating.tariff_file import TariffFile
from rating.timetable import Entry, Timetable, always

#: A tariff without an end knows the holidays of so many years.
YEARS_OF_HOLIDAYS: Final = 30


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What a call costs, and why."""

    rate: str  # name of the rate or of the week of rates
    destination: str  # the prefix or call type that decided
    zone: str | None  # of destinations, if the prefix stands in one
    timetable: Timetable
    termination: Money | None = None  # what ending a minute there costs the provider, if the tariff says so


@dataclass(frozen=True, slots=True)
class Tariff:
    """A tariff at a facility, ready to be asked."""

    id: str
    valid_from: date
    valid_to: date | None  # inclusive
    currency: str
    warnings: tuple[str, ...]  # what stands in the file for nothing
    _by_prefix: Mapping[int, Mapping[str, PriceRow]]  # by length, the longest first
    _by_type: Mapping[CallType, PriceRow]

    def price_of(self, number_e164: str, call_type: CallType) -> PriceRow | None:
        """The price of a call to a number in E.164; None if the tariff has none, which refuses the call."""
        digits = number_e164.removeprefix("+")
        for length, rows in self._by_prefix.items():
            if row := rows.get(digits[:length]):
                return row
        return self._by_type.get(call_type)

    def rows(self) -> Iterator[tuple[PriceRow, CallType]]:
        """Every row with the type of the calls that it is for."""
        yield from ((row, call_type) for call_type, row in self._by_type.items())
        for rows in self._by_prefix.values():
            yield from ((row, call_type_of_prefix(prefix)) for prefix, row in rows.items())

    def rows_in_state(self, state: str) -> Iterator[tuple[PriceRow, CallType]]:
        """Every row that may price a call inside a state ("IL"), with the types that such calls can have."""
        yield from ((row, kind) for kind, row in self._by_type.items() if kind in IN_STATE)
        for rows in self._by_prefix.values():
            found = [row for prefix, row in rows.items() if may_be_in_state(prefix, f"US-{state}")]
            yield from ((row, kind) for row in found for kind in IN_STATE)

    def unpriced(self) -> list[CallType]:
        """The types of calls that have no price but by a prefix."""
        return [kind for kind in CallType if kind not in self._by_type]

    def is_valid_on(self, day: date) -> bool:
        """Whether it holds on a local day of the facility."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def life_from(self, since: date | None = None) -> Period | None:
        """The days on which it holds, or what is left of them from a day on; None if it is over by then."""
        first = self.valid_from if since is None else max(self.valid_from, since)
        return None if self.valid_to is not None and self.valid_to < first else Period(first, self.valid_to)


def tariff_at(file: TariffFile, facility_zone: ZoneInfo) -> Tariff:
    """The tariff of a file at a facility, in whose time zone it is if it names none of its own."""
    timetables = _timetables(file, file.time_zone or facility_zone)
    zones = {zone.name: zone for zone in file.zone}
    by_prefix: defaultdict[int, dict[str, PriceRow]] = defaultdict(dict)
    by_type: dict[CallType, PriceRow] = {}
    for row in file.price:
        timetable, zone = timetables[row.rate], zones.get(row.zone or "")
        for call_type in row.call_types or ():
            by_type[call_type] = PriceRow(row.rate, call_type, None, timetable, row.termination)
        termination = zone.termination if zone else row.termination
        for prefix in [row.prefix] if row.prefix else zone.prefixes if zone else []:
            by_prefix[len(prefix)][prefix] = PriceRow(row.rate, prefix, row.zone, timetable, termination)
    return Tariff(
        file.id,
        file.valid_from,
        file.valid_to,
        file.currency,
        tuple(_warnings(file)),
        {length: by_prefix[length] for length in sorted(by_prefix, reverse=True)},
        by_type,
    )


def _timetables(file: TariffFile, zone: ZoneInfo) -> dict[str, Timetable]:
    rates = {each.name: each.rate() for each in file.rate}
    entries: defaultdict[str, list[Entry]] = defaultdict(list)
    for row in file.time:
        entries[row.name].append(Entry(frozenset(row.days), row.start, rates[row.rate]))
    holidays = _holidays(file) if entries else frozenset()
    return {name: always(rate, zone) for name, rate in rates.items()} | {
        name: Timetable(tuple(each), zone, holidays) for name, each in entries.items()
    }


def _holidays(file: TariffFile) -> frozenset[date]:
    """Also those just before and after, under which a call of the first or last day may be."""
    if file.holidays is None:
        return frozenset(file.extra_holidays)
    country, _, part = file.holidays.partition("-")
    first = file.valid_from.year
    last = first + YEARS_OF_HOLIDAYS if file.valid_to is None else file.valid_to.year
    known = calendars.country_holidays(country, subdiv=part or None, years=range(first - 1, last + 2))
    return frozenset(known) | frozenset(file.extra_holidays)


def _warnings(file: TariffFile) -> list[str]:
    used = {row.rate for row in file.price}
    used_in_time = {row.rate for row in file.time if row.name in used}
    rates = [each.name for each in file.rate if each.name not in used | used_in_time]
    weeks = [name for name in dict.fromkeys(row.name for row in file.time) if name not in used]
    zones = [each.name for each in file.zone if each.name not in {row.zone for row in file.price}]
    lines = [f"rate {name!r} is used by no price" for name in rates]
    lines += [f"rows of time {name!r} are used by no price" for name in weeks]
    lines += [f"zone {name!r} is used by no price" for name in zones]
    has_rows = any(0 in row.days for row in file.time)
    if has_rows and file.holidays is None and not file.extra_holidays:
        lines.append("rows of time for holidays never start: the tariff names no holidays")
    if file.holidays is not None and not has_rows:
        lines.append("holidays change nothing: no row of time is for them")
    return lines
