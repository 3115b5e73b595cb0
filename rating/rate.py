"""What talk time costs. Pure: no clock, no database."""

from bisect import bisect_right
from dataclasses import dataclass

from rating.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class Rate:
    """One price with its increments; the trade writes 60/6 for a first block of 60 s, then steps of 6 s."""

    per_minute: Money
    first_seconds: int = 60
    next_seconds: int = 60
    connect_fee: Money = ZERO

    def __post_init__(self) -> None:
        """Refuse a rate that cannot be charged; raises ValueError."""
        if self.per_minute < 0 or self.connect_fee < 0:
            raise ValueError("a price is never negative")
        if self.first_seconds < 1 or self.next_seconds < 1:
            raise ValueError("an increment lasts at least one second")


@dataclass(frozen=True, slots=True)
class Charge:
    """One rated call, as the CDR and the statement show it."""

    billed_seconds: int
    amount: Money  # connection fee included


NOTHING = Charge(billed_seconds=0, amount=ZERO)


def charge(rate: Rate, talk_ms: int) -> Charge:
    """What talking for `talk_ms` costs; a call without talk time costs nothing.

    Increments are counted after the initial block. The price is exact until it is rounded, once, **down** to
    a whole micro-unit: a charge is never above the published price per minute, which is what rate caps are
    about. Raises ValueError for a negative talk time.
    """
    if talk_ms < 0:
        raise ValueError(f"talk time is never negative: {talk_ms} ms")
    if talk_ms == 0:
        return NOTHING
    beyond_first_ms = max(0, talk_ms - rate.first_seconds * 1000)
    increments = -(-beyond_first_ms // (rate.next_seconds * 1000))
    billed_seconds = rate.first_seconds + increments * rate.next_seconds
    return Charge(billed_seconds, Money(rate.connect_fee + rate.per_minute * billed_seconds // 60))


def longest_talk_ms(rate: Rate, available: Money, cap_ms: int) -> int:
    """The longest talk, at most `cap_ms`, that `available` pays for; 0 if it is less than one increment.

    It is searched for with `charge` itself, so that the limit of a call and its bill cannot disagree.
    """
    return bisect_right(range(1, cap_ms + 1), available, key=lambda talk_ms: charge(rate, talk_ms).amount)


def first_increment_price(rate: Rate) -> Money:
    """The least that a connected call costs."""
    return charge(rate, 1).amount
