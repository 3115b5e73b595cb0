"""A call that a card on file pays for: authorised when it is accepted, captured for the talk, and else given back."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select

from accounts import holders, ledger, payers, payments
from accounts.db import Database
from accounts.giving_back import give_back
from accounts.payment_tables import PaymentState, notice
from ivr.controls import Accepted, CalledPartyControls, Checked, Grant, Payer, Refused
from ivr.controls.called_party import block_number
from ivr.controls.explaining import Question, explain
from ivr.controls.settlement import Ending, settle
from ivr.paying import Paying
from ivr.policy.reasons import Outcome
from ivr.records import evidence
from ivr.records.states import Leg
from tests.controller import steps
from tests.fakes.loop import in_loop
from tests.payments.stripe_server import Books
from tests.transcripts import funding
from tests.transcripts.funding import CARDHOLDERS, JAIL, NOBODYS, NUMBER
from tests.transcripts.play import World

TALK_MS, CHARGE, CENTS, HELD = 83_000, 83_000, 8, 900_000


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """Single calls are offered, and the number's account has nothing but a card on file."""
    world = funding.funded(database, tmp_path, "prepaid", "paid_call")
    funding.put_card_on_file(world, mobile="+12175550109")
    return world


@pytest.fixture(autouse=True)
def node(world: World, paying: Paying) -> None:
    """The controller asks the processor."""
    world.node = replace(world.node, paying=paying)


async def offered(world: World) -> CalledPartyControls:
    called = await steps.offered(world, NOBODYS)
    row = steps.record(world, called.call_id)
    assert (row.payer, row.by_card, row.account_id, row.held) == (Payer.PAID_CALL, True, CARDHOLDERS, HELD)
    return called


def ends(world: World, call_id: str, talk_ms: int = 0, cause: int = 16) -> Row[Any]:
    """The two have talked for so long, or not at all: the sealed record."""
    start, end = world.at, world.at + timedelta(milliseconds=talk_ms)
    note = f"{start.timestamp():.6f} {end.timestamp():.6f} {cause}"
    seen = evidence.note(note) if talk_ms else []
    world.at = end
    ending = Ending(Outcome.NOT_ACCEPTED)
    world.database.transact_now(settle, call_id, ending, at=end, version="test", seen=seen)
    return steps.record(world, call_id)


def state_of(world: World, call_id: str) -> str | None:
    row = world.database.read_now(payments.payment_of, f"call/{call_id}/card")
    return row.state if row else None


def receivable(world: World) -> int:
    return world.database.read_now(ledger.balance, payers.CARD_RECEIVABLE).available


def told(world: World) -> list[str]:
    return list(world.database.read_now(lambda conn: conn.scalars(select(notice.c.kind)).all()))


def nothing_was_paid(world: World, row: Row[Any]) -> None:
    """No charge, no hold, no debt of the processor's, and the book is right."""
    assert (row.charge, row.balance_before, row.balance_after) == (0, None, None)
    assert receivable(world) == 0
    assert world.database.read_now(steps.open_holds) == []
    steps.assert_books_are_right(world)


@in_loop
async def test_the_longest_talk_is_authorised_and_the_talk_captured(
    world: World, paying: Paying, books: Books
) -> None:
    called = await offered(world)
    assert receivable(world) == -HELD
    assert books.requests == {}  # nothing before the key
    assert await called.authorise_card() is Checked.AUTHORISED
    [intent] = books.objects.values()
    assert (intent["amount"], intent["status"]) == (90, "requires_capture")
    accepted = await called.accept("1", "en")
    assert isinstance(accepted, Accepted)
    assert accepted.by_card
    row = ends(world, called.call_id, TALK_MS)
    assert (row.reason, row.charge, row.balance_after) == (Outcome.COMPLETED, CHARGE, None)
    for _ in range(3):
        await paying.work()
    assert intent["amount_received"] == CENTS
    assert books.done == {"authorised": 1, "captured": 1}
    assert (state_of(world, called.call_id), receivable(world)) == (PaymentState.SUCCEEDED, 0)
    assert steps.available(world, CARDHOLDERS) == 0  # nothing of the account's was touched
    assert told(world) == ["incoming_call", "receipt"]
    steps.assert_books_are_right(world)


@in_loop
async def test_a_talk_too_cheap_to_be_captured_is_the_providers_loss_and_the_payer_gets_all_back(
    world: World, paying: Paying, books: Books
) -> None:
    books.refuses_small_captures = True
    called = await offered(world)
    assert await called.authorise_card() is Checked.AUTHORISED
    await called.accept("1", "en")
    assert ends(world, called.call_id, TALK_MS).charge == CHARGE
    for _ in range(3):
        await paying.work()
    assert books.done == {"authorised": 1, "voided": 1}
    assert (state_of(world, called.call_id), receivable(world)) == (PaymentState.VOIDED, 0)
    assert world.database.read_now(ledger.balance, payers.LOSS).debits == CHARGE
    steps.assert_books_are_right(world)


@pytest.mark.parametrize("card", ["pm_declined", "pm_insufficient"])
@in_loop
async def test_a_declined_card_pays_for_nothing(
    world: World, paying: Paying, books: Books, card: str
) -> None:
    funding.put_card_on_file(world, card)
    called = await offered(world)
    assert await called.authorise_card() is Checked.DECLINED
    await called.decline(Outcome.CARD_DECLINED, "en")
    assert await called.accept("1", "en") is None
    row = ends(world, called.call_id)
    assert (row.reason, row.declined) == (Outcome.CARD_DECLINED, Outcome.CARD_DECLINED)
    await paying.work()
    assert (books.done, state_of(world, called.call_id)) == ({}, PaymentState.FAILED)
    nothing_was_paid(world, row)


@pytest.mark.parametrize("patience", [6.0, 0.1])
@in_loop
async def test_a_processor_that_stays_silent_or_is_late_pays_for_nothing(
    world: World, paying: Paying, books: Books, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    monkeypatch.setattr("ivr.paying.PATIENCE_SECONDS", patience)
    books.next = ["silent"]
    called = await offered(world)
    assert await called.authorise_card() is Checked.DECLINED
    await called.decline(Outcome.CARD_DECLINED, "en")
    row = ends(world, called.call_id)
    await asyncio.sleep(0.6)  # until the request is given up
    assert books.done == {"authorised": 1}  # the processor did it all the same
    for _ in range(2):
        await paying.work()
    assert books.done == {"authorised": 1, "voided": 1}
    assert state_of(world, called.call_id) == PaymentState.VOIDED
    nothing_was_paid(world, row)


@in_loop
async def test_what_was_authorised_for_a_call_that_is_blocked_meanwhile_is_given_back(
    world: World, paying: Paying, books: Books
) -> None:
    called = await offered(world)
    assert await called.authorise_card() is Checked.AUTHORISED
    world.database.transact_now(block_number, JAIL, NUMBER, called.call_id, world.node)
    assert await called.accept("1", "en") is None
    await paying.work()
    assert books.done == {"authorised": 1}  # until it is known that the call is over
    row = ends(world, called.call_id)
    await paying.work()
    assert books.done == {"authorised": 1, "voided": 1}
    nothing_was_paid(world, row)


@pytest.mark.parametrize("leg", Leg)
@in_loop
async def test_what_was_authorised_while_somebody_hung_up_is_given_back(
    world: World, paying: Paying, books: Books, monkeypatch: pytest.MonkeyPatch, leg: Leg
) -> None:
    called = await offered(world)
    live = world.node.live.get(called.call_id)
    assert live is not None
    authorise = paying.authorise

    async def hung_up_meanwhile(*asked: Any, **of: Any) -> payments.Outcome:
        outcome = await authorise(*asked, **of)
        live.hangs_up(leg)
        return outcome

    monkeypatch.setattr(paying, "authorise", hung_up_meanwhile)
    assert await called.authorise_card() is Checked.TOO_LATE
    row = ends(world, called.call_id)
    await paying.work()
    assert books.done == {"authorised": 1, "voided": 1}
    nothing_was_paid(world, row)


@in_loop
async def test_nothing_is_asked_for_a_call_that_is_over(world: World, books: Books) -> None:
    called = await offered(world)
    ends(world, called.call_id)
    assert await called.authorise_card() is Checked.TOO_LATE
    assert books.requests == {}


@in_loop
async def test_a_call_that_was_accepted_and_not_talked_is_given_back(
    world: World, paying: Paying, books: Books
) -> None:
    called = await offered(world)
    await called.authorise_card()
    assert isinstance(await called.accept("1", "en"), Accepted)
    row = ends(world, called.call_id)
    await paying.work()
    assert books.done == {"authorised": 1, "voided": 1}
    nothing_was_paid(world, row)


@in_loop
async def test_a_call_that_is_dropped_at_once_is_given_back_and_told(
    world: World, paying: Paying, books: Books
) -> None:
    called = await offered(world)
    await called.authorise_card()
    await called.accept("1", "en")
    row = ends(world, called.call_id, 20_000, cause=38)
    await paying.work()
    assert (row.given_back, books.done) == (True, {"authorised": 1, "voided": 1})
    assert "dropped_call" in told(world)
    nothing_was_paid(world, row)


@in_loop
async def test_a_complaint_gives_what_the_card_paid_into_its_account(world: World, paying: Paying) -> None:
    called = await offered(world)
    await called.authorise_card()
    await called.accept("1", "en")
    ends(world, called.call_id, TALK_MS)
    for _ in range(2):
        world.database.transact_now(give_back, called.call_id, world.at)
    await paying.work()
    assert (steps.available(world, CARDHOLDERS), receivable(world)) == (CHARGE, 0)
    steps.assert_books_are_right(world)


@in_loop
async def test_a_card_that_is_gone_when_the_call_is_accepted_is_not_asked(world: World, books: Books) -> None:
    called = await offered(world)
    gone = {"card_id": None, "card_label": None, "card_expires_on": None}
    world.database.transact_now(lambda conn: holders.put_holder(conn, CARDHOLDERS, world.at, **gone))
    assert await called.authorise_card() is Checked.DECLINED
    assert books.requests == {}


@pytest.mark.parametrize(
    "known",
    [
        {"card_expires_on": date(2026, 10, 31)},
        {"card_id": None},
        {"customer_id": None},
        {"closed_at": "now"},
    ],
    ids=lambda known: next(iter(known)),
)
@in_loop
async def test_no_card_that_can_be_charged_is_no_payer(world: World, known: dict[str, Any]) -> None:
    known = {name: world.at if value == "now" else value for name, value in known.items()}
    world.database.transact_now(lambda conn: holders.put_holder(conn, CARDHOLDERS, world.at, **known))
    assert isinstance(await steps.answer(world, NOBODYS), Refused)


@in_loop
async def test_without_a_processor_no_card_pays(world: World) -> None:
    assert isinstance(await steps.answer(world, NOBODYS), Grant)
    world.node = replace(world.node, paying=None)
    assert isinstance(await steps.answer(world, NOBODYS), Refused)
    asked = Question("1001", NOBODYS, "demo-a1")
    for takes_cards, why in ((False, "no_processor"), (True, "can pay")):
        answer = world.database.read_now(explain, asked, world.at, takes_cards=takes_cards)
        views = answer.as_dict()["payers"]
        assert isinstance(views, dict)
        assert views["paid_call"] == why


@in_loop
async def test_a_credit_that_waits_is_used_before_the_card(world: World, books: Books) -> None:
    funding.pay_for_a_call(world, "1.00")
    called = await steps.offered(world, NOBODYS)
    row = steps.record(world, called.call_id)
    assert (row.account_id, row.by_card, row.held) == (funding.PAID_CALL, None, 1_000_000)
    assert await called.authorise_card() is Checked.TOO_LATE
    assert books.requests == {}
