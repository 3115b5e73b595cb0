"""What a call will cost, as it is told before anybody accepts it (47 CFR 64.710): from the function that bills."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from rating.money import ZERO, Money, floor_to_cent, format_money
from rating.price import NOTHING, Charge, Price, charge
from rating.tariff import Rate
from rating.timetable import Timetable

MINUTE_MS = 60_000
#: Nothing longer, and no larger amount, can be spoken; more is told as this much, so never as more than there is.
MOST_SPOKEN_MINUTES = 24 * 60
MOST_SPOKEN = Money(9_999_990_000)


@dataclass(frozen=True, slots=True)
class Quote:
    """What the payer pays, taxes included, without what an agency pays."""

    first_minute: Money
    each_minute: Money  # of those after the first
    longest: Charge  # of the longest talk that is allowed
    is_steady: bool  # whether every whole minute after the first costs each_minute

    @property
    def is_flat(self) -> bool:
        """Whether every minute costs the same."""
        return self.is_steady and self.first_minute == self.each_minute


#: Of a call whose payer pays nothing by the minute.
NO_CHARGE = Quote(ZERO, ZERO, NOTHING, is_steady=True)


def quote(price: Price, started_at: datetime, longest_ms: int) -> Quote:
    """What a talk that starts then costs, minute by minute and in all."""
    minutes = max(2, longest_ms // MINUTE_MS)
    due = [charge(price, started_at, minute * MINUTE_MS).due for minute in range(minutes + 1)]
    each = Money(due[2] - due[1])
    is_steady = all(later - earlier == each for earlier, later in pairwise(due[1:]))
    return Quote(due[1], each, charge(price, started_at, longest_ms), is_steady)


def spoken_minutes(limit_ms: int) -> int:
    """The longest talk in whole minutes, as it is told."""
    return min(limit_ms // MINUTE_MS, MOST_SPOKEN_MINUTES)


def speakable(balance: Money) -> Money:
    """A balance as it is told: in whole cents, and never as more than there is."""
    return min(floor_to_cent(balance), MOST_SPOKEN)


def in_words(timetable: Timetable) -> str:
    """The prices of a week of rates in a line, such as "0.06 for 60 s by 60 s, from 60 s on by 1 s"."""
    return " or, by the time of day, ".join(_rate_in_words(rate) for rate in timetable.rates)


def _rate_in_words(rate: Rate) -> str:
    words: list[str] = []
    asked: tuple[Money, int] | None = None
    for step in rate.steps:
        price = "" if (step.price, step.per_s) == asked else f"{format_money(step.price)} for {step.per_s} s "
        begins = f"from {step.from_s} s on " if step.from_s else ""
        words.append(f"{begins}{price}by {step.increment_s} s")
        asked = step.price, step.per_s
    for name, amount in (("connection", rate.connect_fee), ("at least", rate.minimum)):
        if amount:
            words.append(f"{name} {format_money(amount)}")
    if rate.max_cost is not None:
        words.append(f"at most {format_money(rate.max_cost)}, then {rate.max_cost_then}")
    return ", ".join(words)
