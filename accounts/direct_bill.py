"""Accounts that pay later by agreement: another limit, and the numbers that they pay for at their facility."""

from datetime import datetime

from sqlalchemy import Connection, and_, select, update

from accounts import ledger, payers
from accounts.db import insert_if_new
from accounts.tables import billed_account, billed_number
from rating.money import Money


class LimitTooLow(Exception):  # noqa: N818 - the name says what happened
    """More is owed or held than the new limit lets be owed; nothing was changed."""


def change_limit(conn: Connection, *, account_id: str, limit: Money, reference: str, at: datetime) -> Money:
    """Let the account owe so much from now on; returns the limit before. Raises LimitTooLow."""
    found = select(billed_account.c.credit_limit).where(billed_account.c.account_id == account_id)
    before: Money = conn.execute(found.with_for_update()).scalar_one()
    if limit == before:
        return before
    raised = limit > before
    try:
        ledger.post(
            conn,
            transfer_id=f"{account_id}/limit/{reference}",
            debit_id=payers.CREDIT_GRANTED if raised else account_id,
            credit_id=account_id if raised else payers.CREDIT_GRANTED,
            amount=abs(limit - before),
            at=at,
        )
    except ledger.InsufficientFunds:
        raise LimitTooLow(account_id) from None
    conn.execute(
        update(billed_account).where(billed_account.c.account_id == account_id).values(credit_limit=limit)
    )
    return before


def add_number(conn: Connection, *, account_id: str, facility_id: str, number: str, at: datetime) -> None:
    """Let the account pay later for calls to the number; PayerConflict if another live one does at the facility."""
    row = {"account_id": account_id, "number": number, "facility_id": facility_id, "added_at": at}
    if insert_if_new(conn, billed_number, row):
        return
    owner = owner_of(conn, facility_id=facility_id, number=number)
    if owner is None:  # it was this account's number before
        mine = and_(billed_number.c.account_id == account_id, billed_number.c.number == number)
        conn.execute(update(billed_number).where(mine).values(added_at=at, removed_at=None))
    elif owner != account_id:
        raise payers.PayerConflict(f"{number} belongs to {owner}")


def remove_number(conn: Connection, *, account_id: str, number: str, at: datetime) -> None:
    """Stop the account from paying for calls to the number; harmless when repeated."""
    mine = and_(billed_number.c.account_id == account_id, billed_number.c.number == number)
    conn.execute(
        update(billed_number).where(mine, billed_number.c.removed_at.is_(None)).values(removed_at=at)
    )


def numbers_of(conn: Connection, *, account_id: str) -> set[str]:
    """The numbers (E.164) that the account pays for now."""
    live = billed_number.c.removed_at.is_(None)
    return set(
        conn.scalars(select(billed_number.c.number).where(billed_number.c.account_id == account_id, live))
    )


def stop(conn: Connection, account_id: str, at: datetime) -> None:
    """The account pays for nothing more; what is owed stays owed."""
    mine = billed_account.c.account_id == account_id
    conn.execute(
        update(billed_account).where(mine, billed_account.c.stopped_at.is_(None)).values(stopped_at=at)
    )


def owner_of(conn: Connection, *, facility_id: str, number: str) -> str | None:
    """The account that pays later for calls to the number from the facility."""
    owner: str | None = conn.scalar(
        select(billed_number.c.account_id).where(
            billed_number.c.number == number,
            billed_number.c.facility_id == facility_id,
            billed_number.c.removed_at.is_(None),
        )
    )
    return owner
