"""Money that its holder could not be given back: kept for the state that is to have it, and never anybody's revenue.

It lies in an account of the state's, such as `system/unclaimed/US-IL`, until it is handed over; a holder who comes back
before that gets it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from accounts import ledger
from accounts.payment_tables import unclaimed
from accounts.tables import AccountKind, Unit, account_holder
from rating.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """A line of what a state gets."""

    account_id: str
    name: str | None
    mobile: str | None
    email: str | None
    amount: Money
    booked_at: datetime


def state_account(state: str) -> str:
    """The account of what is to go to a state ("US-IL"), or has gone there."""
    return f"system/unclaimed/{state}"


def set_aside(conn: Connection, *, account_id: str, state: str, amount: Money, at: datetime) -> None:
    """Move money of an idle account to the state's; InsufficientFunds if it is not available any more."""
    to = state_account(state)
    ledger.open_account(conn, account_id=to, unit=Unit.USD, kind=AccountKind.SYSTEM, at=at)
    ledger.post(
        conn,
        transfer_id=f"unclaimed/{account_id}/{_stamp(at)}",
        debit_id=account_id,
        credit_id=to,
        amount=amount,
        at=at,
    )
    conn.execute(insert(unclaimed).values(account_id=account_id, booked_at=at, state=state, amount=amount))


def reclaim(conn: Connection, account_id: str, at: datetime) -> Money:
    """Give the account back whatever of it has not gone to a state yet; how much that is."""
    mine = (unclaimed.c.account_id == account_id, unclaimed.c.exported_at.is_(None))
    rows = conn.execute(delete(unclaimed).where(*mine).returning(*unclaimed.c)).all()
    for row in rows:
        ledger.post(
            conn,
            transfer_id=f"reclaimed/{account_id}/{_stamp(row.booked_at)}",
            debit_id=state_account(row.state),
            credit_id=account_id,
            amount=row.amount,
            at=at,
        )
    return Money(sum((row.amount for row in rows), start=ZERO))


def export(conn: Connection, state: str, at: datetime) -> Sequence[Unclaimed]:
    """What the state is to get and was not told of yet; from now on it is told of, and no holder can reclaim it."""
    waiting = (unclaimed.c.state == state, unclaimed.c.exported_at.is_(None))
    conn.execute(update(unclaimed).where(*waiting).values(exported_at=at))
    return _exported(conn, state, unclaimed.c.exported_at == at)


def exported_on(conn: Connection, state: str, begins: datetime) -> Sequence[Unclaimed]:
    """What the state was told of within a day from then on, to be written again."""
    ends = begins + timedelta(days=1)
    return _exported(conn, state, unclaimed.c.exported_at >= begins, unclaimed.c.exported_at < ends)


def waiting(conn: Connection) -> Sequence[Row[Any]]:
    """What was set aside and has gone nowhere yet, by state and account."""
    rows = select(unclaimed).where(unclaimed.c.exported_at.is_(None))
    return conn.execute(rows.order_by(unclaimed.c.state, unclaimed.c.account_id, unclaimed.c.booked_at)).all()


def _exported(conn: Connection, state: str, *when: Any) -> Sequence[Unclaimed]:
    joined = unclaimed.outerjoin(account_holder, account_holder.c.account_id == unclaimed.c.account_id)
    rows = (
        select(unclaimed, account_holder.c.name, account_holder.c.mobile, account_holder.c.email)
        .select_from(joined)
        .where(unclaimed.c.state == state, *when)
        .order_by(unclaimed.c.account_id, unclaimed.c.booked_at)
    )
    return [
        Unclaimed(row.account_id, row.name, row.mobile, row.email, row.amount, row.booked_at)
        for row in conn.execute(rows)
    ]


def _stamp(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S.%f}"
