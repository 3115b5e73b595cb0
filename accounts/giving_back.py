"""What a call has cost is given back, once and in full."""

from datetime import datetime

from sqlalchemy import Connection

from accounts import ledger


def give_back(conn: Connection, call_id: str, at: datetime) -> ledger.Transfer | None:
    """Undo what a call has taken from its payer, money or a subscription's call; None if it has taken nothing.

    The entry is `call/<id>/given_back`: whoever gave the call back first, it is given back once.
    """
    settled = ledger.find_transfer(conn, f"call/{call_id}/settlement")
    if settled is None or not settled.amount:
        return None
    return ledger.post(
        conn,
        transfer_id=f"call/{call_id}/given_back",
        debit_id=settled.credit_id,
        credit_id=settled.debit_id,
        amount=settled.amount,
        at=at,
    )
