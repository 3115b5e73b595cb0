"""Single calls that are paid before they are made: a credit for one number and facility, given back unused in a day."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, update

from accounts import ledger, payers, refunds
from accounts.db import insert_if_new
from accounts.tables import AccountKind, Unit, account, paid_call, transfer
from rating.money import Money

#: A credit that nobody has used for so long goes back to whoever paid it.
LASTS: Final = timedelta(hours=24)


def bought(conn: Connection, payment: Row[Any], at: datetime) -> None:
    """The payment's money waits for a call to its number from its facility; more of it joins what waits already."""
    waiting = _waiting(conn, payment.facility_id, payment.number)
    account_id = waiting or f"paid_call/{payment.id}"
    if waiting is None:
        ledger.open_account(conn, account_id=account_id, unit=Unit.USD, kind=AccountKind.PAID_CALL, at=at)
        row = {
            "account_id": account_id,
            "facility_id": payment.facility_id,
            "number": payment.number,
            "payment_id": payment.id,
        }
        insert_if_new(conn, paid_call, {**row, "expires_at": at + LASTS})
    payers.deposit(
        conn, transfer_id=f"payment/{payment.id}", account_id=account_id, amount=Money(payment.amount), at=at
    )


def _waiting(conn: Connection, facility_id: str, number: str) -> str | None:
    live = paid_call.c.ended_at.is_(None)
    wanted = select(paid_call.c.account_id).where(
        paid_call.c.facility_id == facility_id, paid_call.c.number == number, live
    )
    return conn.scalar(wanted)


def give_back(conn: Connection, at: datetime) -> int:
    """Give back what was not used in time, and what is left of those that were; to how many payers.

    What is held for a call in progress waits until that call is settled. What comes back to a call that is over, such
    as by a complaint, is given back too, under a reference of its own.
    """
    left = account.c.credits - account.c.debits
    before = (
        select(func.count())
        .where(transfer.c.debit_id == account.c.id, transfer.c.credit_id == payers.CASH)
        .scalar_subquery()
    )
    over = paid_call.c.ended_at.is_not(None) | (paid_call.c.expires_at <= at)
    wanted = (
        select(paid_call, left.label("left"), before.label("before"))
        .join(account, account.c.id == paid_call.c.account_id)
        .where(over, account.c.held == 0, (left > 0) | paid_call.c.ended_at.is_(None))
    )
    rows = conn.execute(wanted).all()
    for row in rows:
        ended = update(paid_call).where(paid_call.c.account_id == row.account_id)
        conn.execute(ended.where(paid_call.c.ended_at.is_(None)).values(ended_at=at))
        if row.left:
            reference = f"{row.account_id}/{row.before + 1}" if row.before else row.account_id
            refunds.give_back(
                conn, account_id=row.account_id, amount=Money(row.left), reference=reference, at=at
            )
    return sum(1 for row in rows if row.left)
