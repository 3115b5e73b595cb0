"""Each payer's hold and charge, from the decision to the sealed record; who races for one account gets what it has."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import Row, func, insert, select, update

from accounts import payers
from accounts.cards import CardBatchExists, find_card, make_batch
from accounts.db import Database
from accounts.tables import billed_account, calling_card, card_batch, paid_call, transfer
from ivr.controls import CalledPartyControls, Grant, InmateControls, Payer, Refused
from ivr.controls.explaining import Question, explain
from ivr.controls.settlement import Ending, settle
from ivr.facility.identity import unlock
from ivr.facility.tables import facility, special_number, wrong_pin
from ivr.policy.reasons import Cutoff, Denial, Outcome
from ivr.policy.request import CHOSEN_BY_INMATE, PAID_IN_MONEY
from ivr.records import evidence
from rating.money import Money
from tests.controller import steps
from tests.fakes.loop import in_loop
from tests.transcripts import funding
from tests.transcripts.funding import JAIL, NOBODYS, NUMBER
from tests.transcripts.play import KEY, World

TALK_MS, CHARGE = 83_000, 83_000


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """Every payer is offered."""
    return funding.funded(database, tmp_path, *funding.EVERYBODY)


def fund(world: World, payer: Payer, dollars: str = "1.00") -> str:
    """An account of this payer, and none of those that come before it; its id."""
    match payer:
        case Payer.DEBIT:
            funding.open_debit(world, dollars)
            return funding.DEBIT
        case Payer.CARD:
            return funding.make_card(world, dollars)[0]
        case Payer.PAID_CALL:
            funding.pay_for_a_call(world, dollars)
            return funding.PAID_CALL
        case Payer.DIRECT_BILL:
            funding.open_bill(world, dollars)
            return funding.BILL
        case Payer.COLLECT:
            return funding.COLLECT
        case _:
            return steps.PREPAID


async def choosing(world: World, payer: Payer, account_id: str, **whose: str) -> InmateControls:
    """A call is keyed, and its inmate has said who pays where it is theirs to say."""
    controls = await steps.keyed(world, "2" if payer is Payer.PREPAID else NOBODYS, **whose)
    await controls.choices()
    if payer is Payer.DEBIT:
        controls.pay_by_own_account()
    if payer is Payer.CARD:
        assert await controls.card_keyed(pin_of(world, account_id))
    return controls


def pin_of(world: World, account_id: str) -> str:
    """A PIN is known only when its batch is made: give the card another one."""
    pin = "123456789012"
    hashed = KEY.card_hash(JAIL, pin)
    card = update(calling_card).where(calling_card.c.account_id == account_id)
    world.database.transact_now(lambda conn: conn.execute(card.values(pin_hash=hashed)))
    return pin


def ends(world: World, call_id: str, talk_ms: int) -> Row[Any]:
    """The call was accepted and talked for so long, or not at all: its sealed record."""
    start, end = world.at, world.at + timedelta(milliseconds=talk_ms)
    seen = evidence.note(f"{start.timestamp():.6f} {end.timestamp():.6f} 16") if talk_ms else []
    ending = Ending(Outcome.CALLER_HUNG_UP)
    for _ in range(2):  # and told again
        world.database.transact_now(settle, call_id, ending, at=end, version="test", seen=seen)
    return steps.record(world, call_id)


async def accepted(world: World, controls: InmateControls) -> str:
    """The called party takes the call."""
    grant = await controls.authorise()
    assert isinstance(grant, Grant)
    await controls.dialling(grant)
    call_id = controls.call_id
    await controls.close_session(None)
    called = CalledPartyControls(world.node, call_id, f"PJSIP/carrier-{call_id}")
    await called.offer()
    assert await called.accept("1", "en") is not None
    await called.close()
    return call_id


@pytest.mark.parametrize("payer", sorted(PAID_IN_MONEY))
@in_loop
async def test_each_account_of_money_is_held_for_the_longest_talk_and_charged_for_the_talk(
    world: World, payer: Payer
) -> None:
    account_id = fund(world, payer)
    has = {Payer.PREPAID: 5_000_000, Payer.COLLECT: funding.LIMIT}.get(payer, 1_000_000)
    call_id = await accepted(world, await choosing(world, payer, account_id))
    held = has if payer is Payer.PAID_CALL else 900_000
    assert steps.available(world, account_id) == has - held
    row = ends(world, call_id, TALK_MS)
    assert (row.payer, row.account_id, row.charge, row.held) == (payer, account_id, CHARGE, held)
    assert (row.balance_before, row.balance_after, row.calls_charged) == (has, has - CHARGE, 0)
    assert steps.available(world, account_id) == has - CHARGE
    assert world.database.read_now(steps.open_holds) == []
    steps.assert_books_are_right(world)


@pytest.mark.parametrize("payer", [*sorted(PAID_IN_MONEY), Payer.COURTESY])
@in_loop
async def test_nobody_pays_for_a_call_that_was_not_talked(world: World, payer: Payer) -> None:
    account_id = funding.COURTESY
    if payer is Payer.COURTESY:
        world.database.transact_now(offer_only, "prepaid courtesy")
    else:
        account_id = fund(world, payer)
    call_id = await accepted(world, await choosing(world, payer, account_id))
    row = ends(world, call_id, 0)
    assert (row.payer, row.charge, row.calls_charged) == (payer, 0, 0)
    assert row.balance_before == row.balance_after == steps.available(world, account_id)
    if payer is Payer.PAID_CALL:
        assert world.database.read_now(ended_at) is None
    again = await (await choosing(world, payer, account_id)).authorise()
    assert isinstance(again, Grant)
    assert again.payer is payer
    steps.assert_books_are_right(world)


def offer_only(conn: Any, words: str) -> None:
    conn.execute(update(facility).values(payers=words))


def ended_at(conn: Any) -> Any:
    return conn.scalar(select(paid_call.c.ended_at))


@in_loop
async def test_a_limit_of_any_account_of_money_is_what_it_can_pay(world: World) -> None:
    funding.open_debit(world, "0.12")
    grant = await (await choosing(world, Payer.DEBIT, funding.DEBIT)).authorise()
    assert isinstance(grant, Grant)
    assert (grant.payer, grant.limit_ms, grant.cutoff) == (Payer.DEBIT, 120_000, Cutoff.BALANCE)
    assert (grant.balance, grant.quote.longest.due) == (120_000, 120_000)


@in_loop
async def test_a_paid_call_is_used_once_and_the_rest_of_it_waits_for_its_payer(world: World) -> None:
    world.database.transact_now(offer_only, "prepaid paid_call")
    funding.pay_for_a_call(world, "1.00")
    row = ends(world, await accepted(world, await steps.keyed(world, NOBODYS)), TALK_MS)
    assert (row.payer, row.charge) == (Payer.PAID_CALL, CHARGE)
    assert world.database.read_now(ended_at) == row.sealed_at
    assert steps.available(world, funding.PAID_CALL) == 1_000_000 - CHARGE
    refused = await steps.answer(world, NOBODYS)
    assert refused == Refused(Denial.FUNDS_TOO_LOW, {"needed": 60_000})


@in_loop
async def test_a_paid_call_that_has_expired_pays_for_nothing(world: World) -> None:
    world.database.transact_now(offer_only, "prepaid paid_call")
    funding.pay_for_a_call(world, "1.00")
    world.at += timedelta(hours=24)
    assert isinstance(await steps.answer(world, NOBODYS), Refused)


@in_loop
async def test_the_account_of_collect_calls_opens_once_with_the_facilitys_limit(world: World) -> None:
    world.database.transact_now(offer_only, "prepaid collect")
    for _ in range(2):
        ends(world, await accepted(world, await steps.keyed(world, NOBODYS)), TALK_MS)
    [row] = world.database.read_now(lambda conn: conn.execute(select(billed_account)).all())
    assert (row.account_id, row.kind, row.facility_id) == (funding.COLLECT, "collect", JAIL)
    assert row.credit_limit == funding.LIMIT
    assert steps.available(world, funding.COLLECT) == funding.LIMIT - 2 * CHARGE
    limits = select(func.count()).where(transfer.c.debit_id == payers.CREDIT_GRANTED)
    assert world.database.read_now(lambda conn: conn.scalar(limits)) == 1
    world.database.transact_now(lambda conn: conn.execute(update(facility).values(collect_limit=9_000_000)))
    assert isinstance(await steps.answer(world, NOBODYS), Grant)  # and the limit that it has stays
    assert steps.available(world, funding.COLLECT) == funding.LIMIT - 2 * CHARGE


@in_loop
async def test_a_stopped_account_of_collect_calls_pays_for_nothing(world: World) -> None:
    world.database.transact_now(offer_only, "prepaid collect")
    assert isinstance(await steps.answer(world, NOBODYS), Grant)
    world.database.transact_now(lambda conn: conn.execute(update(billed_account).values(stopped_at=world.at)))
    refused = await steps.answer(world, NOBODYS)
    assert refused == Refused(Denial.FUNDS_TOO_LOW, {"needed": 60_000}, is_unbillable=False)


@in_loop
async def test_no_collect_call_is_offered_where_calls_are_free_by_law(world: World) -> None:
    world.database.transact_now(offer_only, "prepaid collect")
    world.database.transact_now(
        lambda conn: conn.execute(update(facility).values(state="MA", operator="county"))
    )
    answer = world.database.read_now(explain, Question("1001", NOBODYS, "demo-a1"), world.at).as_dict()
    assert (answer["decision"], answer["payer"]) == ("allow", "free")
    assert answer["payers"]["collect"] == "not_offered"  # type: ignore[index]


@in_loop
async def test_a_number_has_one_courtesy_call_ever_wherever_it_comes_from(world: World) -> None:
    world.database.transact_now(offer_only, "prepaid courtesy")
    first = await accepted(world, await steps.keyed(world, NOBODYS))
    row = ends(world, first, 120_000)
    assert (row.payer, row.charge, row.calls_charged, row.cut_off_by) == (
        Payer.COURTESY,
        0,
        1,
        Cutoff.COURTESY,
    )
    assert (row.balance_before, row.balance_after) == (1, 0)
    for days in (1, 400):
        world.at += timedelta(days=days)
        assert isinstance(await steps.answer(world, NOBODYS), Refused)
    assert steps.available(world, funding.COURTESY) == 0


def racing(
    world: World, callers: int, choose: Callable[[InmateControls], object] = lambda _: None
) -> Sequence[Grant | Refused]:
    """So many inmates call the number, which takes several calls, at the same moment."""
    people = steps.crowd(world, callers)
    flags = {"free": False, "office": True, "hotline": False, "passive": False, "relay": False}
    office = {"facility_id": JAIL, "number": NUMBER, "label": "office", **flags}
    world.database.transact_now(lambda conn: conn.execute(insert(special_number).values(office)))
    waiting = [asyncio.run(steps.keyed(world, NOBODYS, who=who)) for who in people]
    for each in waiting:
        choose(each)

    def dial(controls: InmateControls) -> Callable[[], Grant | Refused]:
        return lambda: asyncio.run(controls.authorise())

    return steps.at_once([dial(each) for each in waiting])


def granted(outcomes: Sequence[Grant | Refused], payer: Payer) -> list[int]:
    """How long each call may last that this payer pays for."""
    return sorted(each.limit_ms for each in outcomes if isinstance(each, Grant) and each.payer is payer)


def test_callers_with_one_calling_card_are_granted_what_it_can_pay(world: World) -> None:
    world.database.transact_now(offer_only, "card prepaid")
    account_id = fund(world, Payer.CARD, "2.00")
    pin = pin_of(world, account_id)
    outcomes = racing(world, 8, lambda each: asyncio.run(each.card_keyed(pin)))
    assert granted(outcomes, Payer.CARD) == [200_000, 900_000, 900_000]
    assert steps.available(world, account_id) == 0
    assert len([each for each in outcomes if isinstance(each, Refused)]) == 5
    steps.assert_books_are_right(world)


def test_callers_on_one_account_of_collect_calls_open_it_once_and_never_pass_its_limit(
    world: World,
) -> None:
    world.database.transact_now(offer_only, "prepaid collect")
    outcomes = racing(world, 8)
    assert granted(outcomes, Payer.COLLECT) == [200_000, 900_000, 900_000]
    assert steps.available(world, funding.COLLECT) == 0
    refused = [each for each in outcomes if isinstance(each, Refused)]
    assert [each.is_unbillable for each in refused] == [True] * 5
    steps.assert_books_are_right(world)


def test_of_callers_to_one_number_one_has_its_courtesy_call(world: World) -> None:
    world.database.transact_now(offer_only, "prepaid courtesy")
    outcomes = racing(world, 8)
    assert granted(outcomes, Payer.COURTESY) == [120_000]
    assert len([each for each in outcomes if isinstance(each, Refused)]) == 7
    steps.assert_books_are_right(world)


def test_of_callers_to_one_number_one_has_the_paid_call(world: World) -> None:
    world.database.transact_now(offer_only, "prepaid paid_call")
    funding.pay_for_a_call(world, "50.00")
    outcomes = racing(world, 8)
    assert granted(outcomes, Payer.PAID_CALL) == [900_000]
    steps.assert_books_are_right(world)


def test_one_id_at_two_telephones_holds_its_account_once(world: World) -> None:
    funding.open_debit(world, "5.00")
    waiting = [
        asyncio.run(choosing(world, Payer.DEBIT, funding.DEBIT, station=each))
        for each in ("demo-a1", "demo-a2")
    ]
    outcomes = steps.at_once([lambda each=each: asyncio.run(each.authorise()) for each in waiting])  # type: ignore[misc]
    assert granted(outcomes, Payer.DEBIT) == [900_000]
    assert steps.available(world, funding.DEBIT) == 5_000_000 - 900_000
    steps.assert_books_are_right(world)


# -- calling cards


def batch(world: World, **changed: Any) -> Sequence[Any]:
    given = {
        "batch_id": "two",
        "facility_id": JAIL,
        "cards": 12,
        "value": Money(10_000_000),
        "hashed": lambda pin: KEY.card_hash(JAIL, pin),
        "key_id": KEY.id,
        "at": world.at,
    }
    return world.database.transact_now(make_batch, **{**given, **changed})


def found(world: World, pin: str, facility_id: str = JAIL) -> str | None:
    """The card that is found by a PIN."""
    return world.database.read_now(
        find_card,
        facility_id=facility_id,
        pin_hash=KEY.card_hash(JAIL, pin),
        on=world.at.date(),
    )


def test_a_batch_makes_cards_of_one_value_and_tells_their_pins_once(world: World) -> None:
    cards = batch(world)
    assert [each.account_id for each in cards][:2] == ["card/two/01", "card/two/02"]
    assert len({each.pin for each in cards}) == 12
    assert all(len(each.pin) == 12 and each.pin.isdecimal() for each in cards)
    assert all(steps.available(world, each.account_id) == 10_000_000 for each in cards)
    kept = world.database.read_now(lambda conn: conn.execute(select(calling_card)).all())
    assert not [row for row in kept for each in cards if each.pin.encode() in row.pin_hash]
    assert [found(world, each.pin) for each in cards] == [each.account_id for each in cards]
    with pytest.raises(CardBatchExists):
        batch(world)
    steps.assert_books_are_right(world)


def test_no_two_cards_have_one_pin_even_where_chance_gives_it_twice(world: World) -> None:
    with mock.patch.object(secrets, "randbelow", side_effect=[7, 7, 7, 8]):
        cards = batch(world, cards=2)
    assert [each.pin for each in cards] == ["000000000007", "000000000008"]


@pytest.mark.parametrize(
    "wrong", [{"cards": 0}, {"value": Money(0)}, {"expiry_law": "a law"}, {"expires_on": "a day"}]
)
def test_a_batch_of_nothing_and_an_expiry_without_its_law_are_refused(
    world: World, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="expected cards of some value"):
        batch(world, **wrong)


def test_a_cancelled_an_expired_and_another_facilitys_card_pay_for_nothing(world: World) -> None:
    first, second, *_ = batch(world)
    assert found(world, first.pin, "another-jail") is None
    cancel = update(calling_card).where(calling_card.c.account_id == first.account_id)
    world.database.transact_now(lambda conn: conn.execute(cancel.values(cancelled_at=world.at)))
    assert found(world, first.pin) is None
    last_day = update(card_batch).values(expires_on=world.at.date(), expiry_law="a law")
    world.database.transact_now(lambda conn: conn.execute(last_day))
    assert found(world, second.pin) == second.account_id
    world.at += timedelta(days=1)
    assert found(world, second.pin) is None


@in_loop
async def test_wrong_pins_of_cards_pause_and_lock_like_those_of_ids(world: World) -> None:
    account_id = fund(world, Payer.CARD)
    pin = pin_of(world, account_id)
    controls = await steps.keyed(world, NOBODYS)
    for n in range(5):
        assert not await controls.card_keyed(f"{n:012d}")
    assert not await controls.card_keyed(pin)  # a pause
    world.at += timedelta(minutes=16)
    assert await controls.card_keyed(pin)
    assert world.database.read_now(lambda conn: conn.scalar(select(func.count()).select_from(wrong_pin))) == 0
    for n in range(10):
        world.at += timedelta(minutes=16)
        assert not await controls.card_keyed(f"{n:012d}")
    world.at += timedelta(days=1)
    assert not await controls.card_keyed(pin)  # a lock
    assert world.database.transact_now(unlock, JAIL, "1001")
    assert await controls.card_keyed(pin)


@pytest.mark.parametrize("payer", CHOSEN_BY_INMATE)
@in_loop
async def test_a_choice_is_of_one_call(world: World, payer: Payer) -> None:
    account_id = fund(world, payer)
    controls = await choosing(world, payer, account_id)
    await controls.open_call(NOBODYS)
    grant = await controls.authorise()
    assert isinstance(grant, Grant)
    assert grant.payer is Payer.COLLECT


def test_nothing_is_read_for_a_choice_that_the_facility_does_not_offer(world: World) -> None:
    world.database.transact_now(offer_only, "subscription prepaid")
    controls = asyncio.run(steps.keyed(world, NOBODYS))
    world.database.close()
    assert asyncio.run(controls.choices()).payers == ()
