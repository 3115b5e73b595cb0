"""Who pays: the order in which payers are tried, what keeps each from paying, and what their funds allow."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.policy.explain import explanation
from ivr.policy.paying import LEAST_BY_CARD, can_pay, payer, why_not
from ivr.policy.reasons import Cutoff, Denial
from ivr.policy.request import (
    CHOSEN_BY_INMATE,
    ONLY_PAYERS,
    PAID_IN_CALLS,
    PAID_IN_MONEY,
    Allow,
    BlockCause,
    CallRequest,
    CardOnFile,
    CourtesyFacts,
    Deny,
    Funds,
    Limit,
    Link,
    NotCovered,
    NotPaying,
    Payer,
    SubscriptionFacts,
)
from ivr.policy.rules import choices, decide
from rating.call_type import CallType
from rating.money import Money
from rating.price import charge
from tests.policy.requests import OK

PLAN = SubscriptionFacts("s", "s/1", calls_left=57, renews_on=date(2026, 12, 23))
COURTESY = CourtesyFacts("courtesy/+12175550102", 120_000)
TOO_LITTLE = Money(59_999)
CARD = CardOnFile("prepaid/family")


def funds(available: int = 5_000_000) -> Mapping[Payer, Funds]:
    """Every account of money, with so much each."""
    return {each: Funds(f"account of {each}", Money(available)) for each in PAID_IN_MONEY}


#: Everybody may pay, the inmate has chosen their own account, and the call is not free.
ALL = replace(
    OK, subscription=PLAN, funds=funds(), offered=frozenset(Payer), chosen=Payer.DEBIT, courtesy=COURTESY
)


def without(ask: CallRequest, *gone: Payer) -> CallRequest:
    """The facility does not offer these."""
    return replace(ask, offered=ask.offered - set(gone))


def only(ask: CallRequest, one: Payer) -> CallRequest:
    """The facility offers this one alone."""
    chosen = one if one in CHOSEN_BY_INMATE else ask.chosen
    return replace(ask, offered=frozenset({one}), chosen=chosen)


def allowed(ask: CallRequest) -> Allow:
    decision = decide(ask)
    assert isinstance(decision, Allow), decision
    return decision


def test_payers_are_tried_in_order() -> None:
    tried = [payer(replace(ALL, free=True))]
    ask = ALL
    while (paying := payer(ask)) is not None:
        tried.append(paying)
        ask = without(ask, paying)
        if paying is Payer.DEBIT:
            assert payer(ask) is Payer.PREPAID  # a card pays only where it was chosen
            ask = replace(ask, chosen=Payer.CARD)
    assert tried == list(Payer)
    assert decide(ask) == Deny(Denial.FUNDS_TOO_LOW, {"needed": Money(60_000)})


def test_every_payer_is_of_money_or_of_calls_or_nobody() -> None:
    assert PAID_IN_MONEY | PAID_IN_CALLS | {Payer.FREE} == set(Payer)
    assert not PAID_IN_MONEY & PAID_IN_CALLS


Kept = tuple[Payer, dict[str, object], NotPaying | NotCovered]


def kept(payers: Iterable[Payer], why: NotPaying | NotCovered, **changed: object) -> list[Kept]:
    """These payers, the one fact that keeps them from paying, and what is said of it."""
    return [(each, changed, why) for each in payers]


PLAN_ALONE = [Payer.SUBSCRIPTION]
KEPT: list[Kept] = [
    *kept([Payer.FREE], NotPaying.HAS_A_PRICE),
    *kept(list(Payer)[1:], NotPaying.NOT_OFFERED, offered=frozenset()),
    *kept(list(Payer)[2:], NotPaying.ANOTHER_ALONE, only_payer=Payer.SUBSCRIPTION),
    *kept(PLAN_ALONE, NotPaying.ANOTHER_ALONE, only_payer=Payer.PREPAID),
    *kept(PLAN_ALONE, NotPaying.NO_ACCOUNT, subscription=None),
    *kept(PLAN_ALONE, NotCovered.OUT_OF_STATE, call_type=CallType.INTERSTATE),
    *kept(PLAN_ALONE, NotCovered.USED_UP, subscription=replace(PLAN, calls_left=0)),
    *kept(PLAN_ALONE, NotCovered.LAPSED, subscription=replace(PLAN, account_id=None)),
    *kept(CHOSEN_BY_INMATE, NotPaying.NOT_CHOSEN, chosen=None),
    *kept(sorted(PAID_IN_MONEY), NotPaying.NO_ACCOUNT, funds={}),
    *kept(sorted(PAID_IN_MONEY), NotPaying.TOO_LITTLE, funds=funds(TOO_LITTLE)),
    *kept([Payer.PAID_CALL], NotPaying.NO_PROCESSOR, funds={}, card=CARD),
    *kept(
        [Payer.PAID_CALL], NotPaying.TOO_SMALL, funds={}, card=CARD, takes_cards=True, longest_call_ms=489_000
    ),
    *kept([Payer.COURTESY], NotPaying.USED, courtesy=None),
]


@pytest.mark.parametrize(
    ("paying", "changed", "why"), KEPT, ids=lambda each: None if isinstance(each, dict) else str(each)
)
def test_one_fact_keeps_each_from_paying(
    paying: Payer, changed: dict[str, object], why: NotPaying | NotCovered
) -> None:
    ask = replace(only(ALL, paying), free=paying is Payer.FREE)
    assert can_pay(ask, paying)
    otherwise = replace(ask, free=False, **changed)  # type: ignore[arg-type]
    assert why_not(otherwise, paying) is why
    decision = decide(otherwise)
    assert isinstance(decision, Deny)
    assert decision.reason is Denial.FUNDS_TOO_LOW


def test_every_reason_not_to_pay_has_a_case() -> None:
    assert {why for _, _, why in KEPT} == {*NotPaying, *NotCovered}
    assert {paying for paying, _, _ in KEPT} == set(Payer)


@pytest.mark.parametrize("paying", sorted(PAID_IN_MONEY))
def test_each_account_of_money_is_priced_limited_and_held_alike(paying: Payer) -> None:
    decision = allowed(only(replace(ALL, funds=funds(120_000)), paying))
    assert decision.limit == Limit(120_000, Cutoff.BALANCE)
    payment = decision.payment
    assert (payment.payer, payment.account_id, payment.price) == (paying, f"account of {paying}", OK.price)
    assert payment.hold == 120_000
    rich = allowed(only(replace(ALL, funds=funds(20_000_000)), paying))
    assert rich.limit == Limit(900_000, Cutoff.LONGEST_CALL)
    assert rich.payment.hold == (20_000_000 if paying is Payer.PAID_CALL else 900_000)


def test_all_of_a_paid_call_is_held_so_that_it_pays_for_no_second_one() -> None:
    ask = only(ALL, Payer.PAID_CALL)
    assert allowed(ask).payment.hold == ask.funds[Payer.PAID_CALL].available


def by_card(**changed: object) -> CallRequest:
    """A call that only a card on file can pay for."""
    ask = replace(only(ALL, Payer.PAID_CALL), funds={}, card=CARD, takes_cards=True)
    return replace(ask, **changed)  # type: ignore[arg-type]


def test_a_card_on_file_pays_for_one_call_as_long_as_any_and_is_held_for_it() -> None:
    decision = allowed(by_card())
    assert decision.limit == Limit(900_000, Cutoff.LONGEST_CALL)
    payment = decision.payment
    assert (payment.payer, payment.account_id, payment.by_card) == (Payer.PAID_CALL, CARD.account_id, True)
    assert (payment.hold, payment.price) == (900_000, OK.price)
    told = allowed(
        by_card(offered=frozenset({Payer.SUBSCRIPTION, Payer.PAID_CALL}), call_type=CallType.INTERSTATE)
    )
    assert told.payment.not_covered is NotCovered.OUT_OF_STATE
    assert Cutoff.BALANCE not in {each.cutoff for each in explanation(by_card()).limits}


def test_a_card_on_file_pays_only_where_nobody_before_it_does_and_no_credit_waits() -> None:
    everybody = by_card(offered=frozenset(Payer), subscription=None)
    with_credit = replace(everybody, funds={Payer.PAID_CALL: Funds("paid_call/1", Money(900_000))})
    assert allowed(with_credit).payment == replace(
        allowed(everybody).payment, account_id="paid_call/1", by_card=False
    )
    family = {Payer.PREPAID: Funds("prepaid/family", Money(60_000))}
    assert payer(replace(everybody, funds=family)) is Payer.PREPAID
    poor = {Payer.PREPAID: Funds("prepaid/family", TOO_LITTLE)}
    assert allowed(replace(everybody, funds=poor)).payment.by_card
    assert payer(replace(everybody, takes_cards=False)) is Payer.COURTESY
    assert payer(replace(everybody, only_payer=Payer.PREPAID)) is None
    assert payer(replace(everybody, free=True)) is Payer.FREE


def unpaid(**changed: object) -> CallRequest:
    """A call that nobody pays for, to a number that may be offered a link."""
    ask = replace(only(ALL, Payer.PAID_CALL), funds={}, takes_cards=True, sends_links=True, link_is_due=True)
    return replace(ask, **changed)  # type: ignore[arg-type]


def test_where_nobody_pays_a_link_for_the_longest_talk_may_be_offered() -> None:
    refused = Deny(
        Denial.FUNDS_TOO_LOW,
        {"needed": Money(60_000)},
        link=Link(Money(900_000), Limit(900_000, Cutoff.LONGEST_CALL)),
    )
    assert decide(unpaid()) == refused
    assert decide(unpaid(funds={Payer.PAID_CALL: Funds("paid_call/1", TOO_LITTLE)})) == refused
    odd = decide(unpaid(longest_call_ms=899_500))
    assert isinstance(odd, Deny)
    assert odd.link is not None
    assert (odd.link.amount, odd.link.limit.ms) == (900_000, 899_500)  # up to a whole cent
    least = decide(unpaid(longest_call_ms=491_000))
    assert isinstance(least, Deny)
    assert least.link is not None
    assert least.link.amount == LEAST_BY_CARD


@pytest.mark.parametrize(
    "changed",
    [
        {"offered": frozenset({Payer.PREPAID})},
        {"only_payer": Payer.PREPAID},
        {"sends_links": False},
        {"link_is_due": False},
        {"office": True},
        {"privileged": True},
        {"longest_call_ms": 489_000},  # 0.49: no card processor takes it
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_one_fact_keeps_a_link_from_being_offered(changed: dict[str, object]) -> None:
    assert decide(unpaid(**changed)) == Deny(Denial.FUNDS_TOO_LOW, {"needed": Money(60_000)})


@pytest.mark.parametrize(
    "changed",
    [{"on_allowed_list": False}, {"blocked_by": frozenset({BlockCause.CALLED_PARTY})}],
    ids=lambda changed: next(iter(changed)),
)
def test_no_link_is_offered_where_another_rule_refuses_the_call(changed: dict[str, object]) -> None:
    decision = decide(unpaid(**changed))
    assert isinstance(decision, Deny)
    assert decision.reason is not Denial.FUNDS_TOO_LOW
    assert decision.link is None


def test_a_courtesy_call_holds_one_call_costs_nothing_and_ends_with_its_minutes() -> None:
    decision = allowed(only(ALL, Payer.COURTESY))
    assert decision.limit == Limit(120_000, Cutoff.COURTESY)
    payment = decision.payment
    assert (payment.account_id, payment.hold, payment.price) == (COURTESY.account_id, 1, None)
    longer = replace(ALL, courtesy=replace(COURTESY, ms=900_001))
    assert allowed(only(longer, Payer.COURTESY)).limit == Limit(900_000, Cutoff.LONGEST_CALL)


def test_whoever_falls_back_from_a_subscription_hears_why_but_not_who_pays_nothing() -> None:
    used_up = replace(ALL, subscription=replace(PLAN, calls_left=0))
    for paying in (*PAID_IN_MONEY, Payer.COURTESY):
        ask = replace(only(used_up, paying), offered=frozenset({Payer.SUBSCRIPTION, paying}))
        told = None if paying in CHOSEN_BY_INMATE else NotCovered.USED_UP
        assert allowed(ask).payment.not_covered is told


@pytest.mark.parametrize("named", ONLY_PAYERS)
def test_a_lists_entry_names_anybody_but_the_provider(named: Payer) -> None:
    chosen = named if named in CHOSEN_BY_INMATE else None
    ask = replace(ALL, only_payer=named, chosen=chosen)
    assert payer(ask) is named
    assert payer(without(ask, named)) is None
    assert payer(replace(ask, free=True)) is Payer.FREE


def test_a_named_account_of_the_inmate_pays_only_where_the_inmate_says_so() -> None:
    assert payer(replace(ALL, only_payer=Payer.DEBIT, chosen=None)) is None


def test_the_inmate_chooses_only_where_there_is_something_to_choose() -> None:
    nobody_yet = replace(without(ALL, Payer.SUBSCRIPTION), chosen=None)
    assert choices(nobody_yet) == [Payer.DEBIT, Payer.CARD]
    assert choices(without(nobody_yet, Payer.CARD)) == [Payer.DEBIT]
    assert choices(without(nobody_yet, Payer.DEBIT)) == [Payer.CARD]
    assert choices(without(nobody_yet, Payer.DEBIT, Payer.CARD)) == []
    assert choices(replace(nobody_yet, funds=funds(TOO_LITTLE))) == [Payer.CARD]
    assert choices(replace(nobody_yet, only_payer=Payer.CARD)) == [Payer.CARD]
    assert choices(replace(nobody_yet, only_payer=Payer.PREPAID)) == []
    assert choices(replace(nobody_yet, free=True)) == []
    assert choices(replace(ALL, chosen=None)) == []  # a subscription pays
    assert choices(replace(nobody_yet, on_allowed_list=False)) == []


def test_a_collect_call_beyond_the_limit_is_refused_as_unbillable() -> None:
    ask = replace(only(ALL, Payer.COLLECT), funds=funds(TOO_LITTLE))
    refused = Deny(Denial.FUNDS_TOO_LOW, {"needed": Money(60_000)}, is_unbillable=True)
    assert decide(ask) == refused
    by_prepaid = replace(ask, offered=frozenset({Payer.COLLECT, Payer.PREPAID}))
    assert decide(by_prepaid) == refused
    assert isinstance(
        decide(replace(by_prepaid, funds={**ask.funds, Payer.PREPAID: Funds("p", Money(1))})), Deny
    )


def test_an_explanation_tells_each_payers_view() -> None:
    told = explanation(replace(ALL, funds=funds(TOO_LITTLE), subscription=None)).payers
    assert list(told) == list(Payer)
    assert told[Payer.FREE] is NotPaying.HAS_A_PRICE
    assert told[Payer.SUBSCRIPTION] is NotPaying.NO_ACCOUNT
    assert told[Payer.CARD] is NotPaying.NOT_CHOSEN
    assert told[Payer.COLLECT] is NotPaying.TOO_LITTLE
    assert told[Payer.COURTESY] is None


@given(
    available=st.fixed_dictionaries({each: st.integers(0, 2_000_000) for each in sorted(PAID_IN_MONEY)}),
    offered=st.frozensets(st.sampled_from(Payer)),
    chosen=st.none() | st.sampled_from(CHOSEN_BY_INMATE),
    named=st.none() | st.sampled_from(ONLY_PAYERS),
)
def test_the_first_who_can_pays_and_is_never_asked_for_more_than_there_is(
    available: dict[Payer, int], offered: frozenset[Payer], chosen: Payer | None, named: Payer | None
) -> None:
    has = {each: Funds(each, Money(micros)) for each, micros in available.items()}
    ask = replace(ALL, subscription=None, funds=has, offered=offered, chosen=chosen, only_payer=named)
    decision = decide(ask)
    if isinstance(decision, Deny):
        assert not any(can_pay(ask, each) for each in Payer)
        return
    paying = decision.payment.payer
    assert not any(can_pay(ask, each) for each in list(Payer)[: list(Payer).index(paying)])
    if paying in PAID_IN_MONEY:
        assert ask.price is not None
        assert charge(ask.price, ask.at, decision.limit.ms).due <= decision.payment.hold <= available[paying]


def test_a_payer_less_never_helps() -> None:
    """Whoever is not offered, or is poorer, leaves fewer who pay."""
    offers = [frozenset(list(Payer)[:count]) for count in range(len(Payer) + 1)]
    for less, more in pairwise(offers):
        poorer = replace(ALL, subscription=None, offered=less)
        if isinstance(decide(replace(poorer, offered=more)), Deny):
            assert isinstance(decide(poorer), Deny)
