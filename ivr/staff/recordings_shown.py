"""Recordings as staff list them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from ivr.facility.tables import facility
from ivr.records.states import Finding
from ivr.records.tables import call, recording


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of them."""

    facility_id: str | None = None
    finding: Finding | None = None
    locked: bool = False
    sealed: bool = False
    most: int = 50


def recordings_shown(conn: Connection, wanted: Wanted) -> Sequence[dict[str, object]]:
    """A row for each, the newest first; times are the facility's."""
    rows = (
        select(recording, facility.c.time_zone)
        .join(call, call.c.id == recording.c.call_id)
        .join(facility, facility.c.id == call.c.facility_id)
    )
    if wanted.facility_id is not None:
        rows = rows.where(facility.c.id == wanted.facility_id)
    if wanted.finding is not None:
        rows = rows.where(recording.c.finding == wanted.finding)
    if wanted.locked:
        rows = rows.where(recording.c.legal_hold_at.is_not(None))
    if wanted.sealed:
        rows = rows.where(recording.c.sealed_at.is_not(None))
    newest = rows.order_by(recording.c.started_at.desc(), recording.c.id).limit(wanted.most)
    return [_shown(row) for row in conn.execute(newest)]


def _shown(row: Row[Any]) -> dict[str, object]:
    seconds = (row.talk_ms or 0) // 1000
    return {
        "recording": row.id[:12],
        "began": f"{row.started_at.astimezone(ZoneInfo(row.time_zone)):%Y-%m-%d %H:%M}",
        "call": row.call_id[:8],
        "talk": f"{seconds // 60}:{seconds % 60:02d}",
        "kB": None if row.file_bytes is None else -(-row.file_bytes // 1000),
        "stands": ", ".join(_stands(row)),
    }


def _stands(row: Row[Any]) -> list[str]:
    sealed = row.sealed_at is not None
    return [
        str(row.state),
        *(["sealed" if row.opened_at is None else "sealed, opened"] if sealed else []),
        *(["locked"] if row.legal_hold_at is not None else []),
        *([f"found: {row.finding.replace('_', ' ')}"] if row.finding else []),
    ]
