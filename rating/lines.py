"""Calls rated line by line: one JSON object in, one out. It is for testing tariffs, by hand or against a reference.

    {"tariff": {"connect_fee": "0.15", "rates": [{"from_s": 0, "price": "0.05", "per_s": 60, "increment_s": 1}],
     "rounding": {"method": "up", "decimals": 2}, "max_cost": "10", "max_cost_then": "free"}, "call": {"seconds": 24}}

A tariff may also have a `minimum`, and `taxes` such as {"name": "state", "percent": "6.25"} or {"name": "911",
"fixed": "0.10"}. Instead of `tariff`, `tariff_by_time` is a list of tariffs, each with `weekdays` (1 is Monday) and
the `start` from which it holds until the next one starts, in the `timezone` of the line. `call` has `seconds`, or
`start` and `end` (ISO 8601; without an offset in `timezone`, a repeated time being its first occurrence), or `start`
and `seconds`. A `balance` and `requested_s` bound the call; without a length of the call nothing is rated and only
`max_seconds` is told. An `id` comes back in the answer.

The answer has `cost` (connection fee included, before tax), `connect_fee`, `billed_seconds`, `tax`, `taxes` if there
are any, `max_seconds` (whole; null if nothing bounds the call) and `balance_after`; or `refused` (`no_rate`,
`funds_too_low`, or `max_cost` where not even the first increment is within it); or `error`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from rating.fields import (
    Amount,
    AnyAmount,
    CallFields,
    Clock,
    Decimals,
    Fields,
    Milliseconds,
    Percent,
    StepFields,
    Text,
    Weekday,
    Zone,
    mistakes,
    steps_mistake,
)
from rating.money import Money, format_money
from rating.price import (
    BOUNDLESS,
    LONGEST_MS,
    Price,
    Tax,
    charge,
    first_increment_price,
    longest_talk_ms,
    may_begin,
)
from rating.tariff import Method, Rate, Rounding
from rating.timetable import Entry, Timetable, always

FUNDS_TOO_LOW: Final = "funds_too_low"
NO_RATE: Final = "no_rate"
MAX_COST: Final = "max_cost"

_DAY_MS: Final = 86_400_000
#: Where the price depends on the time, a talk that may last so long is told to be unlimited.
_UNBOUNDED_MS: Final = 10_000 * _DAY_MS
_YEARS: Final = range(1970, 2200)


class LineError(Exception):
    """A line can't be rated; the message names the field and what was expected there."""


def _instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError('expected a time such as "2026-03-08T01:30:00-05:00"') from None
    if instant.year not in _YEARS:
        raise ValueError(f"expected a year from {_YEARS.start} to {_YEARS.stop - 1}")
    return instant


Instant = Annotated[datetime, BeforeValidator(_instant)]


class RoundingFields(Fields):
    """How the price of a call is rounded."""

    method: Method = "down"
    decimals: Decimals = 6


class TaxFields(Fields):
    """A line of tax."""

    name: Text
    percent: Percent | None = None
    fixed: Amount | None = None

    @model_validator(mode="after")
    def _is_one_tax(self) -> Self:
        if (self.percent is None) == (self.fixed is None):
            raise ValueError("expected either percent or fixed")
        return self


class TariffFields(CallFields):
    """The price of a call."""

    rates: list[StepFields]
    rounding: RoundingFields = RoundingFields()
    taxes: tuple[TaxFields, ...] = ()

    def rate(self) -> Rate:
        """The value, without taxes."""
        return Rate(
            tuple(each.step() for each in self.rates),
            self.connect_fee,
            self.minimum,
            self.max_cost,
            self.max_cost_then,
            Rounding(self.rounding.method, self.rounding.decimals),
        )


class TimedFields(TariffFields):
    """The price of calls from a time of the week on."""

    weekdays: Annotated[list[Weekday], Field(min_length=1)]
    start: Clock


class SpanFields(Fields):
    """When a call was, or how long it lasted."""

    seconds: Milliseconds | None = None
    start: Instant | None = None
    end: Instant | None = None


class LineFields(Fields):
    """A whole line."""

    id: Any = None
    tariff: TariffFields | None = None
    tariff_by_time: list[TimedFields] | None = None
    timezone: Zone | None = None
    call: SpanFields = SpanFields()
    balance: AnyAmount | None = None
    requested_s: Milliseconds | None = None


def answer(line: str) -> str:
    """The answer to a line, as a line without its end."""
    return json.dumps(reply(line))


def reply(line: str) -> dict[str, Any]:
    """The answer to a line, as what JSON it is written in; `error` says what was wrong with the line."""
    try:
        fields = _read(line)
    except LineError as error:
        return {"error": str(error)}
    echo = {"id": fields["id"]} if "id" in fields else {}
    try:
        return echo | _rated(LineFields.model_validate(fields))
    except LineError as error:
        return echo | {"error": str(error)}
    except ValidationError as error:
        field, expected = next(mistakes(error))
        return echo | {"error": f"field {field or 'line'}: {expected}"}


def _read(line: str) -> dict[str, Any]:
    try:
        fields = json.loads(line, parse_float=Decimal, parse_constant=Decimal, object_pairs_hook=_once)
    except (ValueError, RecursionError, ArithmeticError):
        fields = None
    if not isinstance(fields, dict):
        raise LineError("field line: expected one JSON object")
    if not isinstance(fields.get("id"), str | int | None):
        raise LineError("field id: expected a text or a whole number")
    return fields


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise LineError(f"field {twin}: expected it only once")
    return fields


@dataclass(frozen=True, slots=True)
class _Span:
    """A call; without a length, one that is only asked for."""

    started_at: datetime
    talk_ms: int | None


def _rated(line: LineFields) -> dict[str, Any]:
    if (line.tariff is None) == (line.tariff_by_time is None):
        raise LineError("field tariff: expected either tariff or tariff_by_time")
    span = _span(line)
    price = _price(line, span.started_at)
    if price is None:
        return {"refused": NO_RATE}
    if line.balance is not None and line.balance < first_increment_price(price, span.started_at):
        return {"refused": FUNDS_TOO_LOW}
    if not may_begin(price, span.started_at):
        return {"refused": MAX_COST}
    longest_ms = _longest_ms(price, span.started_at, line.balance, line.requested_s)
    talk_ms = span.talk_ms or 0
    charged = charge(price, span.started_at, talk_ms if longest_ms is None else min(talk_ms, longest_ms))
    rated: dict[str, Any] = {
        "cost": format_money(charged.amount),
        "connect_fee": format_money(charged.connect_fee),
        "billed_seconds": charged.billed_seconds,
        "tax": format_money(Money(charged.total - charged.amount)),
    }
    if price.taxes:
        rated["taxes"] = [{"name": tax.name, "amount": format_money(tax.amount)} for tax in charged.taxes]
    rated["max_seconds"] = None if longest_ms is None else longest_ms // 1000
    after = None if line.balance is None else format_money(Money(line.balance - charged.total))
    return rated | {"balance_after": after}


def _span(line: LineFields) -> _Span:
    call = line.call
    start = None if call.start is None else _absolute(call.start, "start", line.timezone)
    if call.end is not None:
        if start is None:
            raise LineError("field call.start: expected a time beside call.end")
        talk_ms = (_absolute(call.end, "end", line.timezone) - start) // timedelta(milliseconds=1)
        if talk_ms < 0:
            raise LineError(
                "field call.end: expected a time not before call.start (an offset tells repeated times apart)"
            )
        if call.seconds not in (None, talk_ms):
            raise LineError("field call.seconds: expected none beside call.end, or the same")
        return _Span(start, talk_ms)
    if call.seconds is None and line.balance is None and line.requested_s is None:
        raise LineError("field call.seconds: expected how long the call lasted, or a balance or requested_s")
    if start is None:
        if line.tariff_by_time is not None:
            raise LineError("field call.start: expected a time, on which the tariff depends")
        start = datetime(_YEARS.start, 1, 1, tzinfo=UTC)  # any will do
    return _Span(start, call.seconds)


def _absolute(instant: datetime, field: str, zone: ZoneInfo | None) -> datetime:
    if instant.tzinfo is None and zone is None:
        raise LineError(f"field call.{field}: expected an offset, or a timezone in the line")
    return (instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)).astimezone(UTC)


def _price(line: LineFields, started_at: datetime) -> Price | None:
    """The price of a call at that time; None if the tariff has no rate."""
    if line.tariff is not None:
        if not line.tariff.rates:
            return None
        _check_steps(line.tariff, "tariff")
        return Price(always(line.tariff.rate()), tuple(_taxes(line.tariff.taxes)))
    timed = line.tariff_by_time or []
    if not timed or not all(each.rates for each in timed):
        return None
    if line.timezone is None:
        raise LineError(
            'field timezone: expected a time zone of the IANA database, such as "America/New_York"'
        )
    for number, each in enumerate(timed):
        _check_steps(each, f"tariff_by_time.{number}")
    rates = [each.rate() for each in timed]
    entries = (
        Entry(frozenset(each.weekdays), each.start, rate) for each, rate in zip(timed, rates, strict=True)
    )
    try:
        timetable = Timetable(tuple(entries), line.timezone)
    except ValueError as error:
        raise LineError(f"field tariff_by_time: expected other starts: {error}") from None
    in_force = timetable.rate_at(started_at)
    # by identity: two entries may have equal rates and different taxes
    taxes = next(each.taxes for each, rate in zip(timed, rates, strict=True) if rate is in_force)
    return Price(timetable, tuple(_taxes(taxes)))


def _check_steps(tariff: TariffFields, field: str) -> None:
    if mistake := steps_mistake(tariff.rates):
        number, expected = mistake
        raise LineError(f"field {field}.rates.{number}.from_s: {expected}")


def _taxes(taxes: Iterable[TaxFields]) -> Iterable[Tax]:
    return (Tax(tax.name, tax.percent, tax.fixed) for tax in taxes)


def _longest_ms(
    price: Price, started_at: datetime, balance: Money | None, requested_ms: int | None
) -> int | None:
    """The longest talk that is paid for, allowed and wanted; None if nothing bounds it."""
    available = BOUNDLESS if balance is None else balance
    if requested_ms is not None:
        return longest_talk_ms(price, started_at, available, requested_ms)
    first = price.timetable.rate_at(started_at)
    if balance is None and (first.max_cost is None or first.max_cost_then == "free"):
        return None
    if price.timetable.same_always:
        longest_ms = longest_talk_ms(price, started_at, available, LONGEST_MS)
        return longest_ms if longest_ms < LONGEST_MS else None
    cap_ms = _DAY_MS
    while (longest_ms := longest_talk_ms(price, started_at, available, cap_ms)) == cap_ms:
        if cap_ms >= _UNBOUNDED_MS:
            return None
        cap_ms *= 10
    return longest_ms
