"""What an inmate is told of the decision on their call."""

from dataclasses import dataclass
from datetime import datetime

from ivr.controls.authorisation import Authorised
from ivr.policy.reasons import Denial
from ivr.policy.request import PAID_IN_MONEY, Allow, CallClass, Link, Payer
from rating.money import ZERO, Money
from rating.quote import NO_CHARGE, Quote, quote, speakable, spoken_minutes


@dataclass(frozen=True, slots=True)
class Refused:
    """The call may not be made; `told` holds the variables of `ending.<reason>`."""

    reason: Denial
    told: dict[str, object]
    is_unbillable: bool = False  # a collect call, and the number may owe no more


@dataclass(frozen=True, slots=True)
class Grant:
    """The call may be made: what it costs whom, and how long it may last."""

    number: str
    payer: Payer | None  # none: the called party is rung to be offered a link to pay, and connected to nobody
    quote: Quote
    limit_ms: int
    cutoff: str
    ends_by: datetime | None  # the hour at which the talk must end, whenever it began
    recorded: bool
    relay: bool = False
    by_card: bool = False  # of the called party, who has one on file
    balance: Money = ZERO  # of the account of money that pays, before this call, as it is told

    @property
    def limit_minutes(self) -> int:
        """The limit in whole minutes, as it is spoken: never more than there is."""
        return spoken_minutes(self.limit_ms)


def granted(outcome: Authorised, allowed: Allow, at: datetime) -> Grant:
    """The call may be made, as its inmate is told."""
    limit, payment = allowed.limit, allowed.payment
    return Grant(
        outcome.number,
        payment.payer,
        quote(payment.price, at, limit.ms) if payment.payer in PAID_IN_MONEY and payment.price else NO_CHARGE,
        limit.ms,
        limit.cutoff,
        outcome.ends_by,
        recorded=allowed.not_recorded is None,
        relay=allowed.call_class is CallClass.TRS,
        by_card=payment.by_card,
        balance=speakable(outcome.available),
    )


def rung_for_link(number: str, link: Link) -> Grant:
    """The called party is rung, and only to be offered a link to pay for one call."""
    return Grant(number, None, NO_CHARGE, link.limit.ms, link.limit.cutoff, None, recorded=False)
