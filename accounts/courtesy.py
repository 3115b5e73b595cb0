"""The courtesy call: one to each number, ever, at nobody's cost; an account that counts it."""

from datetime import datetime

from sqlalchemy import Connection

from accounts import ledger, payers
from accounts.tables import AccountKind, Unit


def courtesy_account(number: str) -> str:
    """The account of a number's (E.164) courtesy call."""
    return f"courtesy/{number}"


def give_courtesy(conn: Connection, *, number: str, at: datetime) -> None:
    """Credit the number with its one courtesy call; harmless when repeated, so that there is never a second."""
    account_id = courtesy_account(number)
    ledger.open_account(conn, account_id=account_id, unit=Unit.CALLS, kind=AccountKind.COURTESY, at=at)
    ledger.post(
        conn,
        transfer_id=f"{account_id}/credit",
        debit_id=payers.COURTESY_GIVEN,
        credit_id=account_id,
        amount=1,
        at=at,
    )
