"""A tariff as a TOML file: what may stand in it, and where a mistake is. It is loaded all or nothing.

    id = "county-2026"
    valid_from = 2026-01-01
    valid_to = 2026-12-31               # optional, inclusive
    currency = "USD"
    time_zone = "America/Chicago"       # optional; else the facility's
    holidays = "US-IL"                  # optional: a country, or a part of one
    extra_holidays = [2026-12-24]       # optional

    [[rate]]                            # a price by its name, such as 60/6
    name = "day"
    per_minute = "0.06"
    first_seconds = 60                  # optional, like next_seconds: 60
    next_seconds = 6

    [[rate]]                            # or step by step, with what holds for a whole call; all of that is optional
    name = "overseas"
    steps = [
        { from_s = 0, price = "0.30", per_s = 60, increment_s = 60 },
        { from_s = 600, price = "0.20", per_s = 60, increment_s = 1 },
    ]
    connect_fee = "0.15"
    minimum = "0.25"                    # the least that a connected call costs, connection fee included
    max_cost = "10"
    max_cost_then = "disconnect"        # or "free"
    rounding = "middle"                 # or "up", or "down" as without it
    decimals = 2                        # 6 without it

    [[time]]                            # a week of rates: all rows of one name
    name = "day and night"
    days = "mon-fri"                    # or "sat", or "holiday"
    start = "08:00"                     # until the next row starts
    rate = "day"

    [[zone]]                            # destinations that are priced alike: E.164 digits without "+"
    name = "Bahamas and London"
    prefixes = ["1242", "4420"]
    termination = "0.04"                # optional: what ending a minute there costs, which an international cap adds

    [[price]]                           # what applies to which calls: call_types, or a prefix, or a zone
    rate = "day and night"              # a rate or a week of rates
    call_types = ["local", "intrastate", "interstate"]

The longest prefix that fits a number decides its price, directly or through a zone; without one, the call type.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Annotated, Literal, Self

import holidays as calendars
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from rating.call_type import CallType
from rating.days import bounded
from rating.fields import (
    Amount,
    CallFields,
    Clock,
    Decimals,
    Fields,
    Seconds,
    StepFields,
    Text,
    Zone,
    mistakes,
    steps_mistake,
)
from rating.form import Slug
from rating.price import Price, may_begin
from rating.tariff import Method, Rate, Rounding, simple_rate
from rating.timetable import HOLIDAY, always

ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class TariffFileError(Exception):
    """The file can't be used; the message has one line a mistake, each naming its field."""


def _days(value: object) -> list[int]:
    if value == "holiday":
        return [HOLIDAY]
    first, _, last = value.partition("-") if isinstance(value, str) else ("", "", "")
    if first not in _DAY_NAMES or (last or first) not in _DAY_NAMES:
        raise ValueError('expected days such as "mon-fri" or "sat", or "holiday"')
    start, end = _DAY_NAMES.index(first), _DAY_NAMES.index(last or first)
    return [day % 7 + 1 for day in range(start, end + 1 if end >= start else end + 8)]


def _calendar(value: object) -> str:
    country, _, part = value.partition("-") if isinstance(value, str) else ("", "", "")
    try:
        calendars.country_holidays(country, subdiv=part or None)
    except NotImplementedError:
        raise ValueError(
            'expected a country or a part of one whose holidays are known, such as "US-IL"'
        ) from None
    return str(value)


def _prefix(value: object) -> str:
    if not isinstance(value, str) or re.fullmatch(r"[1-9][0-9]{0,14}", value, re.ASCII) is None:
        raise ValueError('expected the first digits of numbers without "+", such as "1242"')
    return value


def _date(value: object) -> date:
    if type(value) is not date:
        raise ValueError("expected a date without quotes, such as 2026-01-01")
    return bounded(value)


Prefix = Annotated[str, BeforeValidator(_prefix)]
Day = Annotated[date, BeforeValidator(_date)]


class RateFields(CallFields):
    """`[[rate]]`: a price by its name."""

    name: Text
    per_minute: Amount | None = None
    first_seconds: Seconds = 60
    next_seconds: Seconds = 60
    steps: Annotated[list[StepFields], Field(min_length=1)] | None = None
    rounding: Method = "down"
    decimals: Decimals = 6

    @model_validator(mode="after")
    def _says_one_price(self) -> Self:
        if (self.per_minute is None) == (self.steps is None):
            raise ValueError("expected either per_minute or steps")
        if self.max_cost is None and "max_cost_then" in self.model_fields_set:
            raise ValueError("expected a max_cost beside max_cost_then")
        if self.steps is not None and self.model_fields_set & {"first_seconds", "next_seconds"}:
            raise ValueError(
                "expected no first_seconds and next_seconds beside steps, which have their increments"
            )
        return self

    def rate(self) -> Rate:
        """The value."""
        if self.steps is None:
            assert self.per_minute is not None
            steps = simple_rate(self.per_minute, self.first_seconds, self.next_seconds).steps
        else:
            steps = tuple(each.step() for each in self.steps)
        return Rate(
            steps,
            self.connect_fee,
            self.minimum,
            self.max_cost,
            self.max_cost_then,
            Rounding(self.rounding, self.decimals),
        )


class TimeFields(Fields):
    """`[[time]]`: one start in a week of rates."""

    name: Text
    days: Annotated[list[int], BeforeValidator(_days)]
    start: Clock
    rate: Text


class ZoneFields(Fields):
    """`[[zone]]`: destinations that are priced alike."""

    name: Text
    prefixes: Annotated[list[Prefix], Field(min_length=1)]
    termination: Amount | None = None


class PriceFields(Fields):
    """`[[price]]`: which rate or week of rates applies to which calls."""

    rate: Text
    call_types: Annotated[list[CallType], Field(min_length=1)] | None = None
    prefix: Prefix | None = None
    zone: Text | None = None
    termination: Amount | None = None  # of a prefix or call type; a zone has its own

    @model_validator(mode="after")
    def _says_which_calls(self) -> Self:
        if sum(each is not None for each in (self.call_types, self.prefix, self.zone)) != 1:
            raise ValueError("expected one of call_types, prefix and zone")
        if self.zone is not None and self.termination is not None:
            raise ValueError("expected termination in the zone")
        return self


class TariffFile(Fields):
    """The whole file."""

    id: Slug
    valid_from: Day
    valid_to: Day | None = None
    currency: Literal["USD"]
    time_zone: Zone | None = None
    holidays: Annotated[str, BeforeValidator(_calendar)] | None = None
    extra_holidays: tuple[Day, ...] = ()
    rate: Annotated[list[RateFields], Field(min_length=1)]
    time: tuple[TimeFields, ...] = ()
    zone: tuple[ZoneFields, ...] = ()
    price: Annotated[list[PriceFields], Field(min_length=1)]


def parse_tariff(text: str, name: str) -> TariffFile:
    """The content of a tariff's file; raises TariffFileError with a line for each mistake, beginning with `name`."""
    try:
        file = TariffFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise TariffFileError(f"{name}: not TOML: {error}") from None
    except ValidationError as error:
        lines = [f"{name}: {field}: {expected}" for field, expected in mistakes(error)]
        raise TariffFileError("\n".join(lines)) from None
    if wrong := [f"{name}: {mistake}" for mistake in _contradictions(file)]:
        raise TariffFileError("\n".join(wrong))
    return file


def _contradictions(file: TariffFile) -> Iterator[str]:
    """What each field allows, and the file as a whole does not."""
    if file.valid_to is not None and file.valid_to < file.valid_from:
        yield f"valid_to: expected a date not before valid_from, {file.valid_from}"
    for number, rate in enumerate(file.rate):
        yield from (f"rate.{number}.{mistake}" for mistake in _rate_mistakes(rate))
    yield from _name_mistakes(file)
    yield from _time_mistakes(file)
    yield from _zone_mistakes(file)
    yield from _price_mistakes(file)


def _rate_mistakes(rate: RateFields) -> Iterator[str]:
    steps = rate.steps or []
    if mistake := steps_mistake(steps):
        number, expected = mistake
        yield f"steps.{number}.from_s: {expected}"
    for number, (earlier, later) in enumerate(pairwise(steps), start=1):
        if (later.from_s - earlier.from_s) % earlier.increment_s:
            yield (
                f"steps.{number}.from_s: expected a whole number of {earlier.increment_s} s increments after "
                f"{earlier.from_s}, lest time be charged twice"
            )
    if rate.max_cost is not None and rate.max_cost < max(rate.connect_fee, rate.minimum):
        yield "max_cost: expected at least the connect_fee and the minimum"
    elif not steps_mistake(steps) and not may_begin(Price(always(rate.rate())), ANY_TIME):
        yield "max_cost: expected at least the price of the first increment, lest no call be allowed"


def _name_mistakes(file: TariffFile) -> Iterator[str]:
    seen: set[str] = set()
    for number, rate in enumerate(file.rate):
        if rate.name in seen:
            yield f"rate.{number}.name: expected another name: there is a rate {rate.name!r}"
        seen.add(rate.name)
    for number, row in enumerate(file.time):
        if row.name in seen:
            yield f"time.{number}.name: expected another name: there is a rate {row.name!r}"
        if row.rate not in seen:
            yield f"time.{number}.rate: expected the name of a rate, not {row.rate!r}"


def _time_mistakes(file: TariffFile) -> Iterator[str]:
    seen = set()
    for number, row in enumerate(file.time):
        for start in ((row.name, day, row.start) for day in row.days):
            if start in seen:
                yield f"time.{number}.start: expected another time: {row.name!r} has this one on the same day"
                break
            seen.add(start)
    for name in dict.fromkeys(row.name for row in file.time):
        if all(row.days == [HOLIDAY] for row in file.time if row.name == name):
            yield f"time: expected a row of {name!r} for days of the week"


def _zone_mistakes(file: TariffFile) -> Iterator[str]:
    names: set[str] = set()
    owners: dict[str, str] = {}
    for number, zone in enumerate(file.zone):
        if zone.name in names:
            yield f"zone.{number}.name: expected another name: there is a zone {zone.name!r}"
        names.add(zone.name)
        for place, prefix in enumerate(zone.prefixes):
            if prefix in owners:
                yield f"zone.{number}.prefixes.{place}: expected another prefix: zone {owners[prefix]!r} has {prefix}"
            owners.setdefault(prefix, zone.name)


def _price_mistakes(file: TariffFile) -> Iterator[str]:
    rates = {each.name for each in file.rate} | {each.name for each in file.time}
    zones = {zone.name: zone.prefixes for zone in file.zone}
    taken: dict[str, int] = {}
    for number, row in enumerate(file.price):
        if row.rate not in rates:
            yield f"price.{number}.rate: expected the name of a rate or of rows of time, not {row.rate!r}"
        if row.zone is not None and row.zone not in zones:
            yield f"price.{number}.zone: expected the name of a zone, not {row.zone!r}"
        for field, each in _covered(row, zones):
            if each in taken:
                yield f"price.{number}.{field}: expected one price for {each}: price.{taken[each]} has it"
            taken.setdefault(each, number)


def _covered(row: PriceFields, zones: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    """The call types and prefixes that a row is for, with the field that says so."""
    yield from (("call_types", call_type) for call_type in row.call_types or ())
    if row.prefix is not None:
        yield "prefix", row.prefix
    if row.zone is not None:
        yield from (("zone", prefix) for prefix in dict.fromkeys(zones.get(row.zone, ())))
