"""Who is told of alerts, and how: operators on call, by SMS and e-mail."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Row,
    Table,
    Text,
    insert,
    select,
    update,
)

from accounts.db import Instant, metadata
from ivr.facility.operators import operator
from ivr.facility.tables import NUMBER

#: How each operator is reached who may be on call; `since` is empty while they are not.
on_call: Final = Table(
    "on_call",
    metadata,
    Column("operator", ForeignKey("operator.name"), primary_key=True),
    Column("sms", NUMBER),
    Column("email", Text),
    Column("since", Instant),
    CheckConstraint("sms IS NOT NULL OR email IS NOT NULL", name="somehow"),
)


def reach(conn: Connection, name: str, *, sms: str | None, email: str | None) -> None:
    """An operator is reached so from now on, and no longer as before."""
    ways = {"sms": sms, "email": email}
    if conn.execute(update(on_call).where(on_call.c.operator == name).values(**ways)).rowcount == 0:
        conn.execute(insert(on_call), {"operator": name, **ways})


def begin(conn: Connection, name: str, at: datetime) -> bool:
    """An operator is on call; False where nobody knows how they are reached."""
    return conn.execute(update(on_call).where(on_call.c.operator == name).values(since=at)).rowcount == 1


def end(conn: Connection, name: str) -> bool:
    """An operator is on call no longer; False where they were not."""
    theirs = update(on_call).where(on_call.c.operator == name, on_call.c.since.is_not(None))
    return conn.execute(theirs.values(since=None)).rowcount == 1


def ways(conn: Connection) -> Sequence[Row[Any]]:
    """How each operator is reached who has not gone, and since when they are on call."""
    theirs = select(on_call).join(operator).where(operator.c.removed_at.is_(None))
    return conn.execute(theirs.order_by(on_call.c.operator)).all()
