"""What a call will cost, as it is told before anybody accepts it (47 CFR 64.710): from the function that bills."""

from dataclasses import dataclass
from datetime import datetime

from rating.money import ZERO, Money
from rating.price import NOTHING, Charge, Price, charge

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Quote:
    """What the payer pays, taxes included, without what an agency pays."""

    first_minute: Money
    each_minute: Money  # of those after the first
    longest: Charge  # of the longest talk that is allowed

    @property
    def is_flat(self) -> bool:
        """Whether every minute costs the same."""
        return self.first_minute == self.each_minute


#: Of a call whose payer pays nothing by the minute.
NO_CHARGE = Quote(ZERO, ZERO, NOTHING)


def quote(price: Price, started_at: datetime, longest_ms: int) -> Quote:
    """What a talk that starts then costs, minute by minute and in all."""
    first, second = (charge(price, started_at, minutes * MINUTE_MS).due for minutes in (1, 2))
    return Quote(first, Money(second - first), charge(price, started_at, longest_ms))
