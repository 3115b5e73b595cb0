"""What talk time is priced by: steps of a price, with the fees and limits of a call. Values only; `price` charges."""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import lcm
from typing import Final, Literal, NamedTuple, Self, get_args

from rating.money import ZERO, Money

Method = Literal["up", "down", "middle"]
AtMaxCost = Literal["free", "disconnect"]

MOST_DECIMALS: Final = 6
CENT_DECIMALS: Final = 2
#: Where a minute is capped, a minute that has begun may be charged whole, and no more.
LONGEST_LAWFUL_S: Final = 60
#: A time after the end of every call.
FOREVER_MS: Final = 1 << 62

_UNITS: Final = tuple(10 ** (MOST_DECIMALS - decimals) for decimals in range(MOST_DECIMALS + 1))


@dataclass(frozen=True, slots=True)
class Rounding:
    """How an exact amount becomes one that is charged. Half a unit of the last decimal goes up with "middle".

    The default loses less than a millionth, and never charges more than the published price.
    """

    method: Method = "down"
    decimals: int = MOST_DECIMALS

    def __post_init__(self) -> None:
        """Refuse what no amount can be rounded by; raises ValueError."""
        if self.method not in get_args(Method):
            raise ValueError(f"rounding goes up, down or to the middle, not {self.method!r}")
        if not 0 <= self.decimals <= MOST_DECIMALS:
            raise ValueError(f"an amount has 0 to {MOST_DECIMALS} decimals, not {self.decimals}")

    def rounded(self, numerator: int, denominator: int) -> Money:
        """The amount of numerator/denominator millionths, which is not negative, in units of the last decimal."""
        unit = _UNITS[self.decimals]
        parts = denominator * unit
        if self.method == "down":
            return Money(numerator // parts * unit)
        if self.method == "up":
            return Money(-(-numerator // parts) * unit)
        return Money((2 * numerator + parts) // (2 * parts) * unit)

    @property
    def adds_a_cent_at_most(self) -> bool:
        """Whether no call costs more than a cent above its exact price."""
        return self.method == "down" or self.decimals >= CENT_DECIMALS


@dataclass(frozen=True, slots=True)
class Step:
    """From `from_s` seconds of talk on, `price` for each `per_s` seconds, charged in whole increments.

    The increments count from the beginning of the step: an initial block of 60 s with further increments of 6 s is
    a step from 0 with increments of 60 and a step from 60 with increments of 6.
    """

    from_s: int
    price: Money
    per_s: int = 60
    increment_s: int = 60

    def __post_init__(self) -> None:
        """Refuse a step that cannot be charged; raises ValueError."""
        if self.from_s < 0:
            raise ValueError("talk begins at second 0")
        if self.price < 0:
            raise ValueError("a price is never negative")
        if self.per_s < 1 or self.increment_s < 1:
            raise ValueError("a price is for at least one second, and so is an increment")

    def capped(self, per_minute: Money) -> "Step":
        """This step at no more than `per_minute`, with the same increments."""
        if self.price * 60 <= per_minute * self.per_s:
            return self
        return Step(self.from_s, per_minute, 60, self.increment_s)

    def by_the_minute(self) -> "Step":
        """This step in increments of a minute at most: of longer ones the largest part, so that the next step fits."""
        part = next(each for each in range(LONGEST_LAWFUL_S, 0, -1) if self.increment_s % each == 0)
        return self if self.increment_s <= LONGEST_LAWFUL_S else replace(self, increment_s=part)


class Stretch(NamedTuple):
    """Talk of a call that is charged in equal increments, from its beginning; the last one is charged whole."""

    from_ms: int
    until_ms: int
    increment_s: int
    increment_price: int  # in millionths, over a denominator that all stretches of a call share


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of a call: steps of the talk time, and what holds for the call as a whole.

    `minimum` is the least that a connected call costs, with its connection fee. At `max_cost` (connection fee
    included, before tax) a call goes on for nothing ("free") or may not go on ("disconnect").
    """

    steps: tuple[Step, ...]
    connect_fee: Money = ZERO
    minimum: Money = ZERO
    max_cost: Money | None = None
    max_cost_then: AtMaxCost = "disconnect"
    rounding: Rounding = field(default_factory=Rounding)
    denominator: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a rate that cannot be charged; raises ValueError."""
        if not self.steps or self.steps[0].from_s != 0:
            raise ValueError("the first step begins at second 0")
        if any(later.from_s <= earlier.from_s for earlier, later in pairwise(self.steps)):
            raise ValueError("each step begins later than the one before it")
        if min(self.connect_fee, self.minimum, self.max_cost or 0) < 0:
            raise ValueError("a price is never negative")
        if self.max_cost_then not in get_args(AtMaxCost):
            raise ValueError(
                f'at its highest cost a call is "free" or "disconnect", not {self.max_cost_then!r}'
            )
        object.__setattr__(self, "denominator", lcm(*(step.per_s for step in self.steps)))

    def capped(self, per_minute: Money) -> Self:
        """This rate at no more than `per_minute` in each step."""
        return replace(self, steps=tuple(step.capped(per_minute) for step in self.steps))

    def by_the_minute(self) -> Self:
        """This rate in increments of a minute at most, and rounded down where rounding could add more than a cent."""
        fair = self.rounding.adds_a_cent_at_most
        rounding = self.rounding if fair else Rounding("down", self.rounding.decimals)
        return replace(self, steps=tuple(step.by_the_minute() for step in self.steps), rounding=rounding)

    @property
    def first_block_s(self) -> int:
        """How long the first increment of a call is: up to the next step at most."""
        first, *later = self.steps
        return min([first.increment_s, *(step.from_s for step in later)])

    def continued(self) -> Self:
        """This rate for talk that goes on after another's first block: no fee, no minimum, only further increments."""
        begun_s = self.first_block_s
        at = next(step for step in reversed(self.steps) if step.from_s <= begun_s)
        later = (replace(step, from_s=step.from_s - begun_s) for step in self.steps if step.from_s > begun_s)
        return replace(self, steps=(replace(at, from_s=0), *later), connect_fee=ZERO, minimum=ZERO)

    def stretches(self, from_ms: int, until_ms: int, denominator: int) -> list[Stretch]:
        """How talk between two moments of a call is charged; `denominator` is a multiple of this rate's."""
        ends = [step.from_s * 1000 for step in self.steps[1:]] + [FOREVER_MS]
        return [
            Stretch(
                max(from_ms, step.from_s * 1000),
                min(until_ms, end_ms),
                step.increment_s,
                step.price * step.increment_s * (denominator // step.per_s),
            )
            for step, end_ms in zip(self.steps, ends, strict=True)
            if from_ms < end_ms and step.from_s * 1000 < until_ms
        ]


def simple_rate(per_minute: Money, first_seconds: int = 60, next_seconds: int = 60) -> Rate:
    """One price a minute with its increments; the trade writes 60/6 for a first block of 60 s, then steps of 6 s.

    Raises ValueError for a negative price and for an increment of less than a second.
    """
    first = Step(0, per_minute, 60, first_seconds)
    if first_seconds == next_seconds:
        return Rate((first,))
    return Rate((first, Step(first_seconds, per_minute, 60, next_seconds)))
