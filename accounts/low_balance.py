"""A charge that takes an account's balance below what its holder wants to be told at."""

from datetime import datetime

from sqlalchemy import Connection

from accounts import ledger
from accounts.holders import Holder
from accounts.outbox import NoticeKind, tell_holder
from rating.money import Money, floor_to_cent, format_money


def tell_if_low(conn: Connection, holder: Holder, charged: Money, *, key: str, at: datetime) -> int:
    """Tell of the charge that has just taken the balance below; until it has risen again no other one does.

    `key` names the charge. What is held for calls in progress is still the holder's, and counts. How many notices are
    new. 1 statement where the holder wants to be told at all, none otherwise.
    """
    if holder.low_balance is None or charged <= 0:
        return 0
    stands = ledger.balance(conn, holder.account_id)
    balance = stands.credits - stands.debits
    if not balance < holder.low_balance <= balance + charged:
        return 0
    told = {"balance": format_money(floor_to_cent(Money(balance)))}
    return tell_holder(conn, holder, kind=NoticeKind.LOW_BALANCE, key=f"low_balance/{key}", told=told, at=at)
