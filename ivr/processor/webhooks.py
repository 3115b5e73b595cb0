"""What the processor tells us by itself, signed: each event is acted on once, whatever order they come in.

https://docs.stripe.com/webhooks: the signature covers the time and the body; a time that is off by more than five
minutes is refused, and so is an event that was acted on before. The answer is 200 for what does not concern us, so that
it is not sent again, and 400 for what the processor has not signed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import stripe as library
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from accounts import disputes, payment_effects, payments
from accounts.db import Database, insert_if_new
from accounts.payment_tables import PaymentState, webhook_event
from accounts.payments import Declined, Done
from ivr.records.alerts import alert
from rating.money import MICROS_PER_CENT, Money, format_money

PATH: Final = "/webhooks/stripe"
TOLERANCE_SECONDS: Final = 300
LONGEST_BODY: Final = 256 * 1024

Object = Mapping[str, Any]
Act = Callable[[Connection, Object, datetime], None]


def routes(secret: str, database: Database, now: Callable[[], datetime]) -> list[Route]:
    """The page that Stripe calls; `secret` is that of the endpoint."""

    async def receive(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LONGEST_BODY:
                return PlainTextResponse("too long", 413)
        try:
            event: Any = library.Webhook.construct_event(
                body, request.headers.get("stripe-signature", ""), secret, tolerance=TOLERANCE_SECONDS
            )
            told = event.to_dict()
        except (ValueError, library.SignatureVerificationError):
            return PlainTextResponse("not signed by the processor", 400)
        await database.transact(act, told, now())
        return PlainTextResponse("ok")

    return [Route(PATH, receive, methods=["POST"])]


def act(conn: Connection, event: Object, at: datetime) -> bool:
    """Do what an event asks for, in this transaction; False where it was done before or concerns us not."""
    acting = ACTS.get(event["type"])
    if acting is None:
        return False
    row = {"id": event["id"], "kind": event["type"], "received_at": at}
    if not insert_if_new(conn, webhook_event, row):
        return False
    acting(conn, event["data"]["object"], at)
    return True


def _page_is_done(conn: Connection, session: Object, at: datetime) -> None:
    """A page was completed: paid, or a card was put on file, or the money is still to come."""
    payment_id = session.get("client_reference_id")
    row = payments.payment_of(conn, payment_id) if payment_id else None
    if row is None:
        return
    if session["mode"] == "setup":
        if row.state == PaymentState.PENDING:
            payments.try_soon(conn, row.id, at, processor_id=session["setup_intent"])
        return
    if session["payment_status"] != "paid":
        return
    if (session["amount_total"] * MICROS_PER_CENT, session["currency"]) != (row.amount, "usd"):
        told = f"payment {row.id}: {session['amount_total']} {session['currency']} came in, not what was asked for"
        alert(conn, "payment_differs", told, at)
        return
    payment_effects.record(conn, row.id, Done(PaymentState.SUCCEEDED, session["payment_intent"]), at)


def _page_failed(conn: Connection, session: Object, at: datetime) -> None:
    if payment_id := session.get("client_reference_id"):
        payment_effects.record(conn, payment_id, Declined(f"page {session.get('status') or 'failed'}"), at)


def _intent_succeeded(conn: Connection, intent: Object, at: datetime) -> None:
    """A charge that was being worked on has come in; of a page's own the page tells."""
    row = _of(conn, intent)
    if row is not None and row.state == PaymentState.PENDING and row.processor_id == intent["id"]:
        payment_effects.record(conn, row.id, Done(PaymentState.SUCCEEDED, intent["id"]), at)


def _intent_failed(conn: Connection, intent: Object, at: datetime) -> None:
    row = _of(conn, intent)
    if row is not None and row.processor_id == intent["id"]:
        error = intent.get("last_payment_error") or {}
        why = error.get("decline_code") or error.get("code") or "failed"
        payment_effects.record(conn, row.id, Declined(str(why)), at)


def _of(conn: Connection, of: Object) -> Any:
    payment_id = (of.get("metadata") or {}).get("payment_id")
    return payments.payment_of(conn, payment_id) if payment_id else None


def _refund_changed(conn: Connection, refund: Object, at: datetime) -> None:
    """A refund that a bank has sent back later on."""
    row = _of(conn, refund)
    if row is not None and refund["status"] in {"failed", "canceled"}:
        amount = format_money(Money(row.amount))
        alert(conn, "refund_failed", f"refund {row.id} of ${amount} came back: pay it by other means", at)


def _dispute_opened(conn: Connection, dispute: Object, at: datetime) -> None:
    row = payments.by_processor_id(conn, dispute["payment_intent"])
    if row is None:
        alert(conn, "dispute", f"dispute {dispute['id']} is of a payment that is not ours", at)
        return
    amount = Money(dispute["amount"] * MICROS_PER_CENT)
    if disputes.opened(conn, dispute_id=dispute["id"], payment_id=row.id, amount=amount, at=at):
        told = f"dispute {dispute['id']}: payment {row.id} of {row.account_id}, ${format_money(amount)}"
        alert(conn, "dispute", told, at)


def _dispute_closed(conn: Connection, dispute: Object, at: datetime) -> None:
    """The end of a dispute; where it comes before its beginning, it tells of both."""
    _dispute_opened(conn, dispute, at)
    lost = dispute["status"] == "lost"
    if disputes.closed(conn, dispute_id=dispute["id"], lost=lost, at=at) and lost:
        alert(conn, "dispute_lost", f"dispute {dispute['id']} is lost: booked as the provider's loss", at)


ACTS: Final[Mapping[str, Act]] = {
    "checkout.session.completed": _page_is_done,
    "checkout.session.async_payment_succeeded": _page_is_done,
    "checkout.session.async_payment_failed": _page_failed,
    "checkout.session.expired": _page_failed,
    "payment_intent.succeeded": _intent_succeeded,
    "payment_intent.payment_failed": _intent_failed,
    "refund.failed": _refund_changed,
    "charge.dispute.created": _dispute_opened,
    "charge.dispute.closed": _dispute_closed,
}
