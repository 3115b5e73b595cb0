"""Stripe, through its own library (API of PaymentIntents, Checkout Sessions and Refunds).

The library repeats nothing by itself: what to do after a failure is decided by whoever keeps the payment's row. Its
timeout bounds each request.
"""

from collections.abc import Callable
from typing import Any, Final

import stripe as library

from accounts.payment_tables import PaymentState
from accounts.payments import Card, Declined, Done, Outcome, Unknown
from ivr.processor.interface import OnFile
from rating.money import MICROS_PER_CENT, Money

CURRENCY: Final = "usd"
TIMEOUT_SECONDS: Final = 10.0
_STATES: Final = {
    "succeeded": PaymentState.SUCCEEDED,
    "requires_capture": PaymentState.AUTHORISED,
    "processing": PaymentState.PENDING,
    "canceled": PaymentState.VOIDED,
}
#: Failures after which the same request may well succeed; of everything else Stripe has told why it will not do it.
_PASSING: Final = (
    library.APIConnectionError,
    library.APIError,
    library.RateLimitError,
    library.AuthenticationError,
    library.PermissionError,
)
#: The code of an error that says that the same key is being worked on at this moment.
_IN_USE: Final = "idempotency_key_in_use"


class Stripe:
    """One account at Stripe. `pages_end_at` is where its pages lead to; `api` another address than Stripe's own."""

    def __init__(self, key: str, *, pages_end_at: str, api: str | None = None) -> None:
        self._pages_end_at = pages_end_at
        self._client = library.StripeClient(
            key,
            base_addresses={"api": api} if api else {},
            max_network_retries=0,
            http_client=library.RequestsClient(timeout=TIMEOUT_SECONDS),
        )

    def page(
        self, key: str, amount: Money | None, *, what: str, language: str, customer_id: str | None
    ) -> Outcome:
        """A Checkout Session; the payment's id comes back with its event."""
        params: Any = {
            "client_reference_id": key,
            "success_url": self._pages_end_at,
            "locale": language,
            "metadata": {"payment_id": key},
        }
        if customer_id is not None:
            params["customer"] = customer_id
        else:
            params["customer_creation"] = "always"
        if amount is None:
            params |= {"mode": "setup", "currency": CURRENCY}
        else:
            price = {"currency": CURRENCY, "unit_amount": _cents(amount), "product_data": {"name": what}}
            about = {"metadata": {"payment_id": key}}
            params |= {
                "mode": "payment",
                "line_items": [{"price_data": price, "quantity": 1}],
                "payment_intent_data": about,
            }
        return _asked(
            lambda: _page(self._client.v1.checkout.sessions.create(params, {"idempotency_key": key}))
        )

    def charge(self, key: str, amount: Money, card: OnFile) -> Outcome:
        """A PaymentIntent that is confirmed at once, off session."""
        return self._intent(key, amount, card, "automatic")

    def authorise(self, key: str, amount: Money, card: OnFile) -> Outcome:
        """The same, to be captured later."""
        return self._intent(key, amount, card, "manual")

    def _intent(self, key: str, amount: Money, card: OnFile, capture: str) -> Outcome:
        params: Any = {
            "amount": _cents(amount),
            "currency": CURRENCY,
            "customer": card.customer_id,
            "payment_method": card.card_id,
            "confirm": True,
            "off_session": True,
            "capture_method": capture,
            "metadata": {"payment_id": key},
        }
        return _asked(
            lambda: _intent(self._client.v1.payment_intents.create(params, {"idempotency_key": key}))
        )

    def capture(self, key: str, processor_id: str, amount: Money) -> Outcome:
        """Captures a PaymentIntent."""
        params: Any = {"amount_to_capture": _cents(amount)}
        options: Any = {"idempotency_key": f"{key}/capture"}
        return _asked(lambda: _intent(self._client.v1.payment_intents.capture(processor_id, params, options)))

    def void(self, key: str, processor_id: str) -> Outcome:
        """Cancels a PaymentIntent."""
        options: Any = {"idempotency_key": f"{key}/void"}
        return _asked(lambda: _intent(self._client.v1.payment_intents.cancel(processor_id, {}, options)))

    def refund(self, key: str, processor_id: str, amount: Money) -> Outcome:
        """A Refund of a PaymentIntent."""
        params: Any = {
            "payment_intent": processor_id,
            "amount": _cents(amount),
            "metadata": {"payment_id": key},
        }
        return _asked(lambda: _refund(self._client.v1.refunds.create(params, {"idempotency_key": key})))

    def card(self, processor_id: str) -> Outcome:
        """The payment method of a SetupIntent."""
        params: Any = {"expand": ["payment_method"]}
        return _asked(lambda: _on_file(self._client.v1.setup_intents.retrieve(processor_id, params)))


def _asked(request: Callable[[], Outcome]) -> Outcome:
    """What Stripe answers; its library's errors as outcomes."""
    try:
        return request()
    except library.CardError as refusal:
        return Declined(str(getattr(refusal.error, "decline_code", None) or refusal.code or "card_declined"))
    except library.IdempotencyError as conflict:
        return Unknown(_IN_USE) if conflict.code == _IN_USE else Declined("idempotency_error")
    except _PASSING as failure:
        return Unknown(type(failure).__name__)
    except library.StripeError as refusal:
        return Declined(refusal.code or type(refusal).__name__)


def _cents(amount: Money) -> int:
    cents, rest = divmod(amount, MICROS_PER_CENT)
    if rest:
        raise ValueError(f"a card pays whole cents, not {amount} millionths")
    return cents


def _page(session: Any) -> Outcome:
    return Done(PaymentState.PENDING, session.id, url=session.url)


def _intent(intent: Any) -> Outcome:
    state = _STATES.get(intent.status)
    return Declined(intent.status) if state is None else Done(state, intent.id)


def _refund(refund: Any) -> Outcome:
    if refund.status in {"failed", "canceled"}:
        return Declined(refund.failure_reason or refund.status)
    return Done(PaymentState.SUCCEEDED, refund.id)


def _on_file(setup: Any) -> Outcome:
    if setup.status != "succeeded" or setup.payment_method is None:
        return Declined(setup.status)
    method = setup.payment_method
    card = method.card
    label = f"{card.brand.capitalize()} {card.last4}"
    known = Card(setup.customer, method.id, label, (card.exp_year, card.exp_month))
    return Done(PaymentState.SUCCEEDED, setup.id, card=known)
