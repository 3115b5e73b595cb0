"""What is heard seldom: the scripts are played with what they are told, and no database."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from ivr.call import Call, Spoken
from ivr.controls import (
    BlockedBy,
    HotlineKind,
    Left,
    Offer,
    OfferedPlan,
    PastTalk,
    Payer,
    Plan,
    Rates,
    Standing,
)
from ivr.controls.called_back import MissedCall
from ivr.flows.accept import choices, cost
from ivr.flows.call_back import unblock
from ivr.flows.hotline import introduction
from ivr.flows.inbound import choose_place, rates_told
from ivr.flows.own_account import serve_account, terms_told
from ivr.flows.own_calls import tell_last_calls, tell_missed_calls
from ivr.flows.own_menu import left_told
from ivr.policy.keys import ACCEPTING, BLOCKING, OfferKeys
from ivr.policy.service import Missed
from rating.money import ZERO, Money
from rating.quote import NO_CHARGE, Quote
from tests.transcripts.play import VOICES, ScriptedLine

DAY = date(2026, 11, 23)
TALK = PastTalk("f" * 32, DAY, 2, Payer.PREPAID, Money(120_000))
JAIL = "example-county-jail"
CHANGING = Quote(Money(100_000), Money(60_000), NO_CHARGE.longest, is_steady=True)


def lines(
    script: Callable[..., Awaitable[object]], controls: object, *keys: str, more: tuple[Any, ...] = ()
) -> list[str]:
    """What is heard where these keys are pressed."""
    line = ScriptedLine(deque(keys), [])
    asyncio.run(_run(script(Call(line, VOICES), controls, *more)))
    return [each for each in line.heard if not each.startswith("> ")]


async def _run(script: Awaitable[object]) -> None:
    await script


def said(*spoken: Spoken) -> list[str]:
    """What these prompts sound like."""
    line = ScriptedLine(deque(), [])
    asyncio.run(Call(line, VOICES).say_all(*spoken))
    return line.heard


def told(**answers: object) -> SimpleNamespace:
    """Controls that answer so."""

    def answering(answer: object) -> Callable[..., Awaitable[object]]:
        async def answered(*_: object, **__: object) -> object:
            return answer

        return answered

    return SimpleNamespace(**{name: answering(answer) for name, answer in answers.items()})


def test_every_cause_of_a_call_that_never_came_is_told() -> None:
    controls = told(missed_calls=[MissedCall(DAY, why) for why in Missed])
    heard = lines(tell_missed_calls, controls)
    assert heard[::2] == ["missed_on on=11-23"] * len(Missed)
    assert heard[1::2] == [
        "missed.no_answer",
        "missed.busy",
        "missed.unreachable",
        "missed.not_accepted",
        "missed.given_up",
        "missed.not_paid",
        "missed.blocked_by_you",
        "missed.facility",
    ]
    assert lines(tell_missed_calls, told(missed_calls=[])) == ["none_missed"]


def test_what_a_past_talk_cost_is_told_and_a_second_dispute_of_it_decided_already() -> None:
    free = PastTalk("e" * 32, DAY, 5, Payer.FREE, ZERO)
    assert lines(tell_last_calls, told(last_talks=[TALK, free], dispute=False), "3", "1") == [
        "talk_was on=11-23 time=2",
        "talk_cost charge=0.12",
        "talk_menu",
        "dispute_decided",
        "talk_was on=11-23 time=5",
        "talk_free",
        "talk_menu",
        "no_more_calls",
    ]


def test_a_block_of_others_stays_and_is_told() -> None:
    assert lines(unblock, told(blocked_by=BlockedBy.OTHERS)) == ["blocked_by_others"]


def test_prices_of_every_form_are_told_on_the_service_line() -> None:
    assert said(*rates_told(Rates(NO_CHARGE, is_free=True, limit_minutes=15), JAIL)) == [
        f"rates_free facility={JAIL}"
    ]
    assert said(*rates_told(Rates(None, is_free=False, limit_minutes=15), JAIL)) == [
        f"rates_none facility={JAIL}"
    ]
    first = f"rates_first_minute facility={JAIL} first=0.10 time=15 total=0.00"
    assert said(*rates_told(Rates(CHANGING, is_free=False, limit_minutes=15), JAIL)) == [first, "how_charged"]


def test_where_several_facilities_show_the_number_one_is_chosen() -> None:
    chosen: list[str] = []
    places = (JAIL, "example-state-prison")
    assert lines(choose_place, SimpleNamespace(choose=chosen.append), "2", more=(places,)) == [
        f"service_place facility={JAIL} key=1",
        "service_place facility=example-state-prison key=2",
    ]
    assert chosen == ["example-state-prison"]


def test_an_account_without_calls_and_wishes_that_cannot_be_met_are_told() -> None:
    used = Plan(0, DAY, None, is_bought=False)
    assert lines(serve_account, told(standing=Standing(Money(0), used)), "silence")[:3] == [
        "balance balance=0.00",
        "no_calls_left",
        "plan_ends until=11-23",
    ]
    controls = told(standing=Standing(None, None), open=False)
    assert "plan_not_possible" in lines(serve_account, controls, "6", "silence")
    dear = OfferedPlan("family", 100, Money(20_000_000), DAY, DAY, None, 15)
    assert said(*terms_told(dear))[1:] == ["plan_never_pays", "plan_rules"]


def test_an_inmate_whose_calls_are_used_is_told() -> None:
    assert said(*left_told(Left(None, 0, None))) == ["no_calls_left_now"]


def test_a_hotline_for_tips_says_that_no_trace_is_kept() -> None:
    assert said(*introduction(HotlineKind.CRIME_TIPS)) == ["hotline_crime_tips", "hotline_no_trace"]


def offer(keys: OfferKeys, **more: Any) -> Offer:
    """A call by subscription, or whatever else is said of it."""
    return Offer(JAIL, "/name", True, Payer.SUBSCRIPTION, None, NO_CHARGE, 15, keys, **more)


@pytest.mark.parametrize("accept", ["1", "3", "5", "0"])
def test_every_key_that_accepts_is_said_by_every_menu(accept: str) -> None:
    keys = OfferKeys(accept)
    cost_key = "cost_key.1" if accept == "3" else "cost_key.3"
    assert said(*choices(offer(keys))) == [cost_key, f"accept_key.{accept}", "block_key.9"]
    assert said(*choices(offer(keys, by_code=True))) == [f"hotline_key.{accept}"]
    linked = [cost_key, "link_menu amount=0.90", f"link_key.{accept}", "block_key.9"]
    assert said(*choices(offer(keys, link_for=Money(900_000)))) == linked


@pytest.mark.parametrize(("block", "confirm"), [("9", "6"), ("6", "7"), ("7", "9")])
def test_every_key_that_blocks_is_said_and_no_key_has_two_meanings(block: str, confirm: str) -> None:
    assert said(*choices(offer(OfferKeys("1", block, confirm))))[-1] == f"block_key.{block}"
    assert f"block_confirm.{confirm}" in VOICES.common.catalogue.prompts
    wishes = {OfferKeys(str(one), block, confirm).wish(key) for one in ACCEPTING for key in "0123456789"}
    assert len(wishes) == 7
    for one in ACCEPTING:
        meant = [OfferKeys(str(one), block, confirm).wish(key) for key in "0123456789"]
        assert len([each for each in meant if each]) == 6
    assert int(block) in BLOCKING


def test_a_call_by_subscription_costs_one_of_its_calls() -> None:
    assert said(*cost(offer(OfferKeys()))) == ["cost_by_subscription"]
