"""What one call costs, and how long it may last. Pure: no clock, no database.

Amounts are exact until they are rounded, once for the call and once for each tax line.
"""

import json
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from rating.decimals import format_decimal, parse_decimal
from rating.money import ZERO, Money, format_money, parse_money
from rating.tariff import MOST_DECIMALS, Rate, Rounding, Step
from rating.timetable import Course, Entry, Timetable

#: The longest talk that is searched for.
LONGEST_MS: Final = 10**18

#: More than any call costs.
BOUNDLESS: Final = Money(10**30)

_DOWN: Final = tuple(Rounding("down", decimals) for decimals in range(MOST_DECIMALS + 1))


@dataclass(frozen=True, slots=True)
class Tax:
    """A line of tax: percent of a call's exact price, or a fixed amount for each connected call.

    Without a rounding of its own it is rounded down, to the decimals of the rate: what is collected is never more
    than the tax.
    """

    name: str
    percent: Fraction | None = None
    fixed: Money | None = None
    rounding: Rounding | None = None

    def __post_init__(self) -> None:
        """Refuse a tax that is neither or both, is negative, or has no decimal form; raises ValueError."""
        if (self.percent is None) == (self.fixed is None):
            raise ValueError("a tax is either a percentage or a fixed amount")
        if (self.percent or 0) < 0 or (self.fixed or 0) < 0:
            raise ValueError("a tax is never negative")
        if self.percent is not None:
            format_decimal(self.percent)

    def on(self, numerator: int, denominator: int, decimals: int) -> Money:
        """The tax on an exact price of numerator/denominator millionths."""
        rounding = self.rounding or _DOWN[decimals]
        if self.percent is None:
            assert self.fixed is not None
            return rounding.rounded(self.fixed, 1)
        return rounding.rounded(
            numerator * self.percent.numerator, denominator * self.percent.denominator * 100
        )


class TaxLine(NamedTuple):
    """What one tax adds to a call."""

    name: str
    amount: Money


class Charge(NamedTuple):
    """One rated call, as the CDR and the statement show it."""

    billed_seconds: int
    connect_fee: Money  # the part of the amount that is the connection fee
    amount: Money  # before tax
    taxes: tuple[TaxLine, ...]
    total: Money
    agency: Money = ZERO  # the part of the total that the agency pays

    @property
    def due(self) -> Money:
        """What is left for the payer of the call."""
        return Money(self.total - self.agency)

    @property
    def tax(self) -> Money:
        """All tax lines together."""
        return Money(self.total - self.amount)


NOTHING: Final = Charge(billed_seconds=0, connect_fee=ZERO, amount=ZERO, taxes=(), total=ZERO)


@dataclass(frozen=True, slots=True)
class Price:
    """All that decides what a call costs but its beginning and its length.

    `agency_percent` of every total is the agency's; what cannot be divided is the agency's too, so that the payer
    never pays more than the rest.
    """

    timetable: Timetable
    taxes: tuple[Tax, ...] = ()
    agency_percent: int = 0

    def __post_init__(self) -> None:
        """Refuse a share that is none; raises ValueError."""
        if not 0 <= self.agency_percent <= 100:
            raise ValueError(f"the agency pays from 0 to 100 percent, not {self.agency_percent}")

    def continued(self) -> "Price":
        """The price of a call that goes on with one that was paid: only its further increments, with percent taxes.

        Connection fee, minimum, first block and the taxes on each connected call were that one's to pay.
        """
        percent = tuple(tax for tax in self.taxes if tax.fixed is None)
        return replace(self, timetable=self.timetable.continued(), taxes=percent)

    def to_text(self, first_day: date | None = None, last_day: date | None = None) -> str:
        """The price as canonical text, from which `price_from_text` makes an equal one.

        Of the holidays only those are written that decide a call between two local days, if days are given.
        """
        return json.dumps(_price_fields(self, first_day, last_day), separators=(",", ":"))


def charge(price: Price, started_at: datetime, talk_ms: int) -> Charge:
    """What talking for `talk_ms` from an instant on costs; a call without talk time costs nothing.

    A talk that goes on beyond the highest cost of a rate that disconnects there is charged as if it had ended
    there. Raises ValueError for a negative talk time and for an instant without a time zone.
    """
    if talk_ms < 0:
        raise ValueError(f"talk time is never negative: {talk_ms} ms")
    if talk_ms == 0:
        return NOTHING
    course = price.timetable.course(started_at, talk_ms)
    charged = _charged(course, price, talk_ms)
    if not _may_go_on(course.first, charged):
        allowed_ms = _longest(
            course, talk_ms, lambda ms: _may_go_on(course.first, _charged(course, price, ms))
        )
        return _charged(course, price, allowed_ms)
    return charged


def longest_talk_ms(price: Price, started_at: datetime, available: Money, cap_ms: int) -> int:
    """The longest talk from an instant on, at most `cap_ms`, that the rate allows and `available` pays for with tax.

    What the agency pays is not asked of `available`.

    It is 0 if not even the first increment is paid for. It is searched for with what `charge` itself charges, so
    that the limit of a call and its bill cannot disagree.
    """
    if cap_ms <= 0:
        return 0
    course = price.timetable.course(started_at, cap_ms)

    def is_paid_for(talk_ms: int) -> bool:
        charged = _charged(course, price, talk_ms)
        return charged.due <= available and _may_go_on(course.first, charged)

    return _longest(course, min(cap_ms, LONGEST_MS), is_paid_for)


def longest_at_any_cost_ms(price: Price, started_at: datetime, cap_ms: int) -> int:
    """The longest talk from an instant on, at most `cap_ms`, that the rate allows, whatever there is to pay it with."""
    return longest_talk_ms(price, started_at, BOUNDLESS, cap_ms)


def first_increment_price(price: Price, started_at: datetime) -> Money:
    """The least that a connected call costs, with tax; also where the rate's highest cost would not allow it."""
    return _charged(price.timetable.course(started_at, 1), price, 1).due


def may_begin(price: Price, started_at: datetime) -> bool:
    """Whether the rate's highest cost allows the first increment."""
    course = price.timetable.course(started_at, 1)
    return _may_go_on(course.first, _charged(course, price, 1))


def _charged(course: Course, price: Price, talk_ms: int) -> Charge:
    """The charge for a talk that may last so long."""
    if talk_ms == 0:
        return NOTHING
    rate, denominator = course.first, course.denominator
    billed_seconds = 0
    exact = rate.connect_fee * denominator
    for from_ms, until_ms, increment_s, increment_price in course.stretches:
        if talk_ms <= from_ms:
            break
        end_ms = until_ms if until_ms < talk_ms else talk_ms
        increments = -((from_ms - end_ms) // (increment_s * 1000))
        billed_seconds += increments * increment_s
        exact += increments * increment_price
    if rate.minimum and exact < rate.minimum * denominator:
        exact = rate.minimum * denominator
    highest = rate.max_cost if rate.max_cost_then == "free" else None
    if highest is not None and exact > highest * denominator:
        exact = highest * denominator
    amount = rate.rounding.rounded(exact, denominator)
    if highest is not None and amount > highest:  # rounded up to decimals that the highest cost has more of
        amount = highest
    connect_fee = rate.connect_fee if rate.connect_fee < amount else amount
    if not price.taxes and not price.agency_percent:
        return Charge(billed_seconds, connect_fee, amount, (), amount)
    decimals = rate.rounding.decimals
    lines = tuple(TaxLine(tax.name, tax.on(exact, denominator, decimals)) for tax in price.taxes)
    total = Money(amount + sum(line.amount for line in lines))
    agency = Money(total - total * (100 - price.agency_percent) // 100)
    return Charge(billed_seconds, connect_fee, amount, lines, total, agency)


def _may_go_on(first: Rate, charged: Charge) -> bool:
    return first.max_cost is None or first.max_cost_then == "free" or charged.amount <= first.max_cost


def _longest(course: Course, cap_ms: int, allows: Callable[[int], bool]) -> int:
    """The longest talk up to `cap_ms` that is allowed, where none is that is longer than one that is not.

    Only ends of increments are tried: within an increment nothing changes.
    """
    stretches = [stretch for stretch in course.stretches if stretch.from_ms < cap_ms]
    whole_stretches = _first_refused(len(stretches), lambda at: allows(min(stretches[at].until_ms, cap_ms)))
    if whole_stretches == len(stretches):
        return cap_ms
    from_ms, until_ms, increment_s, _ = stretches[whole_stretches]
    increment_ms = increment_s * 1000
    most = (min(until_ms, cap_ms) - from_ms - 1) // increment_ms  # the one that reaches the end is refused
    return from_ms + increment_ms * _first_refused(most, lambda at: allows(from_ms + (at + 1) * increment_ms))


def _first_refused(count: int, allows: Callable[[int], bool]) -> int:
    """The first number from 0 on that is not allowed, or `count`; after one that is not, none is."""
    return bisect_left(range(count), 1, key=lambda number: not allows(number))


@lru_cache(maxsize=1_000)
def price_from_text(text: str) -> Price:
    """The price that `Price.to_text` wrote; raises ValueError if the text is none."""
    try:
        fields = json.loads(text)
        rates = [_rate(each) for each in fields["rates"]]
        entries = tuple(
            Entry(frozenset(each["days"]), time.fromisoformat(each["start"]), rates[each["rate"]])
            for each in fields["entries"]
        )
        holidays = frozenset(date.fromisoformat(day) for day in fields["holidays"])
        timetable = Timetable(entries, ZoneInfo(fields["zone"]), holidays)
        return Price(timetable, tuple(_tax(each) for each in fields["taxes"]), fields["agency_percent"])
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"not the text of a price: {error!r}") from None


def _price_fields(price: Price, first_day: date | None, last_day: date | None) -> dict[str, Any]:
    timetable = price.timetable
    rates = timetable.rates
    # the last entry that started before the first day may have started on a holiday of the week before
    since = first_day and first_day - timedelta(days=8)
    until = last_day and last_day + timedelta(days=1)
    return {
        "zone": timetable.zone.key,
        "entries": [
            {"days": sorted(each.days), "start": each.start.isoformat(), "rate": rates.index(each.rate)}
            for each in timetable.entries
        ],
        "holidays": [
            day.isoformat()
            for day in sorted(timetable.holidays)
            if (since is None or day >= since) and (until is None or day <= until)
        ],
        "rates": [_rate_fields(rate) for rate in rates],
        "taxes": [_tax_fields(tax) for tax in price.taxes],
        "agency_percent": price.agency_percent,
    }


def _rate_fields(rate: Rate) -> dict[str, Any]:
    return {
        "steps": [
            {
                "from_s": step.from_s,
                "price": format_money(step.price),
                "per_s": step.per_s,
                "increment_s": step.increment_s,
            }
            for step in rate.steps
        ],
        "connect_fee": format_money(rate.connect_fee),
        "minimum": format_money(rate.minimum),
        "max_cost": None if rate.max_cost is None else format_money(rate.max_cost),
        "max_cost_then": rate.max_cost_then,
        "rounding": _rounding_fields(rate.rounding),
    }


def _rate(fields: dict[str, Any]) -> Rate:
    steps = (
        Step(each["from_s"], parse_money(each["price"]), each["per_s"], each["increment_s"])
        for each in fields["steps"]
    )
    highest = fields["max_cost"]
    return Rate(
        tuple(steps),
        parse_money(fields["connect_fee"]),
        parse_money(fields["minimum"]),
        None if highest is None else parse_money(highest),
        fields["max_cost_then"],
        Rounding(**fields["rounding"]),
    )


def _rounding_fields(rounding: Rounding) -> dict[str, Any]:
    return {"method": rounding.method, "decimals": rounding.decimals}


def _tax_fields(tax: Tax) -> dict[str, Any]:
    return {
        "name": tax.name,
        "percent": None if tax.percent is None else format_decimal(tax.percent),
        "fixed": None if tax.fixed is None else format_money(tax.fixed),
        "rounding": None if tax.rounding is None else _rounding_fields(tax.rounding),
    }


def _tax(fields: dict[str, Any]) -> Tax:
    percent, fixed, rounding = fields["percent"], fields["fixed"], fields["rounding"]
    return Tax(
        fields["name"],
        None if percent is None else parse_decimal(percent),
        None if fixed is None else parse_money(fixed),
        None if rounding is None else Rounding(**rounding),
    )
