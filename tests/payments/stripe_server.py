"""A server on loopback that speaks Stripe's protocol: form-encoded requests, idempotency keys, card errors, webhooks.

What it does next can be set: fail, stay silent after it has done what was asked, or decline by the card's name.
"""

import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECRET_KEY = "sk_test_loopback"
WEBHOOK_SECRET = "whsec_loopback"
#: What is charged at least (docs.stripe.com/currencies).
LEAST_CENTS = 50
#: Cards, and the reason for which each is declined.
DECLINED = {"pm_declined": "generic_decline", "pm_insufficient": "insufficient_funds"}


class Refused(Exception):  # noqa: N818 - an answer of the protocol
    """An answer that is an error."""

    def __init__(self, status: int, type_: str, code: str, **more: object) -> None:
        super().__init__(code)
        self.status = status
        self.error = {"type": type_, "code": code, "message": code, **more}


@dataclass
class Books:
    """What the processor knows."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, tuple[str, int, dict[str, Any]]] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)  # effects, by kind
    next: list[str] = field(
        default_factory=list
    )  # "500", "429", "silent", "cut": what befalls the next requests
    refuses_small_captures: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    def new(self, prefix: str, **values: object) -> dict[str, Any]:
        id_ = f"{prefix}_{len(self.objects) + 1:04d}"
        self.objects[id_] = {"id": id_, **values}
        return self.objects[id_]


def _page(books: Books, form: dict[str, str]) -> dict[str, Any]:
    setup = form["mode"] == "setup"
    amount = None if setup else int(form["line_items[0][price_data][unit_amount]"])
    if amount is not None:
        _refuse_too_small(amount)
    books.done["page"] += 1
    session = books.new(
        "cs",
        object="checkout.session",
        mode=form["mode"],
        status="open",
        payment_status="unpaid",
        client_reference_id=form["client_reference_id"],
        amount_total=amount,
        currency=form.get("currency", "usd"),
        customer=form.get("customer", "cus_new"),
        payment_intent=None,
        setup_intent=None,
    )
    session["url"] = f"https://pay.example/{session['id']}"
    return session


def _refuse_too_small(cents: int) -> None:
    if cents < LEAST_CENTS:
        raise Refused(400, "invalid_request_error", "amount_too_small")


def _intent(books: Books, form: dict[str, str]) -> dict[str, Any]:
    _refuse_too_small(int(form["amount"]))
    if form["payment_method"] in DECLINED:
        code = DECLINED[form["payment_method"]]
        raise Refused(402, "card_error", "card_declined", decline_code=code)
    manual = form["capture_method"] == "manual"
    books.done["authorised" if manual else "charged"] += 1
    return books.new(
        "pi",
        object="payment_intent",
        amount=int(form["amount"]),
        amount_received=0 if manual else int(form["amount"]),
        status="requires_capture" if manual else "succeeded",
        metadata={"payment_id": form["metadata[payment_id]"]},
    )


def _change(books: Books, path: str, form: dict[str, str]) -> dict[str, Any]:
    id_, _, verb = path.removeprefix("/v1/payment_intents/").partition("/")
    intent = books.objects[id_]
    if intent["status"] != "requires_capture":
        raise Refused(400, "invalid_request_error", "payment_intent_unexpected_state")
    if verb == "capture":
        if books.refuses_small_captures:
            _refuse_too_small(int(form["amount_to_capture"]))
        books.done["captured"] += 1
        return _changed(intent, status="succeeded", amount_received=int(form["amount_to_capture"]))
    books.done["voided"] += 1
    return _changed(intent, status="canceled")


def _changed(known: dict[str, Any], **values: object) -> dict[str, Any]:
    known.update(values)
    return known


def _refund(books: Books, form: dict[str, str]) -> dict[str, Any]:
    intent, amount = books.objects[form["payment_intent"]], int(form["amount"])
    if intent.get("refunded", 0) + amount > intent["amount_received"]:
        raise Refused(400, "invalid_request_error", "charge_already_refunded")
    intent["refunded"] = intent.get("refunded", 0) + amount
    books.done["refunded"] += 1
    made = books.new("re", object="refund", amount=amount, status="succeeded")
    return _changed(made, metadata={"payment_id": form["metadata[payment_id]"]})


def answer(books: Books, path: str, form: dict[str, str]) -> dict[str, Any]:
    """What a request comes to; raises Refused."""
    if path == "/v1/checkout/sessions":
        return _page(books, form)
    if path == "/v1/payment_intents":
        return _intent(books, form)
    if path == "/v1/refunds":
        return _refund(books, form)
    if path.startswith("/v1/payment_intents/"):
        return _change(books, path, form)
    raise Refused(404, "invalid_request_error", "resource_missing")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    books: Books

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""

    def do_GET(self) -> None:
        with self.books.lock:
            known = self.books.objects.get(urlsplit(self.path).path.rpartition("/")[2])
        self._send(200, known) if known else self._send(404, {"error": {"type": "invalid_request_error"}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        if self.headers["Authorization"] != f"Bearer {SECRET_KEY}":
            self._send(401, {"error": {"type": "invalid_request_error", "message": "no such key"}})
            return
        with self.books.lock:
            fate = self.books.next.pop(0) if self.books.next else ""
            self.books.requests[self.path] += 1
            if fate in {"500", "429"}:
                self._send(int(fate), {"error": {"type": "api_error", "message": fate}})
                return
            if fate == "cut":
                self.close_connection = True
                return
            status, content = self._answer(body, form)
        if fate == "silent":
            time.sleep(3.0)
            self.close_connection = True
            return
        self._send(status, content)

    def _answer(self, body: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The same answer for the same key, whatever has happened since; another request under it is an error."""
        key, asked = self.headers.get("Idempotency-Key", ""), f"{self.path}?{body}"
        if key in self.books.answers:
            before, status, content = self.books.answers[key]
            if before != asked:
                error = {"type": "idempotency_error", "message": "used with other parameters"}
                return 400, {"error": error}
            return status, content
        try:
            status, content = 200, dict(answer(self.books, self.path, form))
        except Refused as refused:
            status, content = refused.status, {"error": refused.error}
        self.books.answers[key] = (asked, status, content)
        return status, content

    def _send(self, status: int, content: object) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def serving() -> Iterator[tuple[str, Books]]:
    """The server's address and its books, while the block runs."""
    books = Books()
    handler = type("Bound", (Handler,), {"books": books})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", books
    finally:
        server.shutdown()
        server.server_close()


def pays(books: Books, page: dict[str, Any]) -> dict[str, Any]:
    """Somebody pays on a page; the event that tells of it."""
    with books.lock:
        paid = books.new(
            "pi", object="payment_intent", amount_received=page["amount_total"], status="succeeded"
        )
        done = {"status": "complete", "payment_status": "paid", "payment_intent": paid["id"]}
    return event(f"evt_{page['id']}", "checkout.session.completed", _changed(page, **done))


def signed(event: dict[str, Any], at: float, secret: str = WEBHOOK_SECRET) -> tuple[bytes, dict[str, str]]:
    """An event's body, and the header that proves it."""
    body = json.dumps(event).encode()
    proof = hmac.new(secret.encode(), f"{int(at)}.".encode() + body, hashlib.sha256).hexdigest()
    return body, {"stripe-signature": f"t={int(at)},v1={proof}"}


def event(id_: str, kind: str, about: dict[str, Any]) -> dict[str, Any]:
    """An event as the processor sends it."""
    return {"id": id_, "object": "event", "type": kind, "data": {"object": about}}
