"""What the processor tells by itself is believed where it is signed and new, once, in whatever order it comes."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from accounts import holders, ledger, payers
from accounts.payment_tables import PaymentKind, PaymentState, dispute
from accounts.tables import paid_call
from ivr.paying import Paying
from ivr.processor import redirect, webhooks
from ivr.records.tables import alert
from rating.money import Money
from tests.controller import steps
from tests.payments.stripe_server import WEBHOOK_SECRET, Books, event, signed
from tests.payments.test_paying import FAMILY, TEN, ask, book_is_right, row_of, told
from tests.transcripts.play import World

Send = Callable[..., int]


@pytest.fixture
def send(world: World, monkeypatch: pytest.MonkeyPatch) -> Send:
    """Sends events as Stripe does; the answer's status."""

    def now() -> float:
        return world.at.timestamp()

    monkeypatch.setattr("time.time", now)  # by which the library judges a signature's age

    def sending(*events: dict[str, Any], late: int = 0, secret: str = WEBHOOK_SECRET) -> int:
        status = 200
        for each in events:
            status = post(world, *signed(each, now() - late, secret))
        return status

    return sending


def post(world: World, body: bytes, headers: dict[str, str]) -> int:
    """What the webhook answers to an event."""
    return asked(world, "POST", webhooks.PATH, body, headers)[0]


def asked(
    world: World, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, str | None]:
    """What is answered to a request, spoken to by ASGI: the status, and where it leads."""
    own = [
        *webhooks.routes(WEBHOOK_SECRET, world.database, lambda: world.at),
        *redirect.routes(world.database),
    ]
    app = Starlette(routes=own)
    answered: list[Any] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def answer(message: Any) -> None:
        answered.append(message)

    asyncio.run(app(scope, receive, answer))
    led = dict(answered[0]["headers"]).get(b"location")
    return int(answered[0]["status"]), led.decode() if led else None


def paged(world: World, paying: Paying, books: Books, kind: PaymentKind, **of: Any) -> dict[str, Any]:
    """A page waits for its payer; it as the processor knows it."""
    ask(world, "page/1", kind, TEN, **of)
    asyncio.run(paying.work())
    return books.objects[row_of(world, "page/1").processor_id]


def paid(page: dict[str, Any], id_: str = "evt_1", **other: Any) -> dict[str, Any]:
    done = {"status": "complete", "payment_status": "paid", "payment_intent": "pi_9", **other}
    return event(id_, "checkout.session.completed", {**page, **done})


def test_a_page_that_was_paid_is_a_deposit_once(
    world: World, paying: Paying, books: Books, send: Send
) -> None:
    world.database.transact_now(
        lambda conn: holders.put_holder(conn, FAMILY, world.at, email="a@example.org")
    )
    page = paged(world, paying, books, PaymentKind.DEPOSIT)
    [(kind, text)] = told(world)
    way = json.loads(text)["url"]
    assert (kind, text) == ("payment_link", f'{{"amount": "10.00", "url": "{way}"}}')
    path = way.removeprefix("https://calls.example")
    assert asked(world, "GET", path) == (303, page["url"])
    assert asked(world, "GET", f"{path}x") == (404, None)
    assert steps.available(world) == 5_000_000
    assert send(paid(page), paid(page), paid(page, "evt_2")) == 200
    assert steps.available(world) == 15_000_000
    assert asked(world, "GET", path) == (410, None)  # nothing is to be paid there any more
    book_is_right(world)


def test_no_event_is_believed_that_is_not_signed_or_is_old(
    world: World, paying: Paying, books: Books, send: Send
) -> None:
    page = paged(world, paying, books, PaymentKind.DEPOSIT)
    assert send(paid(page), secret="whsec_other") == 400
    assert send(paid(page), late=301) == 400
    assert steps.available(world) == 5_000_000
    assert post(world, b"{}", {}) == 400
    assert post(world, b"x" * (webhooks.LONGEST_BODY + 1), {}) == 413


def test_a_page_is_paid_later_or_never(world: World, paying: Paying, books: Books, send: Send) -> None:
    page = paged(world, paying, books, PaymentKind.DEPOSIT)
    waits = {**page, "status": "complete", "payment_status": "unpaid"}
    send(event("evt_1", "checkout.session.completed", waits))
    assert row_of(world, "page/1").state == PaymentState.PENDING
    send(event("evt_2", "checkout.session.expired", {**page, "status": "expired"}))
    assert row_of(world, "page/1").state == PaymentState.FAILED
    late = {**page, "payment_status": "paid", "payment_intent": "pi_9"}
    send(event("evt_3", "checkout.session.async_payment_succeeded", late))
    assert (row_of(world, "page/1").state, steps.available(world)) == (PaymentState.SUCCEEDED, 15_000_000)
    send(event("evt_4", "checkout.session.expired", {**page, "status": "expired"}))
    assert row_of(world, "page/1").state == PaymentState.SUCCEEDED


def test_another_amount_than_was_asked_for_is_left_to_staff(
    world: World, paying: Paying, books: Books, send: Send
) -> None:
    page = paged(world, paying, books, PaymentKind.DEPOSIT)
    send(paid(page, amount_total=1))
    assert steps.available(world) == 5_000_000
    assert world.database.read_now(lambda conn: list(conn.scalars(select(alert.c.kind)))) == [
        "payment_differs"
    ]


def test_what_does_not_concern_us_is_taken_and_left(world: World, send: Send) -> None:
    assert send(event("evt_1", "customer.created", {"id": "cus_1"})) == 200
    assert (
        send(event("evt_2", "checkout.session.completed", {"client_reference_id": None, "mode": "payment"}))
        == 200
    )


def test_a_card_is_put_on_file_and_a_newer_one_takes_its_place(
    world: World, paying: Paying, books: Books, send: Send
) -> None:
    for number, (brand, last4) in enumerate((("visa", "4242"), ("mastercard", "4444")), 1):
        ask(world, f"card/{number}", PaymentKind.CARD, Money(0))
        asyncio.run(paying.work())
        page = books.objects[row_of(world, f"card/{number}").processor_id]
        card = {"brand": brand, "last4": last4, "exp_month": 2, "exp_year": 2028}
        method = {"id": f"pm_{number}", "object": "payment_method", "card": card}
        setup = books.new(
            "seti", object="setup_intent", status="succeeded", customer="cus_7", payment_method=method
        )
        send(event(f"evt_{number}", "checkout.session.completed", {**page, "setup_intent": setup["id"]}))
        asyncio.run(paying.work())
    holder = world.database.read_now(holders.holder_of, FAMILY)
    assert holder is not None
    assert (holder.customer_id, holder.card_id, holder.card_label) == ("cus_7", "pm_2", "Mastercard 4444")
    assert str(holder.card_expires_on) == "2028-02-29"


def test_a_paid_call_waits_a_day_and_goes_back_unused(
    world: World, paying: Paying, books: Books, send: Send
) -> None:
    of = {
        "account_id": None,
        "facility_id": "example-county-jail",
        "number": "+12175550102",
        "language": "es",
    }
    page = paged(world, paying, books, PaymentKind.PAID_CALL, **of)
    assert [kind for kind, _ in told(world)] == ["payment_link"]
    intent = books.new("pi", object="payment_intent", amount_received=1_000)
    send(paid(page, payment_intent=intent["id"]))
    assert steps.available(world, "paid_call/page/1") == 10_000_000
    world.at += timedelta(hours=23)
    asyncio.run(paying.work())
    assert steps.available(world, "paid_call/page/1") == 10_000_000
    world.at += timedelta(hours=1)
    for _ in range(2):
        asyncio.run(paying.work())
    assert steps.available(world, "paid_call/page/1") == 0
    assert (intent["refunded"], books.done["refunded"]) == (1_000, 1)
    ended = world.database.read_now(lambda conn: conn.scalar(select(paid_call.c.ended_at)))
    assert ended == world.at
    book_is_right(world)


def disputed(status: str) -> dict[str, Any]:
    return {"id": "dp_1", "payment_intent": "pi_9", "amount": 1_000, "status": status}


@pytest.mark.parametrize(
    "kinds", [["created", "closed"], ["closed", "created"], ["created", "closed", "closed"]]
)
@pytest.mark.parametrize(("status", "lost"), [("lost", 10_000_000), ("won", 0)])
def test_a_dispute_cuts_nobodys_telephone_and_a_lost_one_is_the_providers(  # noqa: PLR0917
    world: World, paying: Paying, books: Books, send: Send, kinds: list[str], status: str, lost: int
) -> None:
    send(paid(paged(world, paying, books, PaymentKind.DEPOSIT)))
    before = world.database.read_now(ledger.balance, payers.LOSS).debits
    for number, kind in enumerate(kinds):
        about = disputed(status if kind == "closed" else "needs_response")
        send(event(f"evt_d{number}", f"charge.dispute.{kind}", about))
    assert steps.available(world) == 15_000_000
    assert world.database.read_now(ledger.balance, payers.LOSS).debits - before == lost
    row = world.database.read_now(lambda conn: conn.execute(select(dispute)).one())
    assert (row.payment_id, row.amount, row.lost) == ("page/1", 10_000_000, bool(lost))
    kinds_told = world.database.read_now(
        lambda conn: list(conn.scalars(select(alert.c.kind).order_by(alert.c.id)))
    )
    assert kinds_told == ["dispute", *(["dispute_lost"] if lost else [])]
    book_is_right(world)


def test_a_refund_that_comes_back_is_for_staff(
    world: World, paying: Paying, books: Books, send: Send
) -> None:
    ask(world, "refund/x/1", PaymentKind.REFUND, TEN)
    about = {"id": "re_1", "status": "failed", "metadata": {"payment_id": "refund/x/1"}}
    send(event("evt_1", "refund.failed", about), event("evt_1", "refund.failed", about))
    assert world.database.read_now(lambda conn: list(conn.scalars(select(alert.c.kind)))) == ["refund_failed"]
