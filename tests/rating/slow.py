"""A second, slow way to the price of a call, in exact fractions: increments are bought one after the other.

It is written from the description of tariffs, not from `rating.price`, and shares only the values with it: no
common denominators, no stretches, no search.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from zoneinfo import ZoneInfo

from rating.price import Price, Tax
from rating.tariff import Rate, Rounding, Step
from rating.timetable import Timetable

MS = timedelta(milliseconds=1)


@dataclass(frozen=True)
class SlowCharge:
    billed_seconds: int
    amount: Fraction
    taxes: list[Fraction]

    @property
    def total(self) -> Fraction:
        return self.amount + sum(self.taxes)


def slow_charge(price: Price, started_at: datetime, talk_ms: int) -> SlowCharge:
    """What `rating.price.charge` has to say, found by buying increments until the talk is covered."""
    if talk_ms == 0:
        return SlowCharge(0, Fraction(0), [])
    rate = RateClock(price.timetable, started_at, talk_ms).at(0)
    usage, seconds = Fraction(0), 0
    for step in increments(price.timetable, started_at, talk_ms):
        costlier = usage + Fraction(step.price * step.increment_s, step.per_s)
        highest = rate.max_cost if rate.max_cost_then == "disconnect" else None
        if highest is not None and rounded(exact_price(rate, costlier), rate.rounding) > highest:
            break
        usage, seconds = costlier, seconds + step.increment_s
    if not seconds:
        return SlowCharge(0, Fraction(0), [])
    exact = exact_price(rate, usage)
    amount = rounded(exact, rate.rounding)
    if rate.max_cost is not None and rate.max_cost_then == "free":
        amount = min(amount, Fraction(rate.max_cost))
    taxes = [tax_on(tax, exact, rate.rounding.decimals) for tax in price.taxes]
    return SlowCharge(seconds, amount, taxes)


def slow_continuation(price: Price, started_at: datetime, talk_ms: int) -> SlowCharge:
    """What `talk_ms` more cost after a first block, where the price is the same always: all increments but the first.

    Without the highest cost of a call, which counts anew.
    """
    rate = RateClock(price.timetable, started_at, 1).at(0)
    first_block_ms = next(at for at in range(1000, 10**9, 1000) if is_whole(price, started_at, at))
    bought = list(increments(price.timetable, started_at, first_block_ms + talk_ms))[1:]
    usage = sum((Fraction(step.price * step.increment_s, step.per_s) for step in bought), Fraction(0))
    taxes = [tax_on(tax, usage, rate.rounding.decimals) for tax in price.taxes if tax.percent is not None]
    return SlowCharge(sum(step.increment_s for step in bought), rounded(usage, rate.rounding), taxes)


def is_whole(price: Price, started_at: datetime, talk_ms: int) -> bool:
    """Whether a millisecond more than this needs a second increment."""
    return len(list(increments(price.timetable, started_at, talk_ms + 1))) == 2


def exact_price(rate: Rate, usage: Fraction) -> Fraction:
    exact = rate.connect_fee + usage
    if exact < rate.minimum:
        exact = Fraction(rate.minimum)
    if rate.max_cost is not None and rate.max_cost_then == "free" and exact > rate.max_cost:
        exact = Fraction(rate.max_cost)
    return exact


def tax_on(tax: Tax, exact: Fraction, decimals: int) -> Fraction:
    due = exact * tax.percent / 100 if tax.percent is not None else Fraction(tax.fixed or 0)
    return rounded(due, tax.rounding or Rounding("down", decimals))


def rounded(micros: Fraction, rounding: Rounding) -> Fraction:
    places = Fraction(10) ** (6 - rounding.decimals)
    units = micros / places
    whole = {"down": floor(units), "up": ceil(units), "middle": floor(units + Fraction(1, 2))}[
        rounding.method
    ]
    return whole * places


def increments(timetable: Timetable, started_at: datetime, talk_ms: int) -> Iterator[Step]:
    """The increments that a talk needs, each from the end of the last; a new rate or step begins one early."""
    clock = RateClock(timetable, started_at, talk_ms)
    for from_ms, until_ms in pairwise([0, *clock.changes, talk_ms]):
        rate, at_ms = clock.at(from_ms), from_ms
        while at_ms < until_ms:
            step = step_at(rate, at_ms)
            yield step
            ends = [at_ms + step.increment_s * 1000, *(later.from_s * 1000 for later in rate.steps)]
            at_ms = min(end for end in ends if end > at_ms)


def step_at(rate: Rate, at_ms: int) -> Step:
    return next(step for step in reversed(rate.steps) if step.from_s * 1000 <= at_ms)


class RateClock:
    """Which rate holds so many milliseconds into a talk."""

    def __init__(self, timetable: Timetable, started_at: datetime, talk_ms: int) -> None:
        utc = started_at.astimezone(UTC)
        self._began = utc - timedelta(microseconds=utc.microsecond % 1000)
        last = self._began + talk_ms * MS
        self._starts = [
            (wall, first_instant(wall, timetable.zone), rate)
            for day in days(self._began - timedelta(days=10), last + timedelta(days=2))
            for wall, rate in starts_of(timetable, day)
        ]
        moments = sorted({instant for _, instant, _ in self._starts if self._began < instant < last})
        offsets = [(instant - self._began) // MS for instant in moments]
        self.changes = [at for at in offsets if self.at(at) != self.at(at - 1)]

    def at(self, at_ms: int) -> Rate:
        """Of all that have started, the one with the latest time on the wall."""
        now = self._began + at_ms * MS
        started = [(wall, rate) for wall, instant, rate in self._starts if instant <= now]
        return max(started, key=lambda each: each[0])[1]


def starts_of(timetable: Timetable, day: date) -> list[tuple[datetime, Rate]]:
    holiday_entries = [entry for entry in timetable.entries if 0 in entry.days]
    if day in timetable.holidays and holiday_entries:
        todays = holiday_entries
    else:
        todays = [entry for entry in timetable.entries if day.weekday() + 1 in entry.days]
    return [(datetime.combine(day, entry.start), entry.rate) for entry in todays]


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which clocks on the wall read this, or as far after a change as it says if none do."""
    around = [wall.replace(tzinfo=UTC) + timedelta(hours=hours) for hours in (-36, 36)]
    offsets = [instant.astimezone(zone).utcoffset() or timedelta(0) for instant in around]
    readings = [wall.replace(tzinfo=UTC) - offset for offset in offsets]
    true = [each for each in readings if each.astimezone(zone).replace(tzinfo=None) == wall]
    return min(true) if true else readings[0]


def days(first: datetime, last: datetime) -> Iterator[date]:
    day = first.date()
    while day <= last.date():
        yield day
        day += timedelta(days=1)
