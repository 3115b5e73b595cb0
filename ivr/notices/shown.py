"""Notices as operators see them: where each is, and why it goes no further."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, exists, func, literal, select

from accounts.payment_tables import NoticeState, notice
from ivr.notices.queue import again

NO_ANSWER: Final = "no answer: looked for before it is sent again"
NOT_KNOWN: Final = "not known whether it was sent"
#: What has come to an end without having been told, as far as we know.
_UNTOLD: Final = (NoticeState.DEAD, NoticeState.FAILED)
_LONGEST_RECIPIENT: Final = 18

Shown = dict[str, object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which notices are listed; None: of all."""

    state: NoticeState | None = None
    account_id: str | None = None
    recipient: str | None = None
    most: int = 50


def notices_shown(conn: Connection, wanted: Wanted, channels: frozenset[str]) -> list[Shown]:
    """The newest notices, the newest first; `channels` have a sender."""
    rows = select(notice)
    for column, value in (
        (notice.c.state, wanted.state),
        (notice.c.account_id, wanted.account_id),
        (notice.c.recipient, wanted.recipient),
    ):
        if value is not None:
            rows = rows.where(column == value)
    found = conn.execute(rows.order_by(notice.c.id.desc()).limit(wanted.most)).all()
    return [_listed(row, channels) for row in found]


def dead_shown(conn: Connection, most: int) -> list[Shown]:
    """What was not told and was not sent again since: dead, or refused for good; the newest first."""
    later = notice.alias("later")
    is_sent_again = exists().where(later.c.key == notice.c.key + literal(again("")))
    rows = select(notice).where(notice.c.state.in_(_UNTOLD), ~is_sent_again)
    found = conn.execute(rows.order_by(notice.c.id.desc()).limit(most)).all()
    return [_listed(row, frozenset({"sms", "email"})) for row in found]


def waiting(conn: Connection) -> Mapping[str, int]:
    """How many notices wait, by channel."""
    counted = select(notice.c.channel, func.count().label("waiting")).where(
        notice.c.state == NoticeState.WAITING
    )
    return {row.channel: row.waiting for row in conn.execute(counted.group_by(notice.c.channel))}


def notice_row(conn: Connection, notice_id: int) -> Row[Any] | None:
    """One notice."""
    return conn.execute(select(notice).where(notice.c.id == notice_id)).one_or_none()


def whole(row: Row[Any], channels: frozenset[str]) -> Sequence[tuple[str, str]]:
    """Everything about one notice, as a person reads it."""
    told = ", ".join(f"{name} {value}" for name, value in json.loads(row.told).items())
    next_try = _time(row.next_try_at) if row.next_try_at else "none"
    fields = {
        "kind": row.kind,
        "key": row.key,
        "to": f"{row.recipient} ({row.channel}, {row.language})",
        "account": row.account_id or "none",
        "told": told,
        "state": row.state,
        "why": why(row, channels) or "as it should be",
        "tries": str(row.tries),
        "next try": next_try,
        "provider's id": row.provider_id or "none",
        "written": _time(row.made_at),
        "changed": _time(row.changed_at),
    }
    return list(fields.items())


def why(row: Row[Any], channels: frozenset[str]) -> str:
    """Why it is where it is, in a few words; empty for what is well."""
    if row.state == NoticeState.WAITING:
        if row.channel not in channels:
            return "no sender is set"
        if row.tries:
            return str(row.failure or NO_ANSWER)
        return ""
    if row.state == NoticeState.DEAD and row.failure is None:
        return NOT_KNOWN
    return str(row.failure or "")


def _listed(row: Row[Any], channels: frozenset[str]) -> Shown:
    recipient = row.recipient
    if len(recipient) > _LONGEST_RECIPIENT:
        recipient = f"{recipient[: _LONGEST_RECIPIENT - 1]}…"
    return {
        "no.": row.id,
        "written": f"{row.made_at:%m-%d %H:%M}",
        "kind": row.kind,
        "to": recipient,
        "state": row.state,
        "why": why(row, channels),
    }


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
