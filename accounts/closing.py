"""Accounts that are closed: they take no deposit, pay for nothing, and no file opens them again."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select

from accounts.db import Prepared
from accounts.holders import put_holder
from accounts.tables import account, account_holder

_LOCK: Final = Prepared(
    select(account.c.id)
    .where(account.c.id == bindparam("account_id"))
    .with_for_update(
        key_share=True
    )  # what the ledger takes, so that a closing and a deposit wait for each other
)
_CLOSED: Final = Prepared(
    select(account_holder.c.closed_at).where(account_holder.c.account_id == bindparam("account_id"))
)


def lock(conn: Connection, account_id: str) -> bool:
    """Have nobody else move money of the account until this transaction ends; False if there is no such account."""
    return _LOCK.value(conn, {"account_id": account_id}) is not None


def closed_at(conn: Connection, account_id: str) -> datetime | None:
    """When the account was closed; None for one that is open, or that there is not."""
    closed: datetime | None = _CLOSED.value(conn, {"account_id": account_id})
    return closed


def close(conn: Connection, account_id: str, at: datetime) -> None:
    """From now on the account is closed; when it was first closed stays. Its money is the caller's to give back."""
    if closed_at(conn, account_id) is None:
        put_holder(conn, account_id, at, closed_at=at)
