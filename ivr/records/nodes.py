"""The nodes that share a database: when each was seen last, and whose a record is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    String,
    Table,
    delete,
    or_,
    select,
    true,
    update,
)

from accounts.db import Instant, insert_if_new, metadata
from ivr.facility.audit import audit

#: The node that there is where nobody has named any. What was written before nodes had names is its own.
FIRST: Final = "main"
#: So many of the newest deeds are compared: more are never on their way to the database at the same moment.
_NEWEST: Final = 200

node: Final = Table(
    "node",
    metadata,
    Column("name", String(15), primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("stopped_at", Instant),  # in order; none: it runs, or has ended otherwise
)


def of_node(column: ColumnElement[str | None], name: str | None) -> ColumnElement[bool]:
    """The condition that a record is of this node, by the column that names its own; none: there is only one."""
    if name is None:
        return true()
    return or_(column == name, column.is_(None)) if name == FIRST else column == name


def started(conn: Connection, name: str, at: datetime) -> None:
    """The node's controller runs from now on. The first one is always known: what has no name may be its own."""
    insert_if_new(conn, node, {"name": FIRST, "started_at": at, "seen_at": at, "stopped_at": at})
    insert_if_new(conn, node, {"name": name, "started_at": at, "seen_at": at, "stopped_at": None})
    _change(conn, name, started_at=at, seen_at=at, stopped_at=None)


def seen(conn: Connection, name: str, at: datetime) -> None:
    """Its controller reaches the database."""
    _change(conn, name, seen_at=at)


def stopped(conn: Connection, name: str, at: datetime) -> None:
    """Its controller ends, as it was told to."""
    _change(conn, name, stopped_at=at)


def all_of_them(conn: Connection) -> Sequence[Row[Any]]:
    """Every node that ever ran on this database, by name."""
    return conn.execute(select(node).order_by(node.c.name)).all()


def named(conn: Connection, name: str) -> Row[Any] | None:
    """The node of this name, if one ever ran."""
    return conn.execute(select(node).where(node.c.name == name)).one_or_none()


def forget(conn: Connection, name: str) -> None:
    """Know nothing of it any more; its records keep its name."""
    conn.execute(delete(node).where(node.c.name == name))


def newest_deeds(conn: Connection) -> Sequence[int]:
    """What staff have done last, whichever node they asked: when it is not what it was, something has changed."""
    return conn.scalars(select(audit.c.id).order_by(audit.c.id.desc()).limit(_NEWEST)).all()


def _change(conn: Connection, name: str, **values: object) -> None:
    conn.execute(update(node).where(node.c.name == name).values(**values))
