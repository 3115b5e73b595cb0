"""What is to be told to people, written in the same transaction as what it tells of; `ivr.notices` delivers it."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from accounts.db import insert_if_new
from accounts.holders import Holder, holder_of
from accounts.payment_tables import NoticeState, notice, opted_out


class NoticeKind(StrEnum):
    """What a notice tells; its text is the one of this name."""

    LOW_BALANCE = "low_balance"
    NEAR_CALL_LIMIT = "near_call_limit"
    RENEWAL_SOON = "renewal_soon"
    RENEWED = "renewed"
    RENEWAL_FAILED = "renewal_failed"
    CARD_EXPIRING = "card_expiring"
    REFUNDED = "refunded"
    INCOMING_CALL = "incoming_call"
    MISSED_CALL = "missed_call"
    RECEIPT = "receipt"
    PAYMENT_LINK = "payment_link"
    IDLE_ACCOUNT = "idle_account"
    DROPPED_CALL = "dropped_call"
    STATEMENT_READY = "statement_ready"
    MONEY_LEFT = "money_left"
    WATCHED_CALL = "watched_call"  # to staff
    ALERT = "alert"  # to staff


def tell(
    conn: Connection,
    *,
    account_id: str,
    kind: NoticeKind,
    key: str,
    told: Mapping[str, object],
    at: datetime,
) -> int:
    """Have an account's holder told by SMS and e-mail, as they can be reached; once for each key.

    How many notices are new: none of a holder of whom nothing is known, or who was told before.
    """
    holder = holder_of(conn, account_id)
    return 0 if holder is None else tell_holder(conn, holder, kind=kind, key=key, told=told, at=at)


def tell_holder(
    conn: Connection, holder: Holder, *, kind: NoticeKind, key: str, told: Mapping[str, object], at: datetime
) -> int:
    """The same for a holder who is known already."""
    return tell_by(
        conn,
        sms=holder.mobile,
        email=holder.email,
        language=holder.language,
        kind=kind,
        key=key,
        told=told,
        at=at,
        account_id=holder.account_id,
    )


def tell_by(
    conn: Connection,
    *,
    sms: str | None,
    email: str | None,
    language: str,
    kind: NoticeKind,
    key: str,
    told: Mapping[str, object],
    at: datetime,
    account_id: str | None = None,
) -> int:
    """Have somebody told by each way in which they are reached, once for each key; how many notices are new."""
    return sum(
        write(
            conn,
            channel=channel,
            recipient=recipient,
            language=language,
            kind=kind,
            key=key,
            told=told,
            at=at,
            account_id=account_id,
        )
        for channel, recipient in (("sms", sms), ("email", email))
        if recipient is not None
    )


def is_told(conn: Connection, key: str) -> bool:
    """Whether somebody is told already what has this key."""
    keys = notice.c.key.in_([f"{key}/sms", f"{key}/email"])
    return conn.scalar(select(notice.c.id).where(keys).limit(1)) is not None


def write(
    conn: Connection,
    *,
    channel: str,
    recipient: str,
    language: str,
    kind: NoticeKind,
    key: str,
    told: Mapping[str, object],
    at: datetime,
    account_id: str | None = None,
) -> bool:
    """Have somebody told by one channel, once for each key; who has answered STOP gets no SMS. Whether it is new."""
    silent = channel == "sms" and conn.scalar(
        select(opted_out.c.number).where(opted_out.c.number == recipient)
    )
    row = {
        "key": f"{key}/{channel}",
        "kind": kind,
        "channel": channel,
        "recipient": recipient,
        "language": language,
        "told": json.dumps(told, ensure_ascii=False, sort_keys=True),
        "account_id": account_id,
        "state": NoticeState.OPTED_OUT if silent else NoticeState.WAITING,
        "next_try_at": None if silent else at,
        "made_at": at,
        "changed_at": at,
    }
    return insert_if_new(conn, notice, row)
