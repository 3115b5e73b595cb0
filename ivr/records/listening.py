"""Who listens to which call, why, from when to when; a row stands before any telephone rings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Row,
    String,
    Table,
    Text,
    false,
    insert,
    select,
    text,
    update,
)

from accounts.db import Instant, metadata
from ivr.records.nodes import of_node
from ivr.records.tables import ID, call

listening: Final = Table(
    "listening",
    metadata,
    Column("id", ID, primary_key=True),  # random; also the account code of the listener's channel
    Column("call_id", ForeignKey("call.id"), nullable=False, index=True),
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("phone", String(40), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("speaks", Boolean, nullable=False, server_default=false()),  # and is heard by both
    Column("rung_at", Instant),  # the listener's telephone
    Column("from_at", Instant),  # it was answered: from then on they heard the talk
    Column("to_at", Instant),
    CheckConstraint("to_at IS NULL OR from_at IS NULL OR to_at >= from_at", name="ends_after_its_beginning"),
    Index(
        "ix_listening_open",
        "id",
        sqlite_where=text("to_at IS NULL"),
        postgresql_where=text("to_at IS NULL"),
    ),
)
_this_call = listening.join(call, call.c.id == listening.c.call_id)


def begin(
    conn: Connection,
    *,
    listening_id: str,
    call_id: str,
    author: str,
    note: str,
    phone: str,
    at: datetime,
    speaks: bool = False,
) -> None:
    """Somebody is to listen, and where they `speak` to be heard."""
    row = {"id": listening_id, "call_id": call_id, "author": author, "note": note, "phone": phone}
    conn.execute(insert(listening), {**row, "speaks": speaks, "asked_at": at})


def open_ones(conn: Connection, node: str | None = None) -> Sequence[Row[Any]]:
    """Everybody who listens to the node's calls or is to, with whether those go on and may be listened to still."""
    wanted = select(
        listening,
        call.c.privileged.is_(False).label("may_be_heard"),
        call.c.sealed_at.is_(None).label("goes_on"),
        call.c.inmate_language,
        call.c.called_language,
    ).select_from(_this_call)
    mine = wanted.where(listening.c.to_at.is_(None), of_node(call.c.node, node))
    return conn.execute(mine.order_by(listening.c.asked_at)).all()


def rung(conn: Connection, listening_id: str, at: datetime) -> None:
    """The listener's telephone is being rung."""
    _change(conn, listening_id, rung_at=at)


def answered(conn: Connection, listening_id: str, at: datetime) -> None:
    """They hear the talk from now on."""
    _change(conn, listening_id, from_at=at)


def ended(conn: Connection, listening_id: str, at: datetime) -> None:
    """They hear nothing any more; the first end stands."""
    _change(conn, listening_id, to_at=at)


def is_known(conn: Connection, listening_id: str) -> bool:
    """Whether somebody was ever to listen under this id."""
    return conn.scalar(select(listening.c.id).where(listening.c.id == listening_id)) is not None


def listens_with(conn: Connection, phone: str) -> Row[Any] | None:
    """What a telephone of staff listens to now, or is rung for."""
    now = select(listening).where(listening.c.phone == phone, listening.c.to_at.is_(None))
    return conn.execute(now.limit(1)).one_or_none()


def of_call(conn: Connection, call_id: str) -> Sequence[Row[Any]]:
    """Everybody who ever listened to a call."""
    these = select(listening).where(listening.c.call_id == call_id).order_by(listening.c.asked_at)
    return conn.execute(these).all()


def newest(conn: Connection, most: int) -> Sequence[Row[Any]]:
    """Who listened last, the newest first."""
    return conn.execute(select(listening).order_by(listening.c.asked_at.desc()).limit(most)).all()


def _change(conn: Connection, listening_id: str, **values: object) -> None:
    this = update(listening).where(listening.c.id == listening_id, listening.c.to_at.is_(None))
    conn.execute(this.values(**values))
