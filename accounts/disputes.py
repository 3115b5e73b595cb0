"""What payers dispute with their banks. Nobody's telephone is cut for it; one that is lost is the provider's loss."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from accounts import ledger, payers
from accounts.db import insert_if_new
from accounts.payment_tables import dispute
from rating.money import Money


def opened(conn: Connection, *, dispute_id: str, payment_id: str, amount: Money, at: datetime) -> bool:
    """A payer disputes a payment; whether that is news."""
    row = {"id": dispute_id, "payment_id": payment_id, "amount": amount, "opened_at": at}
    return insert_if_new(conn, dispute, row)


def closed(conn: Connection, *, dispute_id: str, lost: bool, at: datetime) -> bool:
    """The banks have decided; whether that is news. What is lost is the provider's money, not the payer's."""
    row = conn.execute(select(dispute).where(dispute.c.id == dispute_id).with_for_update()).one_or_none()
    if row is None or row.closed_at is not None:
        return False
    conn.execute(update(dispute).where(dispute.c.id == dispute_id).values(closed_at=at, lost=lost))
    if lost:
        ledger.post(
            conn,
            transfer_id=f"dispute/{dispute_id}",
            debit_id=payers.LOSS,
            credit_id=payers.CASH,
            amount=row.amount,
            at=at,
        )
    return True
