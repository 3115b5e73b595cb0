"""What follows when the card processor has done, or refused, what was asked: in the transaction that records it."""

import calendar
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row

from accounts import holders, ledger, outbox, paid_calls, payers, payments, subscriptions
from accounts.payment_tables import PaymentKind, PaymentState
from accounts.payments import Card, Declined, Done, Outcome, Unknown
from rating.money import Money, format_money

Effect = Callable[[Connection, Row[Any], datetime], None]


def record(conn: Connection, payment_id: str, outcome: Outcome, at: datetime) -> bool:
    """Keep what came of a payment, and do what follows from it; False where that was done before.

    An outcome that nobody knows changes nothing: the payment is tried again.
    """
    match outcome:
        case Unknown():
            return False
        case Declined(why):
            return _declined(conn, payment_id, why, at)
        case Done():
            return _done(conn, payment_id, outcome, at)


def _done(conn: Connection, payment_id: str, done: Done, at: datetime) -> bool:
    if not payments.move(conn, payment_id, done.state, at, processor_id=done.processor_id, failure=None):
        return False
    row = payments.payment_of(conn, payment_id)
    assert row is not None
    if done.card is not None and row.account_id is not None:
        keep_card(conn, row.account_id, done.card, at)
    if done.url is not None:
        _tell_page(conn, row, done.url, at)
    if done.state is PaymentState.VOIDED:
        _lose_the_rest(conn, row, 0, at)
    if done.state is PaymentState.SUCCEEDED:
        EFFECTS[PaymentKind(row.kind)](conn, row, at)
    return True


def _declined(conn: Connection, payment_id: str, why: str, at: datetime) -> bool:
    if not payments.move(conn, payment_id, PaymentState.FAILED, at, failure=why):
        return False
    row = payments.payment_of(conn, payment_id)
    assert row is not None
    if row.kind == PaymentKind.AUTHORISATION:
        _lose_the_rest(conn, row, 0, at)
    if row.kind == PaymentKind.RELOAD:
        _tell_low(conn, row, at)
    return True


def keep_card(conn: Connection, account_id: str, card: Card, at: datetime) -> None:
    """The account's payments go to this card from now on; it takes the place of any other at once."""
    year, month = card.expires
    holders.put_holder(
        conn,
        account_id,
        at,
        customer_id=card.customer_id,
        card_id=card.card_id,
        card_label=card.label,
        card_expires_on=date(year, month, calendar.monthrange(year, month)[1]),
    )


def _deposit(conn: Connection, row: Row[Any], at: datetime) -> None:
    """The money is the account's; the holder was heard of."""
    payers.deposit(
        conn,
        transfer_id=f"payment/{row.id}",
        account_id=row.account_id,
        amount=Money(row.amount),
        at=at,
    )
    holders.touch(conn, row.account_id, at)


def _subscription(conn: Connection, row: Row[Any], at: datetime) -> None:
    """A period is bought with the money, out of the account into which it came."""
    _deposit(conn, row, at)
    subscriptions.bought(conn, row.subscription_id, row.id, at)


def _captured(conn: Connection, row: Row[Any], at: datetime) -> None:
    """The processor owes us what was captured."""
    ledger.post(
        conn,
        transfer_id=f"payment/{row.id}",
        debit_id=payers.CASH,
        credit_id=payers.CARD_RECEIVABLE,
        amount=row.captured,
        at=at,
    )
    _lose_the_rest(conn, row, row.captured, at)


def _lose_the_rest(conn: Connection, row: Row[Any], captured: int, at: datetime) -> None:
    """What a talk has cost and its card has not paid is the provider's loss, never its payer's."""
    charged = ledger.find_transfer(conn, f"call/{row.call_id}/settlement")
    if charged is not None and charged.amount > captured:
        ledger.post(
            conn,
            transfer_id=f"payment/{row.id}/lost",
            debit_id=payers.LOSS,
            credit_id=payers.CARD_RECEIVABLE,
            amount=charged.amount - captured,
            at=at,
        )


def _nothing(conn: Connection, row: Row[Any], at: datetime) -> None:
    """A refund was booked when it was asked for; a card is kept as soon as it is known."""


EFFECTS: Final[Mapping[PaymentKind, Effect]] = {
    PaymentKind.DEPOSIT: _deposit,
    PaymentKind.RELOAD: _deposit,
    PaymentKind.SUBSCRIPTION: _subscription,
    PaymentKind.PAID_CALL: paid_calls.bought,
    PaymentKind.AUTHORISATION: _captured,
    PaymentKind.CARD: _nothing,
    PaymentKind.REFUND: _nothing,
}


def _tell_page(conn: Connection, row: Row[Any], url: str, at: datetime) -> None:
    """Where a page waits for its payer, they are sent the way to it."""
    told = {"url": url, "amount": format_money(Money(row.amount))}
    key, kind = f"page/{row.id}", outbox.NoticeKind.PAYMENT_LINK
    if row.account_id is not None:
        outbox.tell(conn, account_id=row.account_id, kind=kind, key=key, told=told, at=at)
        return
    outbox.write(
        conn,
        channel="sms",
        recipient=row.number,
        language=row.language,
        kind=kind,
        key=key,
        told=told,
        at=at,
    )


def _tell_low(conn: Connection, row: Row[Any], at: datetime) -> None:
    balance = Money(max(0, ledger.balance(conn, row.account_id).available))
    outbox.tell(
        conn,
        account_id=row.account_id,
        kind=outbox.NoticeKind.LOW_BALANCE,
        key=f"low_balance/{row.id}",
        told={"balance": format_money(balance)},
        at=at,
    )
