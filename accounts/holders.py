"""Whose an account is: how they are reached and in which language, and when they were last heard of."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from accounts.db import Prepared, insert_if_new
from accounts.tables import account_holder
from rating.money import Money


@dataclass(frozen=True, slots=True)
class Holder:
    """What is known of an account's holder; the card is the processor's name of one, never its number."""

    account_id: str
    name: str | None
    language: str
    mobile: str | None  # E.164
    email: str | None
    state: str | None  # where they live, such as "US-MA"
    low_balance: Money | None
    reload_below: Money | None
    reload_amount: Money | None
    customer_id: str | None
    card_id: str | None
    card_label: str | None
    card_expires_on: date | None
    touched_at: datetime
    idle_notice: int
    closed_at: datetime | None


_HOLDER: Final = Prepared(
    select(*(account_holder.c[name] for name in Holder.__dataclass_fields__)).where(
        account_holder.c.account_id == bindparam("account_id")
    )
)


def holder_of(conn: Connection, account_id: str) -> Holder | None:
    """The account's holder; None where nobody has told anything of them. 1 statement."""
    row = _HOLDER.row(conn, {"account_id": account_id})
    return None if row is None else Holder(*row)


def put_holder(conn: Connection, account_id: str, at: datetime, **known: Any) -> None:
    """Keep what is known of the holder now, and that they were heard of."""
    if not insert_if_new(conn, account_holder, {"account_id": account_id, **known, "touched_at": at}):
        conn.execute(
            update(account_holder)
            .where(account_holder.c.account_id == account_id)
            .values(**known, touched_at=at, idle_notice=0)
        )


def touch(conn: Connection, account_id: str, at: datetime) -> None:
    """The holder was active: the time until the account counts as idle begins again (47 CFR 64.6130)."""
    conn.execute(
        update(account_holder)
        .where(account_holder.c.account_id == account_id, account_holder.c.touched_at < at)
        .values(touched_at=at, idle_notice=0)
    )
