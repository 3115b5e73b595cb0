"""What is asked of a card processor: written down first, in the transaction of whatever wants it."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select

from accounts.db import Prepared, insert_if_new
from accounts.payment_tables import PaymentKind, PaymentState, payment
from rating.money import Money

_PAYMENT: Final = Prepared(select(payment).where(payment.c.id == bindparam("payment_id")))


class PaymentConflict(Exception):  # noqa: N818 - the name says what happened
    """The id was used before for another payment."""


def ask(
    conn: Connection,
    *,
    payment_id: str,
    kind: PaymentKind,
    amount: Money,
    at: datetime,
    account_id: str | None = None,
    subscription_id: str | None = None,
    facility_id: str | None = None,
    number: str | None = None,
    call_id: str | None = None,
    of_id: str | None = None,
) -> bool:
    """Ask the processor for a payment of whole cents, soon; whether it is a new one.

    The id is the processor's idempotency key too: the same asked again does nothing, and something else asked under it
    raises PaymentConflict.
    """
    row = {
        "id": payment_id,
        "kind": kind,
        "amount": amount,
        "account_id": account_id,
        "subscription_id": subscription_id,
        "facility_id": facility_id,
        "number": number,
        "call_id": call_id,
        "of_id": of_id,
    }
    due = {"state": PaymentState.ASKED, "next_try_at": at, "made_at": at, "changed_at": at}
    if insert_if_new(conn, payment, {**row, **due}):
        return True
    known = _PAYMENT.row(conn, {"payment_id": payment_id})
    if known is None or any(known._mapping[name] != value for name, value in row.items()):
        raise PaymentConflict(payment_id)
    return False
