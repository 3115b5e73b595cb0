"""Where nobody pays, the called party may be rung to be offered a link to pay for one call, and that alone."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from accounts import payment_effects, payments
from accounts.db import Database
from accounts.payment_tables import PaymentKind, PaymentState, notice, opted_out, payment
from ivr.controls import CalledPartyControls, Grant, Payer, Refused
from ivr.controls.explaining import Question, explain
from ivr.facility.tables import facility, special_number
from ivr.paying import Paying
from ivr.policy.reasons import Denial, Outcome
from ivr.records.tables import call
from rating.money import Money
from tests.controller import steps
from tests.fakes.loop import in_loop
from tests.payments.stripe_server import Books
from tests.payments.test_by_card import ends
from tests.transcripts import funding
from tests.transcripts.funding import JAIL, NOBODYS, NUMBER
from tests.transcripts.play import World

REFUSED = Refused(Denial.FUNDS_TOO_LOW, {"needed": 60_000})


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """Single calls are offered, and nobody has paid for one."""
    return funding.funded(database, tmp_path, "prepaid", "paid_call")


@pytest.fixture(autouse=True)
def node(world: World, paying: Paying) -> None:
    """The controller asks the processor and sends SMS."""
    world.node = replace(world.node, paying=paying, sends_sms=True)


async def offered(world: World) -> CalledPartyControls:
    called = await steps.offered(world, NOBODYS)
    row = steps.record(world, called.call_id)
    assert (row.payer, row.account_id, row.hold_id, row.link_for) == (None, None, None, 900_000)
    return called


def pages(world: World) -> list[tuple[object, ...]]:
    wanted = select(
        payment.c.kind, payment.c.facility_id, payment.c.number, payment.c.amount, payment.c.language
    )
    return [tuple(row) for row in world.database.read_now(lambda conn: conn.execute(wanted).all())]


@in_loop
async def test_a_link_is_sent_by_sms_and_what_is_paid_makes_the_next_call(
    world: World, paying: Paying, books: Books
) -> None:
    called = await offered(world)
    assert pages(world) == []  # nothing before the key
    assert await called.send_link("es")
    row = ends(world, called.call_id)
    assert (row.reason, row.charge, row.payer) == (Outcome.PAYMENT_OFFERED, 0, None)
    assert pages(world) == [(PaymentKind.PAID_CALL, JAIL, NUMBER, 900_000, "es")]
    for _ in range(2):
        await paying.work()
    assert books.done == {"page": 1}
    sent = world.database.read_now(lambda conn: conn.execute(select(notice)).one())
    assert (sent.channel, sent.recipient, sent.language, sent.kind) == ("sms", NUMBER, "es", "payment_link")
    assert await steps.answer(world, NOBODYS) == REFUSED  # it waits for its payer
    paid = f"call/{called.call_id}/link"
    done = payments.Done(PaymentState.SUCCEEDED, "pi_1")
    world.database.transact_now(payment_effects.record, paid, done, world.at)
    grant = await steps.answer(world, NOBODYS)
    assert isinstance(grant, Grant)
    assert grant.payer is Payer.PAID_CALL
    steps.assert_books_are_right(world)


@in_loop
async def test_whoever_is_offered_a_link_is_never_connected(world: World) -> None:
    called = await offered(world)
    assert await called.accept("1", "en") is None
    assert await called.accept_by_answer("en") is None
    assert steps.record(world, called.call_id).accepted_at is None
    with pytest.raises(IntegrityError):  # whatever else is wrong, the database refuses it
        world.database.transact_now(
            lambda conn: conn.execute(
                update(call).where(call.c.id == called.call_id).values(accepted_at=world.at)
            )
        )


@in_loop
async def test_of_two_keys_the_first_stands_and_one_link_is_sent(world: World) -> None:
    called = await offered(world)
    assert await called.send_link("en")
    assert not await called.send_link("en")
    assert len(pages(world)) == 1
    world.at += timedelta(days=2)
    world.database.transact_now(lambda conn: conn.execute(update(payment).values(state="failed")))
    ends(world, called.call_id)
    again = await offered(world)
    await again.decline(Outcome.REFUSED, "en")
    assert not await again.send_link("en")
    assert len(pages(world)) == 1


@in_loop
async def test_a_call_that_somebody_pays_for_sends_no_link(world: World) -> None:
    funding.pay_for_a_call(world, "1.00")
    called = await steps.offered(world, NOBODYS)
    assert not await called.send_link("en")
    assert pages(world) == []


@pytest.mark.parametrize("hours", [0, 23])
@in_loop
async def test_a_number_is_rung_for_a_link_once_a_day_whether_anybody_answers(
    world: World, hours: int
) -> None:
    grant = await steps.answer(world, NOBODYS)  # and nobody answers
    assert isinstance(grant, Grant)
    assert grant.payer is None
    world.at += timedelta(hours=hours)
    assert await steps.answer(world, NOBODYS) == REFUSED
    world.at += timedelta(hours=24 - hours)
    assert isinstance(await steps.answer(world, NOBODYS), Grant)


@pytest.mark.parametrize("state", ["asked", "pending"])
@in_loop
async def test_no_link_is_offered_while_one_waits(world: World, state: str) -> None:
    called = await offered(world)
    await called.send_link("en")
    ends(world, called.call_id)
    world.at += timedelta(days=3)
    world.database.transact_now(lambda conn: conn.execute(update(payment).values(state=state)))
    assert await steps.answer(world, NOBODYS) == REFUSED
    world.database.transact_now(lambda conn: conn.execute(update(payment).values(state="failed")))
    assert isinstance(await steps.answer(world, NOBODYS), Grant)


@pytest.mark.parametrize("why", ["stopped", "office", "no processor", "no SMS", "not offered", "too small"])
@in_loop
async def test_no_link_is_offered_where_it_can_or_should_not_be(world: World, why: str) -> None:
    flags = {"free": False, "office": True, "hotline": False, "passive": False, "relay": False}
    match why:
        case "stopped":
            row = {"number": NUMBER, "since": world.at}
            world.database.transact_now(lambda conn: conn.execute(insert(opted_out).values(row)))
        case "office":
            office = {"facility_id": JAIL, "number": NUMBER, "label": "office", **flags}
            world.database.transact_now(lambda conn: conn.execute(insert(special_number).values(office)))
        case "too small":
            short = update(facility).values(longest_call_ms=480_000)
            world.database.transact_now(lambda conn: conn.execute(short))
            asked = Question("1001", NOBODYS, "demo-a1")
            told = world.database.read_now(
                explain, asked, world.at, takes_cards=True, sends_links=True
            ).as_dict()
            assert told["payers"]["paid_call"] == "too_small"  # type: ignore[index]
        case "no processor":
            world.node = replace(world.node, paying=None)
        case "no SMS":
            world.node = replace(world.node, sends_sms=False)
        case _:
            world.database.transact_now(lambda conn: conn.execute(update(facility).values(payers="prepaid")))
    assert await steps.answer(world, NOBODYS) == REFUSED


def test_of_callers_to_one_number_one_rings_it_for_a_link(world: World) -> None:
    waiting = [asyncio.run(steps.keyed(world, NOBODYS, who=who)) for who in steps.crowd(world, 8)]
    outcomes = steps.at_once([lambda each=each: asyncio.run(each.authorise()) for each in waiting])  # type: ignore[misc]
    assert len([each for each in outcomes if isinstance(each, Grant)]) == 1
    rung = select(func.count()).select_from(call).where(call.c.link_for.is_not(None))
    assert world.database.read_now(lambda conn: conn.scalar(rung)) == 1


def test_an_explanation_tells_of_the_link(world: World) -> None:
    asked = Question("1001", NOBODYS, "demo-a1")
    answer = world.database.read_now(explain, asked, world.at, takes_cards=True, sends_links=True).as_dict()
    assert (answer["decision"], answer["reason"], answer["link"]) == ("deny", "funds_too_low", "$0.90")
    assert world.database.read_now(explain, asked, world.at).as_dict()["link"] is None


def test_the_amount_of_a_link_is_in_whole_cents(world: World) -> None:
    world.database.transact_now(lambda conn: conn.execute(update(facility).values(longest_call_ms=899_500)))
    asked = Question("1001", NOBODYS, "demo-a1")
    answer = world.database.read_now(explain, asked, world.at, takes_cards=True, sends_links=True)
    link = answer.explained.decision.link  # type: ignore[union-attr]
    assert link is not None
    assert link.amount == Money(900_000)
