"""Accounts that pay later, within a limit: credited with it when they open, so that nobody ever owes more.

What is owed is the limit less what is available and held. A payment is credited like any deposit.
"""

from datetime import datetime

from sqlalchemy import Connection

from accounts import ledger, payers
from accounts.db import insert_if_new
from accounts.tables import AccountKind, BilledKind, Unit, billed_account
from rating.money import Money


def collect_account(facility_id: str, number: str) -> str:
    """The account of what a number (E.164) owes for collect calls from a facility."""
    return f"collect/{facility_id}/{number}"


def open_billed(
    conn: Connection,
    *,
    account_id: str,
    kind: BilledKind,
    facility_id: str,
    credit_limit: Money,
    at: datetime,
) -> bool:
    """Open an account that pays later, with its limit available; True if it is new.

    One that is open keeps the limit that it has, whatever is asked for.
    """
    ledger.open_account(conn, account_id=account_id, unit=Unit.USD, kind=AccountKind.BILLED, at=at)
    row = {
        "account_id": account_id,
        "kind": kind,
        "facility_id": facility_id,
        "credit_limit": credit_limit,
        "opened_at": at,
    }
    if not insert_if_new(conn, billed_account, row):
        return False
    ledger.post(
        conn,
        transfer_id=f"{account_id}/limit",
        debit_id=payers.CREDIT_GRANTED,
        credit_id=account_id,
        amount=credit_limit,
        at=at,
    )
    return True
