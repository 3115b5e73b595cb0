"""What a call has cost is given back, once and in full."""

from datetime import datetime

from sqlalchemy import Connection, select

from accounts import ledger
from accounts.payers import CARD_RECEIVABLE
from accounts.payment_tables import PaymentKind, payment


def give_back(conn: Connection, call_id: str, at: datetime) -> ledger.Transfer | None:
    """Undo what a call has taken from its payer, money or a subscription's call; None if it has taken nothing.

    What a card on file has paid goes into the account that it is on file with. The entry is `call/<id>/given_back`:
    whoever gave the call back first, it is given back once.
    """
    settled = ledger.find_transfer(conn, f"call/{call_id}/settlement")
    if settled is None or not settled.amount:
        return None
    return ledger.post(
        conn,
        transfer_id=f"call/{call_id}/given_back",
        debit_id=settled.credit_id,
        credit_id=_account_of_card(conn, call_id)
        if settled.debit_id == CARD_RECEIVABLE
        else settled.debit_id,
        amount=settled.amount,
        at=at,
    )


def _account_of_card(conn: Connection, call_id: str) -> str:
    authorised = payment.c.kind == PaymentKind.AUTHORISATION
    return str(conn.scalar(select(payment.c.account_id).where(payment.c.call_id == call_id, authorised)))
