"""What is asked of the processor is done once, whatever becomes of a request, and the book says what came of it."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Row, select, update

from accounts import holders, ledger, payers, payments, refunds
from accounts.payment_tables import PaymentKind, PaymentState, notice, payment
from accounts.verification import verify
from ivr.paying import Paying
from ivr.processor.interface import OnFile
from ivr.records.tables import alert
from rating.money import Money
from tests.controller import steps
from tests.fakes.loop import in_loop
from tests.payments.stripe_server import Books
from tests.transcripts.play import World

FAMILY = steps.PREPAID
TEN = Money(10_000_000)


def has_card(world: World, card: str = "pm_ok", **known: Any) -> None:
    """The holder has a card on file."""
    on_file = {"customer_id": "cus_1", "card_id": card, "card_label": "Visa 4242"}
    expires = {"card_expires_on": date(2030, 1, 31)}
    world.database.transact_now(
        lambda conn: holders.put_holder(conn, FAMILY, world.at, **on_file, **expires, **known)
    )


def ask(world: World, payment_id: str, kind: PaymentKind, amount: Money = TEN, **of: Any) -> None:
    def asking(conn: Connection) -> bool:
        given = {"account_id": FAMILY, **of}
        return payments.ask(conn, payment_id=payment_id, kind=kind, amount=amount, at=world.at, **given)

    world.database.transact_now(asking)


def row_of(world: World, payment_id: str) -> Row[Any]:
    row = world.database.read_now(payments.payment_of, payment_id)
    assert row is not None
    return row


def told(world: World) -> list[tuple[str, str]]:
    rows = world.database.read_now(lambda conn: conn.execute(select(notice).order_by(notice.c.id)).all())
    return [(row.kind, row.told) for row in rows]


def book_is_right(world: World) -> None:
    assert world.database.read_now(verify).faults == ()


@in_loop
async def test_a_reload_is_charged_and_paid_in_once(world: World, paying: Paying, books: Books) -> None:
    has_card(world, reload_below=Money(6_000_000), reload_amount=TEN)
    for _ in range(3):
        await paying.work()
    assert books.done == {"charged": 1}
    assert steps.available(world) == 15_000_000
    assert row_of(world, f"reload/{FAMILY}/1").state == PaymentState.SUCCEEDED
    book_is_right(world)


@pytest.mark.parametrize(
    ("card", "why"), [("pm_declined", "generic_decline"), ("pm_insufficient", "insufficient_funds")]
)
@in_loop
async def test_a_declined_reload_is_told_and_not_tried_again_for_a_day(
    world: World, paying: Paying, books: Books, card: str, why: str
) -> None:
    has_card(world, card, reload_below=Money(6_000_000), reload_amount=TEN, mobile="+12175550101")
    for _ in range(3):
        await paying.work()
    row = row_of(world, f"reload/{FAMILY}/1")
    assert (row.state, row.failure) == (PaymentState.FAILED, why)
    assert told(world) == [("low_balance", '{"balance": "5.00"}')]
    assert books.requests["/v1/payment_intents"] == 1
    world.at += timedelta(hours=25)
    await paying.work()
    assert books.requests["/v1/payment_intents"] == 2
    assert steps.available(world) == 5_000_000


@pytest.mark.parametrize("fate", ["500", "429", "silent", "cut"])
@in_loop
async def test_a_charge_of_which_nobody_heard_is_asked_again_and_done_once(
    world: World, paying: Paying, books: Books, fate: str
) -> None:
    has_card(world)
    ask(world, "reload/x", PaymentKind.RELOAD)
    books.next = [fate, fate]
    for _ in range(3):
        await paying.work()
        world.at += timedelta(minutes=5)
    assert books.done == {"charged": 1}
    assert (row_of(world, "reload/x").state, steps.available(world)) == (PaymentState.SUCCEEDED, 15_000_000)


@in_loop
async def test_a_controller_that_dies_before_it_writes_down_a_charge_has_it_done_once(
    world: World, paying: Paying, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_card(world)
    ask(world, "reload/x", PaymentKind.RELOAD)

    def dies(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("ivr.paying._keep", dies)
        with pytest.raises(RuntimeError, match="killed"):
            await paying.work()
    assert steps.available(world) == 5_000_000
    world.at += timedelta(minutes=1)
    await paying.work()
    assert (books.requests["/v1/payment_intents"], books.done) == (2, {"charged": 1})
    assert steps.available(world) == 15_000_000


@in_loop
async def test_a_processor_that_stays_silent_is_left_to_staff(
    world: World, paying: Paying, books: Books
) -> None:
    has_card(world)
    ask(world, "reload/x", PaymentKind.RELOAD)
    books.next = ["500"] * 20
    for _ in range(10):
        await paying.work()
        world.at += timedelta(days=2)
    assert books.requests["/v1/payment_intents"] == len(payments.AGAIN_AFTER)
    alerts = world.database.read_now(lambda conn: list(conn.scalars(select(alert.c.kind))))
    assert alerts.count("payment_unknown") == 1


@in_loop
async def test_two_controllers_charge_once(world: World, paying: Paying, books: Books) -> None:
    has_card(world)
    ask(world, "reload/x", PaymentKind.RELOAD)
    await asyncio.gather(paying.work(), paying.work(), paying.work())
    assert books.done == {"charged": 1}
    assert steps.available(world) == 15_000_000


@in_loop
async def test_an_id_that_was_another_charge_is_refused_by_both_sides(
    world: World, paying: Paying, books: Books
) -> None:
    has_card(world)
    ask(world, "reload/x", PaymentKind.RELOAD)
    await paying.work()
    with pytest.raises(payments.PaymentConflict):
        ask(world, "reload/x", PaymentKind.RELOAD, Money(20_000_000))
    card = OnFile("cus_1", "pm_ok")
    refused = paying._processor.charge("reload/x", Money(20_000_000), card)
    assert refused == payments.Declined("idempotency_error")
    assert books.done == {"charged": 1}


@in_loop
async def test_what_goes_back_goes_to_the_cards_that_paid_the_newest_first(
    world: World, paying: Paying, books: Books
) -> None:
    has_card(world, mobile="+12175550101")
    for name, amount in (("reload/a", 4_000_000), ("reload/b", 3_000_000)):
        ask(world, name, PaymentKind.RELOAD, Money(amount))
        await paying.work()
        world.at += timedelta(minutes=1)
    paid = world.database.transact_now(give_back, Money(9_000_000), "letter-1", world)
    assert paid == (9_000_000, 7_000_000)
    assert world.database.transact_now(give_back, Money(9_000_000), "letter-1", world) == paid
    await paying.work()
    rows = select(payment.c.of_id, payment.c.amount, payment.c.state).where(
        payment.c.kind == PaymentKind.REFUND
    )
    back = world.database.read_now(lambda conn: conn.execute(rows.order_by(payment.c.id)).all())
    assert [tuple(row) for row in back] == [
        ("reload/b", 3_000_000, "succeeded"),
        ("reload/a", 4_000_000, "succeeded"),
    ]
    assert books.done["refunded"] == 2
    assert steps.available(world) == 3_000_000
    assert told(world) == [("refunded", '{"amount": "9.00"}')]
    book_is_right(world)


def give_back(conn: Connection, amount: Money, reference: str, world: World) -> tuple[Money, Money]:
    return refunds.give_back(conn, account_id=FAMILY, amount=amount, reference=reference, at=world.at)


@in_loop
async def test_a_refund_that_the_card_refuses_is_for_staff_to_pay_otherwise(
    world: World, paying: Paying, books: Books
) -> None:
    has_card(world)
    ask(world, "reload/a", PaymentKind.RELOAD)
    await paying.work()
    books.objects[row_of(world, "reload/a").processor_id]["refunded"] = 1_000  # at the processor, by hand
    world.database.transact_now(give_back, TEN, "letter-1", world)
    await paying.work()
    assert row_of(world, "refund/letter-1/1").state == PaymentState.FAILED
    alerts = world.database.read_now(lambda conn: list(conn.scalars(select(alert.c.kind))))
    assert "refund_failed" in alerts


CALL = "c" * 32


async def authorised(
    world: World, paying: Paying, card: str = "pm_ok", amount: int = 1_350_000
) -> payments.Outcome:
    """A call's longest talk is authorised on a card."""
    has_card(world, card)
    of = {"call_id": CALL, "account_id": FAMILY}
    return await paying.authorise(f"call/{CALL}/card", OnFile("cus_1", card), Money(amount), **of)


def talked(world: World, micros: int) -> None:
    """The call was settled at so much."""

    def settling(conn: Connection) -> None:
        hold = {"debit_id": payers.CARD_RECEIVABLE, "credit_id": payers.REVENUE}
        ledger.hold(conn, transfer_id=f"call/{CALL}/hold", **hold, amount=1_350_000, at=world.at)
        entry = f"call/{CALL}/settlement"
        ledger.settle(conn, transfer_id=entry, hold_id=f"call/{CALL}/hold", amount=micros, at=world.at)
        due = {"captured": micros // 10_000 * 10_000, "next_try_at": world.at}
        conn.execute(update(payment).where(payment.c.call_id == CALL).values(**due))

    world.database.transact_now(settling)


def receivable(world: World) -> int:
    return -world.database.read_now(ledger.balance, payers.CARD_RECEIVABLE).available


@pytest.mark.parametrize(("micros", "captured", "lost"), [(95_000, 9, 5_000), (1_350_000, 135, 0)])
@in_loop
async def test_what_the_talk_has_cost_is_captured_in_whole_cents(
    world: World, paying: Paying, books: Books, *, micros: int, captured: int, lost: int
) -> None:
    outcome = await authorised(world, paying)
    assert isinstance(outcome, payments.Done)
    assert row_of(world, f"call/{CALL}/card").state == PaymentState.AUTHORISED
    before = world.database.read_now(ledger.balance, payers.LOSS).debits
    talked(world, micros)
    for _ in range(2):
        await paying.work()
    assert books.objects[outcome.processor_id]["amount_received"] == captured
    assert receivable(world) == 0
    assert world.database.read_now(ledger.balance, payers.LOSS).debits - before == lost
    book_is_right(world)


@in_loop
async def test_a_call_that_cost_nothing_is_voided(world: World, paying: Paying, books: Books) -> None:
    await authorised(world, paying)
    talked(world, 0)
    await paying.work()
    assert books.done == {"authorised": 1, "voided": 1}
    assert (row_of(world, f"call/{CALL}/card").state, receivable(world)) == (PaymentState.VOIDED, 0)


@in_loop
async def test_a_capture_that_fails_is_the_providers_loss(world: World, paying: Paying, books: Books) -> None:
    outcome = await authorised(world, paying)
    assert isinstance(outcome, payments.Done)
    books.objects[outcome.processor_id]["status"] = "canceled"  # the authorisation has lapsed
    before = world.database.read_now(ledger.balance, payers.LOSS).debits
    talked(world, 90_000)
    await paying.work()
    assert row_of(world, f"call/{CALL}/card").state == PaymentState.FAILED
    assert (world.database.read_now(ledger.balance, payers.LOSS).debits - before, receivable(world)) == (
        90_000,
        0,
    )
    book_is_right(world)


@in_loop
async def test_a_card_that_is_declined_is_not_authorised(world: World, paying: Paying, books: Books) -> None:
    assert await authorised(world, paying, "pm_declined") == payments.Declined("generic_decline")
    world.at += timedelta(minutes=5)
    await paying.work()
    assert (books.done, row_of(world, f"call/{CALL}/card").state) == ({}, PaymentState.FAILED)


@in_loop
async def test_an_authorisation_of_which_nobody_heard_in_time_is_given_back(
    world: World, paying: Paying, books: Books
) -> None:
    books.next = ["silent"]
    assert isinstance(await authorised(world, paying), payments.Unknown)
    assert books.done == {"authorised": 1}
    await paying.work()
    assert books.done == {"authorised": 1, "voided": 1}
    assert row_of(world, f"call/{CALL}/card").state == PaymentState.VOIDED
