"""When a call goes on with the last one: one changed fact for each reason that it does not."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from ivr.policy.continuation import continuing
from ivr.policy.reasons import Cutoff
from ivr.policy.request import (
    Allow,
    CallRequest,
    Funds,
    LastCall,
    Limit,
    NotCovered,
    Payer,
    Payment,
    SubscriptionFacts,
)
from ivr.policy.rules import decide
from rating.call_type import CallType
from rating.money import Money
from rating.price import Price
from rating.tariff import Rate, Step
from rating.timetable import always
from tests.policy.requests import OK

RENEWS_ON = date(2026, 12, 1)
REST = Limit(540_000, Cutoff.LONGEST_CALL)
SUBSCRIBED = LastCall("last", Payer.SUBSCRIPTION, "period", RENEWS_ON, was_ended=False, rest=REST)
PREPAID = LastCall("last", Payer.PREPAID, "prepaid/family", None, was_ended=False, rest=REST)
PRICE = Price(always(Rate((Step(0, Money(60_000), 60, 60), Step(60, Money(60_000), 60, 6)), Money(250_000))))

BY_SUBSCRIPTION = replace(
    OK,
    call_type=CallType.LOCAL,
    subscription=SubscriptionFacts("s", "period", calls_left=3, renews_on=RENEWS_ON),
    last_call=SUBSCRIBED,
)
BY_PREPAID = replace(OK, price=PRICE, last_call=PREPAID)


def by_prepaid(account_id: str, available: int) -> dict[Payer, Funds]:
    return {Payer.PREPAID: Funds(account_id, Money(available))}


NO_CONTINUATION: dict[str, CallRequest] = {
    "there was no call": replace(BY_SUBSCRIPTION, last_call=None),
    "a limit, a switch or staff ended it": replace(
        BY_SUBSCRIPTION, last_call=replace(SUBSCRIBED, was_ended=True)
    ),
    "less than a minute is left of it": replace(
        BY_SUBSCRIPTION, last_call=replace(SUBSCRIBED, rest=replace(REST, ms=59_999))
    ),
    "the list names another payer": replace(BY_SUBSCRIPTION, only_payer=Payer.PREPAID),
    "a subscription pays by now": replace(BY_SUBSCRIPTION, last_call=PREPAID),
    "another account pays by now": replace(BY_PREPAID, funds=by_prepaid("prepaid/other", 5_000_000)),
    "nobody can pay by now": replace(BY_PREPAID, funds={}),
    "nobody paid": replace(OK, free=True, last_call=replace(PREPAID, payer=Payer.FREE, account_id=None)),
    "it is free by now": replace(BY_PREPAID, free=True),
}


def paid(ask: CallRequest) -> Payment:
    decision = decide(ask)
    assert isinstance(decision, Allow)
    return decision.payment


def limit(ask: CallRequest) -> Limit:
    decision = decide(ask)
    assert isinstance(decision, Allow)
    return decision.limit


@pytest.mark.parametrize("why_not", NO_CONTINUATION)
def test_a_call_stands_for_itself(why_not: str) -> None:
    ask = NO_CONTINUATION[why_not]
    assert continuing(ask) == ask


def test_a_continuation_uses_no_call_of_the_subscription() -> None:
    ask = continuing(BY_SUBSCRIPTION)
    assert ask.continues == SUBSCRIBED
    assert paid(ask) == Payment(Payer.SUBSCRIPTION, "period", hold=0, renews_on=RENEWS_ON)


@pytest.mark.parametrize(
    "subscription",
    [
        SubscriptionFacts("s", "period", calls_left=0, renews_on=RENEWS_ON),  # that was the last one
        SubscriptionFacts("s", None, calls_left=0, renews_on=None),  # its period is over, and not renewed
        SubscriptionFacts("s", "next period", calls_left=100, renews_on=date(2027, 1, 1)),
        None,  # closed
    ],
)
def test_the_subscription_that_paid_goes_on_paying(subscription: SubscriptionFacts | None) -> None:
    ask = continuing(replace(BY_SUBSCRIPTION, subscription=subscription))
    assert paid(ask) == Payment(Payer.SUBSCRIPTION, "period", hold=0, renews_on=RENEWS_ON)


def test_a_continuation_by_the_minute_pays_no_fee_and_no_first_block() -> None:
    ask = continuing(BY_PREPAID)
    payment = paid(ask)
    assert (payment.payer, payment.account_id, payment.price) == (
        Payer.PREPAID,
        "prepaid/family",
        PRICE.continued(),
    )
    assert payment.hold == 540_000  # nine minutes
    assert paid(BY_PREPAID).hold == 250_000 + 15 * 60_000


def test_a_balance_below_a_first_block_pays_for_a_continuation() -> None:
    nearly_empty = replace(BY_PREPAID, funds=by_prepaid("prepaid/family", 12_000))
    assert not isinstance(decide(nearly_empty), Allow)
    assert limit(continuing(nearly_empty)) == Limit(12_000, Cutoff.BALANCE)


def test_what_does_not_cover_a_new_call_is_still_told_of_a_continuation() -> None:
    abroad = SubscriptionFacts("s", "period", calls_left=3, renews_on=RENEWS_ON)
    ask = continuing(replace(BY_PREPAID, subscription=abroad, call_type=CallType.INTERSTATE))
    assert paid(ask).not_covered is NotCovered.OUT_OF_STATE


def test_a_chain_lasts_no_longer_than_one_call() -> None:
    assert limit(continuing(BY_SUBSCRIPTION)) == REST
    anything = replace(SUBSCRIBED, rest=None)
    assert limit(continuing(replace(BY_SUBSCRIPTION, last_call=anything))).ms == OK.longest_call_ms


def test_an_agency_that_pays_by_law_pays_no_second_first_block() -> None:
    by_law = LastCall("last", Payer.FREE, None, None, was_ended=False, rest=None)
    ask = replace(OK, price=PRICE, free=True, agency_rule="law", last_call=by_law)
    assert paid(continuing(ask)).price == PRICE.continued()


def test_what_forbids_the_call_forbids_its_continuation() -> None:
    closed = replace(BY_SUBSCRIPTION, at=datetime(2026, 11, 23, 23, tzinfo=OK.at.tzinfo))
    assert not isinstance(decide(continuing(closed)), Allow)
