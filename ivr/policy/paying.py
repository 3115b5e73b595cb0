"""Who pays for a call: each payer's own view of it, the limit that their funds set, and what is reserved."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from ivr.policy.limits import (
    longest_ms,
    until_longest_call,
    until_max_cost,
    until_minutes_are_used,
    until_schedule_closes,
)
from ivr.policy.reasons import Cutoff
from ivr.policy.request import (
    CHOSEN_BY_INMATE,
    PAID_IN_MONEY,
    CallRequest,
    Limit,
    NotCovered,
    NotPaying,
    Payer,
    Payment,
)
from rating.call_type import IN_STATE
from rating.money import Money, ceil_to_cent
from rating.price import Price, charge, first_increment_price, longest_talk_ms

IN_ORDER = tuple(Payer)
#: What card processors take at least (Stripe: docs.stripe.com/currencies, charge amounts for US dollars).
LEAST_BY_CARD: Final = Money(500_000)


def is_passive(ask: CallRequest) -> bool:
    """Whether the answer is the acceptance: of relays, and of hotlines and privileged offices that two operators chose.

    Every other number needs the key.
    """
    return ask.relay or (ask.passive and (ask.hotline or (ask.privileged and ask.office)))


def is_free(ask: CallRequest) -> bool:
    """Whether nobody pays: by number, by law, and wherever nobody is asked before they are connected."""
    return ask.free or is_passive(ask)


def payer(ask: CallRequest) -> Payer | None:
    """The first who can pay, in the order in which `Payer` names them."""
    return next((each for each in IN_ORDER if can_pay(ask, each)), None)


def can_pay(ask: CallRequest, paying: Payer) -> bool:
    """Whether nothing keeps this payer from paying."""
    return why_not(ask, paying) is None


def why_not(ask: CallRequest, paying: Payer) -> NotPaying | NotCovered | None:
    """What keeps this payer from paying, whoever comes before; None where nothing does."""
    if paying is Payer.FREE:
        return None if is_free(ask) else NotPaying.HAS_A_PRICE
    if ask.continues is not None and paying is ask.continues.payer is Payer.SUBSCRIPTION:
        return None  # it has paid: also if that was its last call, or its period is over
    if not may_pay(ask, paying):
        return NotPaying.ANOTHER_ALONE if paying in ask.offered else NotPaying.NOT_OFFERED
    if paying in PAID_IN_MONEY:
        return _why_no_money(ask, paying)
    if paying is Payer.SUBSCRIPTION:
        return NotPaying.NO_ACCOUNT if ask.subscription is None else not_covered(ask)
    return NotPaying.USED if ask.courtesy is None else None


def _why_no_money(ask: CallRequest, paying: Payer) -> NotPaying | None:
    if paying in CHOSEN_BY_INMATE and paying is not ask.chosen:
        return NotPaying.NOT_CHOSEN
    if paying is Payer.PAID_CALL and paying not in ask.funds:
        return _why_no_card(ask)
    if paying not in ask.funds:
        return NotPaying.NO_ACCOUNT
    return None if until_balance_is_spent(ask, paying).ms > 0 else NotPaying.TOO_LITTLE


def _why_no_card(ask: CallRequest) -> NotPaying | None:
    """What keeps a card from paying for one call: the one on file, or any through a link."""
    if ask.price is not None and price_by_card(ask, ask.price) < LEAST_BY_CARD:
        return NotPaying.TOO_SMALL
    if ask.card is None:
        return NotPaying.NO_ACCOUNT
    return None if ask.takes_cards else NotPaying.NO_PROCESSOR


def price_by_card(ask: CallRequest, price: Price) -> Money:
    """What a card would be asked for: the price of the longest talk, up to a whole cent."""
    return ceil_to_cent(dearest(price, ask.starts, longest_talk(ask, Payer.PAID_CALL).ms))


def is_by_card(ask: CallRequest) -> bool:
    """Whether a single call would be paid by the card on file: there is one, and none that was paid before waits."""
    return ask.card is not None and Payer.PAID_CALL not in ask.funds


def balance_limit(ask: CallRequest, paid_by: Payer) -> Limit | None:
    """How long the payer's account of money can pay; None where it has no balance, as a card has none."""
    if paid_by not in PAID_IN_MONEY or (paid_by is Payer.PAID_CALL and is_by_card(ask)):
        return None
    return until_balance_is_spent(ask, paid_by)


def may_pay(ask: CallRequest, paying: Payer) -> bool:
    """Whether the facility offers this payer, and the inmate's list names nobody else as the only one."""
    return paying in ask.offered and ask.only_payer in (None, paying)


def is_unbillable(ask: CallRequest) -> bool:
    """Whether no collect call is made because the number may owe no more; prepaid is offered there (47 CFR 64.6050)."""
    return why_not(ask, Payer.COLLECT) is NotPaying.TOO_LITTLE


def not_covered(ask: CallRequest) -> NotCovered | None:
    """Why the subscription that exists does not pay for this call; None if it does or there is none."""
    plan = ask.subscription
    if plan is None:
        return None
    if plan.account_id is None:
        return NotCovered.LAPSED
    if ask.call_type not in IN_STATE:
        return NotCovered.OUT_OF_STATE
    return NotCovered.USED_UP if plan.calls_left < 1 else None


def until_balance_is_spent(ask: CallRequest, paying: Payer) -> Limit:
    """Talk ends when the payer's account could not pay for a moment more; found with the function that bills.

    Whenever the called party accepts: of two prices while it rings, the dearer counts.
    """
    if ask.price is None or paying not in ask.funds:
        return Limit(0, Cutoff.BALANCE)
    price, available, cap_ms = ask.price, ask.funds[paying].available, longest_ms(ask)
    affordable = min(longest_talk_ms(price, start, available, cap_ms) for start in set(ask.starts))
    return Limit(affordable, Cutoff.BALANCE)


def limit(ask: CallRequest, paid_by: Payer) -> Limit:
    """The shortest limit; of equal ones the first, so a balance is named only where it is the cause."""
    longest, affordable = longest_talk(ask, paid_by), balance_limit(ask, paid_by)
    return longest if affordable is None or longest.ms <= affordable.ms else affordable


def longest_talk(ask: CallRequest, paid_by: Payer) -> Limit:
    """The shortest limit but the payer's balance."""
    limits = [until_schedule_closes(ask), until_longest_call(ask)]
    if (minutes := until_minutes_are_used(ask)) is not None:
        limits.append(minutes)
    if ask.continues is not None and ask.continues.rest is not None:
        limits.append(ask.continues.rest)
    by_the_minute = paid_by in PAID_IN_MONEY or (
        paid_by is Payer.FREE and ask.agency_rule is not None and not ask.relay
    )
    if by_the_minute and (most := until_max_cost(ask)) is not None:
        limits.append(most)
    if paid_by is Payer.COURTESY and ask.courtesy is not None:
        limits.append(Limit(ask.courtesy.ms, Cutoff.COURTESY))
    return min(limits, key=lambda each: each.ms)


def payment(ask: CallRequest, paid_by: Payer, talk_limit: Limit) -> Payment:
    """What is reserved, and where: the price of the longest talk, or one call.

    All of what was paid before for one call is reserved, so that it pays for no second one meanwhile. An agency's share
    by law is of money: of a call that calls pay for it pays nothing. Calls to a relay are nobody's to pay (47 CFR
    64.6040).
    """
    match paid_by:
        case Payer.FREE:
            return Payment(paid_by, price=ask.price if ask.agency_rule and not ask.relay else None)
        case Payer.SUBSCRIPTION if ask.continues is not None:
            last = ask.continues
            return Payment(paid_by, last.account_id, hold=0, renews_on=last.renews_on)
        case Payer.SUBSCRIPTION:
            assert ask.subscription is not None
            plan = ask.subscription
            return Payment(paid_by, plan.account_id, hold=1, renews_on=plan.renews_on)
        case Payer.COURTESY:
            assert ask.courtesy is not None
            return Payment(paid_by, ask.courtesy.account_id, hold=1, not_covered=not_covered(ask))
        case Payer.PAID_CALL if is_by_card(ask):
            assert ask.card is not None
            assert ask.price is not None
            most = dearest(ask.price, ask.starts, talk_limit.ms)
            return Payment(paid_by, ask.card.account_id, most, ask.price, not_covered(ask), by_card=True)
        case _:
            assert ask.price is not None
            funds = ask.funds[paid_by]
            most = (
                funds.available
                if paid_by is Payer.PAID_CALL
                else dearest(ask.price, ask.starts, talk_limit.ms)
            )
            told = None if paid_by in CHOSEN_BY_INMATE else not_covered(ask)
            return Payment(paid_by, funds.account_id, most, ask.price, told)


def dearest(price: Price, starts: Collection[datetime], talk_ms: int) -> Money:
    """The most that a talk so long costs its payer, whichever of these instants it begins at."""
    return max(charge(price, start, talk_ms).due for start in set(starts))


def needed(price: Price, starts: Collection[datetime]) -> Money:
    """What a payer must have at least for the call to be made."""
    return max(first_increment_price(price, start) for start in set(starts))
