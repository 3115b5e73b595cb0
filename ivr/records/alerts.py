"""What somebody has to look at: written down, logged, and there until a person says that it is done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, Select, func, insert, select, update

from ivr.records.tables import alert as alert_table

log = structlog.get_logger(__name__)

#: The kind of an alert about a number that people have a right to reach and that was blocked.
TAKEN_AWAY = "number blocked"


def alert(conn: Connection, kind: str, text: str, at: datetime) -> None:
    """Tell whoever looks at `ivr alerts`, and the log; `kind` is one word for what happened."""
    conn.execute(insert(alert_table).values(kind=kind, text=text, at=at))
    log.warning("alert", kind=kind, text=text)


def alert_once(conn: Connection, kind: str, text: str, at: datetime) -> None:
    """The same, unless the same is open already."""
    same = (alert_table.c.kind == kind, alert_table.c.text == text, alert_table.c.done_at.is_(None))
    if _is_first(conn, select(alert_table.c.id).where(*same).limit(1)):
        alert(conn, kind, text, at)


def alert_unless_told(conn: Connection, kind: str, text: str, at: datetime) -> bool:
    """The same, unless it was told before, whatever has become of that; whether it is told now."""
    same = (alert_table.c.kind == kind, alert_table.c.text == text)
    if not _is_first(conn, select(alert_table.c.id).where(*same).limit(1)):
        return False
    alert(conn, kind, text, at)
    return True


def _is_first(conn: Connection, same: Select[tuple[int]]) -> bool:
    """Whether there is none of these."""
    if conn.scalar(same) is not None:
        return False
    one_by_one(conn)
    return conn.scalar(same) is None


def one_by_one(conn: Connection) -> None:
    """Of nodes that are about to tell the same, each waits here for the one before, and then looks again."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(func.hashtext("alert"))))


def open_alerts(conn: Connection) -> Sequence[Row[Any]]:
    """Those that nobody has done with, the oldest first."""
    wanted = select(alert_table).where(alert_table.c.done_at.is_(None))
    return conn.execute(wanted.order_by(alert_table.c.id)).all()


def tell_alone(conn: Connection) -> None:
    """Whoever else is about to tell of open alerts waits until this transaction ends."""
    conn.execute(select(alert_table.c.id).where(alert_table.c.done_at.is_(None)).with_for_update())


def last_told(conn: Connection) -> datetime | None:
    """When whoever is on call was last told of any alert."""
    found: datetime | None = conn.scalar(select(func.max(alert_table.c.told_at)))
    return found


def told(conn: Connection, alert_ids: Sequence[int], at: datetime) -> None:
    """Whoever is on call is told of these."""
    conn.execute(update(alert_table).where(alert_table.c.id.in_(alert_ids)).values(told_at=at))


def done(conn: Connection, alert_id: int, author: str, at: datetime) -> bool:
    """Somebody has looked at it; False where there is no such open one."""
    this = update(alert_table).where(alert_table.c.id == alert_id, alert_table.c.done_at.is_(None))
    return conn.execute(this.values(done_by=author, done_at=at)).rowcount == 1
