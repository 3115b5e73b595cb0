"""What staff write about a call, in progress or over; it is only added to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, ForeignKey, Integer, Row, Table, Text, insert, select

from accounts.db import Instant, metadata

call_note: Final = Table(
    "call_note",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call_id", ForeignKey("call.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
)


def add(conn: Connection, *, call_id: str, author: str, text: str, at: datetime) -> None:
    """Somebody has written this."""
    conn.execute(insert(call_note).values(call_id=call_id, author=author, text=text, at=at))


def of_call(conn: Connection, call_id: str) -> Sequence[Row[Any]]:
    """All that was written about a call, the oldest first."""
    return conn.execute(
        select(call_note).where(call_note.c.call_id == call_id).order_by(call_note.c.id)
    ).all()
