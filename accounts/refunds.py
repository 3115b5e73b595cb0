"""Money that goes back to people: booked in whole cents, and asked of the card processor where a card has paid."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from accounts import ledger, outbox, payers, payments
from accounts.payment_tables import PaymentKind, PaymentState, payment
from accounts.tables import transfer
from rating.money import MICROS_PER_CENT, ZERO, Money, ceil_to_cent, format_money

#: Payments whose money an account has had.
PAID_IN = (PaymentKind.DEPOSIT, PaymentKind.RELOAD, PaymentKind.SUBSCRIPTION, PaymentKind.PAID_CALL)


def give_back(
    conn: Connection, *, account_id: str, amount: Money, reference: str, at: datetime
) -> tuple[Money, Money]:
    """Book what is given back to an account's holder, and ask for it on the cards that have paid: all, and by card.

    A part of a cent is rounded up for the holder, at the provider's loss. The same reference again changes nothing.
    Raises ledger.InsufficientFunds or TransferConflict.
    """
    entry, paid = f"refund/{reference}", ceil_to_cent(amount)
    ledger.post(conn, transfer_id=entry, debit_id=account_id, credit_id=payers.CASH, amount=amount, at=at)
    if paid > amount:
        ledger.post(
            conn,
            transfer_id=f"{entry}/rounding",
            debit_id=payers.LOSS,
            credit_id=payers.CASH,
            amount=paid - amount,
            at=at,
        )
    by_card = _to_cards(conn, account_id, paid, reference, at)
    told = {"amount": format_money(paid)}
    outbox.tell(conn, account_id=account_id, kind=outbox.NoticeKind.REFUNDED, key=entry, told=told, at=at)
    return paid, by_card


def fit_on_cards(conn: Connection, account_id: str, amount: Money) -> bool:
    """Whether the cards that have paid into the account can take the amount back, all of it."""
    room = sum(_refundable(conn, row) for row in _payments_into(conn, account_id))
    return room >= ceil_to_cent(amount)


def by_card_alone(conn: Connection, account_id: str, amount: Money, at: datetime) -> bool:
    """Give an amount back if the cards that have paid can take all of it; False, and nothing is done, if not."""
    if not fit_on_cards(conn, account_id, amount):
        return False
    reference = f"{account_id}/{at:%Y-%m-%dT%H:%M:%SZ}"
    give_back(conn, account_id=account_id, amount=amount, reference=reference, at=at)
    return True


def _to_cards(conn: Connection, account_id: str, amount: Money, reference: str, at: datetime) -> Money:
    """Ask for refunds of the payments by card, the newest first; how much of the amount that is."""
    asked = ZERO
    for number, row in enumerate(_payments_into(conn, account_id), 1):
        payment_id = f"refund/{reference}/{number}"
        known = payments.payment_of(conn, payment_id)
        part = known.amount if known else min(amount - asked, _refundable(conn, row))
        if part >= MICROS_PER_CENT and asked < amount:
            payments.ask(
                conn,
                payment_id=payment_id,
                kind=PaymentKind.REFUND,
                amount=Money(part),
                at=at,
                account_id=account_id,
                of_id=row.id,
            )
            asked = Money(asked + part)
    return asked


def _payments_into(conn: Connection, account_id: str) -> list[Row[Any]]:
    """Payments by card whose money came into the account."""
    came_in = (
        select(payment)
        .join(transfer, transfer.c.id == "payment/" + payment.c.id)
        .where(
            transfer.c.credit_id == account_id,
            payment.c.kind.in_(PAID_IN),
            payment.c.state == PaymentState.SUCCEEDED,
        )
        .order_by(payment.c.made_at.desc(), payment.c.id)
    )
    return list(conn.execute(came_in))


def _refundable(conn: Connection, row: Row[Any]) -> int:
    """What of a payment has not been given back, nor asked to be."""
    back = select(func.coalesce(func.sum(payment.c.amount), 0)).where(
        payment.c.of_id == row.id, payment.c.state != PaymentState.FAILED
    )
    return int(row.amount - (conn.scalar(back) or 0))
