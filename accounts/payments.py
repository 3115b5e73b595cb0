"""What is asked of a card processor: written down first, in the transaction of whatever wants it.

A payment only moves forward: from asked to pending or authorised, and on to how it ended. One that failed may still
succeed, because a payer can try again on the processor's page; one that succeeded or was voided stays so.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select, update

from accounts.db import Prepared, insert_if_new
from accounts.payment_tables import PaymentKind, PaymentState, payment, payment_page
from rating.money import Money

#: How long after each try that told nothing the processor is asked again; after the last one staff are told. All of it
#: is within the day for which a processor knows a key again: later the same would be done a second time.
AGAIN_AFTER: Final = tuple(timedelta(seconds=each) for each in (5, 30, 120, 600, 3600, 6 * 3600, 12 * 3600))
#: Of a code that leads to a page: nobody finds one by trying.
CODE_BYTES: Final = 9
_of = payment.alias("of")
_RANK: Final[Mapping[str, int]] = {
    PaymentState.ASKED: 0,
    PaymentState.PENDING: 1,
    PaymentState.AUTHORISED: 2,
    PaymentState.FAILED: 3,
    PaymentState.SUCCEEDED: 4,
    PaymentState.VOIDED: 4,
}

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
    language: str | None = None,
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
        "language": language,
    }
    due = {"state": PaymentState.ASKED, "next_try_at": at, "made_at": at, "changed_at": at}
    if insert_if_new(conn, payment, {**row, **due}):
        return True
    known = _PAYMENT.row(conn, {"payment_id": payment_id})
    if known is None or any(known._mapping[name] != value for name, value in row.items()):
        raise PaymentConflict(payment_id)
    return False


@dataclass(frozen=True, slots=True)
class Card:
    """A card on file, by the processor's names for it."""

    customer_id: str
    card_id: str
    label: str  # such as "Visa 4242"
    expires: tuple[int, int]  # year and month


@dataclass(frozen=True, slots=True)
class Done:
    """What the processor has done: the state that the payment has now, and its own id of it."""

    state: PaymentState
    processor_id: str
    url: str | None = None  # of a page that waits for the payer
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The processor will not do it, however often it is asked; its own word for the reason."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell whether it was done: asked again under the same id, it is done once."""

    why: str


Outcome = Done | Declined | Unknown


def payment_of(conn: Connection, payment_id: str) -> Row[Any] | None:
    """The payment with this id."""
    return _PAYMENT.row(conn, {"payment_id": payment_id})


def way_to_page(conn: Connection, payment_id: str, url: str) -> str:
    """A short code for the processor's address of a payment's page; the same again for the same payment."""
    row = {"code": secrets.token_urlsafe(CODE_BYTES), "payment_id": payment_id, "url": url}
    insert_if_new(conn, payment_page, row)
    of_it = select(payment_page.c.code).where(payment_page.c.payment_id == payment_id)
    return str(conn.scalar(of_it))


def page_behind(conn: Connection, code: str) -> Row[*tuple[Any, ...]] | None:
    """The processor's address that a code stands for, and the state of its payment."""
    wanted = select(payment_page.c.url, payment.c.state).select_from(payment_page.join(payment))
    return conn.execute(wanted.where(payment_page.c.code == code)).one_or_none()


def by_processor_id(conn: Connection, processor_id: str) -> Row[Any] | None:
    """The payment that the processor knows by this id."""
    return conn.execute(select(payment).where(payment.c.processor_id == processor_id)).one_or_none()


def due(conn: Connection, at: datetime, most: int) -> Sequence[Row[Any]]:
    """Payments with which something is to be done now, the oldest first; `paid_as`: what a refund is of."""
    waiting = (
        select(payment, _of.c.processor_id.label("paid_as"))
        .outerjoin(_of, _of.c.id == payment.c.of_id)
        .where(payment.c.next_try_at <= at)
    )
    return conn.execute(waiting.order_by(payment.c.next_try_at, payment.c.id).limit(most)).all()


def claim(conn: Connection, row: Row[Any], at: datetime) -> bool:
    """Whether it is ours to try now: nobody else has begun since the row was read."""
    after = AGAIN_AFTER[min(row.tries, len(AGAIN_AFTER) - 1)]
    mine = update(payment).where(payment.c.id == row.id, payment.c.next_try_at == row.next_try_at)
    return conn.execute(mine.values(tries=row.tries + 1, next_try_at=at + after)).rowcount == 1


def move(conn: Connection, payment_id: str, state: PaymentState, at: datetime, **values: object) -> bool:
    """Bring a payment forward to a state; False where it was there, or further, already."""
    row = conn.execute(select(payment).where(payment.c.id == payment_id).with_for_update()).one_or_none()
    if row is None or _RANK[row.state] >= _RANK[state]:
        return False
    changed = {"state": state, "next_try_at": None, "changed_at": at, **values}
    conn.execute(update(payment).where(payment.c.id == payment_id).values(**changed))
    return True


def try_soon(conn: Connection, payment_id: str, at: datetime, /, **values: object) -> None:
    """Something is to be done with a payment now: captured, voided, or its card read."""
    due_now = {"next_try_at": at, "tries": 0, "changed_at": at, **values}
    conn.execute(update(payment).where(payment.c.id == payment_id).values(**due_now))


def leave(conn: Connection, payment_id: str, at: datetime, failure: str | None = None) -> None:
    """Nothing more is to be done with a payment by itself; what is to be captured is not known."""
    values = {"next_try_at": None, "changed_at": at, "failure": failure, "captured": None}
    conn.execute(update(payment).where(payment.c.id == payment_id).values(**values))
