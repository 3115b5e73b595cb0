"""Money that its holder could not be given back: kept for the state that is to have it, and never anybody's revenue.

It lies in an account of the state's, such as `system/unclaimed/US-IL`, until it is handed over. A holder who comes back
before the state was told of it gets it; later it comes back from the state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from accounts import closing, ledger, payers
from accounts.payment_tables import unclaimed
from accounts.tables import AccountKind, Unit, account_holder
from rating.money import ZERO, Money, ceil_to_cent


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
    """The account of what is to go to a state ("US-IL"); what has gone there is in it no more."""
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
    return _to_holder(conn, rows, at)


def take_back(conn: Connection, account_id: str, reference: str, at: datetime) -> Money:
    """Give the account what was handed over of it and a state has now returned; how much that is."""
    mine = (
        unclaimed.c.account_id == account_id,
        unclaimed.c.handed_over.is_not(None),
        unclaimed.c.returned.is_(None),
    )
    rows = conn.execute(
        update(unclaimed).where(*mine).values(returned=reference).returning(*unclaimed.c)
    ).all()
    for row in rows:
        ledger.post(
            conn,
            transfer_id=f"returned/{account_id}/{_stamp(row.booked_at)}",
            debit_id=payers.CASH,
            credit_id=state_account(row.state),
            amount=row.amount,
            at=at,
        )
    return _to_holder(conn, rows, at)


def returned_before(conn: Connection, account_id: str, reference: str) -> Money:
    """What a state has returned to the account under this reference."""
    mine = (unclaimed.c.account_id == account_id, unclaimed.c.returned == reference)
    return Money(sum(conn.scalars(select(unclaimed.c.amount).where(*mine)), start=ZERO))


def _to_holder(conn: Connection, rows: Sequence[Row[Any]], at: datetime) -> Money:
    for row in rows:
        ledger.post(
            conn,
            transfer_id=f"reclaimed/{row.account_id}/{_stamp(row.booked_at)}",
            debit_id=state_account(row.state),
            credit_id=row.account_id,
            amount=row.amount,
            at=at,
        )
    return Money(sum((row.amount for row in rows), start=ZERO))


def handed_over_before(conn: Connection, state: str, reference: str) -> Money | None:
    """What the state was paid under this reference, in whole cents; None if nothing was. Locks the state."""
    closing.lock(conn, state_account(state))
    known = ledger.find_transfer(conn, _handing_over(state, reference))
    return None if known is None else ceil_to_cent(Money(known.amount))


def due_to_state(conn: Connection, state: str, exported_on: datetime | None) -> Money:
    """What the state was told of and not paid, or that of the day from then on; in whole cents, rounded up."""
    told = select(unclaimed.c.amount).where(*_told_of(state, exported_on))
    return ceil_to_cent(Money(sum(conn.scalars(told), start=ZERO)))


def hand_over(
    conn: Connection, state: str, reference: str, *, exported_on: datetime | None, paid_on: date, at: datetime
) -> None:
    """Book that the state was paid what is due to it; a part of a cent is the provider's loss."""
    given = {"handed_over": reference, "paid_on": paid_on}
    rows = update(unclaimed).where(*_told_of(state, exported_on)).values(given).returning(unclaimed.c.amount)
    amount = Money(sum(conn.scalars(rows), start=ZERO))
    entry = _handing_over(state, reference)
    ledger.post(
        conn,
        transfer_id=entry,
        debit_id=state_account(state),
        credit_id=payers.CASH,
        amount=amount,
        at=at,
    )
    if (paid := ceil_to_cent(amount)) > amount:
        ledger.post(
            conn,
            transfer_id=f"{entry}/rounding",
            debit_id=payers.LOSS,
            credit_id=payers.CASH,
            amount=paid - amount,
            at=at,
        )


def _handing_over(state: str, reference: str) -> str:
    return f"handed_over/{state}/{reference}"


def _told_of(state: str, exported_on: datetime | None) -> tuple[Any, ...]:
    of_state = (unclaimed.c.state == state, unclaimed.c.handed_over.is_(None))
    if exported_on is None:
        return (*of_state, unclaimed.c.exported_at.is_not(None))
    ends = exported_on + timedelta(days=1)
    return (*of_state, unclaimed.c.exported_at >= exported_on, unclaimed.c.exported_at < ends)


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
    """What was set aside and no state was paid yet, told of it or not, by state and account."""
    rows = select(unclaimed).where(unclaimed.c.handed_over.is_(None))
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
