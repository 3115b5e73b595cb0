"""Tells whoever is on call of alerts, by SMS and e-mail, while the controller runs."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Connection

from accounts import outbox
from accounts.db import Database
from accounts.outbox import NoticeKind
from ivr.facility import on_call
from ivr.policy.paging import Open, due
from ivr.records import alerts

log = structlog.get_logger(__name__)

EVERY_SECONDS = 10.0
#: So much of an alert is told in a message that has to fit a telephone; `ivr alerts` has the rest.
MOST_TOLD = 160


async def keep_paging(database: Database, now: Callable[[], datetime]) -> None:
    """Tell of what is due every few seconds, until cancelled."""
    while True:
        try:
            if await database.read(_due, now()):
                await database.transact(page, now())
        except Exception:  # whatever it was, calls go on
            log.exception("nobody was told of alerts")
        await asyncio.sleep(EVERY_SECONDS)


def page(conn: Connection, at: datetime) -> int:
    """Have everybody who is on call told of the alerts that are due; how many alerts those are.

    Where nobody is on call nothing is told, and all of it stays due for whoever will be.
    """
    alerts.tell_alone(conn)
    ids = _due(conn, at)
    there = [row for row in on_call.ways(conn) if row.since is not None]
    if not ids or not there:
        return 0
    first = next(row for row in alerts.open_alerts(conn) if row.id == ids[0])
    for row in there:
        outbox.tell_by(
            conn,
            sms=row.sms,
            email=row.email,
            language="en",
            kind=NoticeKind.ALERT,
            key=f"alert/{row.operator}/{at.isoformat()}",
            told={"alerts": len(ids), "first": _short(f"{first.id}, {first.kind}: {first.text}")},
            at=at,
        )
    alerts.told(conn, ids, at)
    return len(ids)


def _due(conn: Connection, at: datetime) -> list[int]:
    waiting = [Open(row.id, row.told_at) for row in alerts.open_alerts(conn)]
    return list(due(waiting, alerts.last_told(conn), at)) if waiting else []


def _short(text: str) -> str:
    """In letters that an SMS has."""
    plain = text.replace("`", "'").replace("…", "...")
    return plain if len(plain) <= MOST_TOLD else f"{plain[: MOST_TOLD - 3].rstrip()}..."
