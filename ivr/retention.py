"""Recordings older than their facility keeps them are destroyed, each with its key; locked and sealed ones stay."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, case, func, literal, select, update

from ivr.facility import audit
from ivr.facility.audit import Deed
from ivr.facility.tables import facility
from ivr.records.states import RecordingState
from ivr.records.tables import call, recording

NAME: Final = "recording-retention"
AUTHOR: Final = "retention"  # in the audit log
AT_ONCE: Final = 200
#: Said so that the index of just these serves.
_KEPT = recording.c.state == literal(RecordingState.KEPT, literal_execute=True)
_FREE = (recording.c.sealed_at.is_(None), recording.c.legal_hold_at.is_(None))


def destroy_old(conn: Connection, at: datetime) -> int:
    """The job: destroy some of what is older than its facility keeps it; how many."""
    why = {"author": AUTHOR, "note": "older than the facility keeps it"}
    return sum(destroy(conn, each.id, at, **why) for each in _facilities(conn))


def destroy(conn: Connection, facility_id: str, at: datetime, *, author: str, note: str) -> int:
    """Destroy some of one facility's: the key goes now, and with it the sound; the file a moment later. How many.

    A row of the log tells of each.
    """
    row = conn.execute(select(facility).where(facility.c.id == facility_id)).one()
    old = (*_FREE, _KEPT, recording.c.started_at < _edge(row, at), call.c.facility_id == facility_id)
    due = select(recording.c.id, recording.c.sha256, recording.c.started_at).join(call).where(*old)
    found = conn.execute(
        due.order_by(recording.c.started_at).limit(AT_ONCE).with_for_update(of=recording)
    ).all()
    if not found:
        return 0
    gone = {"state": RecordingState.DESTROYED, "data_key": None, "destroyed_at": at, "put_away_at": None}
    conn.execute(update(recording).where(recording.c.id.in_([each.id for each in found])).values(gone))
    for each in found:
        audit.log(
            conn,
            Deed.CHANGE,
            "recording purge",
            f"recording {each.id}",
            _told(each, row),
            author=author,
            at=at,
            note=note,
            facility_id=facility_id,
        )
    return len(found)


def old_ones(conn: Connection, at: datetime) -> Sequence[Mapping[str, object]]:
    """What the job would destroy now, and what stays all the same: a row for each facility."""
    return [_old_of(conn, row, at) for row in _facilities(conn)]


def _old_of(conn: Connection, row: Any, at: datetime) -> Mapping[str, object]:
    old = (_KEPT, recording.c.started_at < _edge(row, at), call.c.facility_id == row.id)
    free = case((_FREE[0] & _FREE[1], 1), else_=0)
    sums = select(
        func.sum(free).label("due"),
        func.sum(case((recording.c.legal_hold_at.is_not(None), 1), else_=0)).label("locked"),
        func.sum(case((recording.c.sealed_at.is_not(None), 1), else_=0)).label("sealed"),
        func.sum(case((free == 1, recording.c.file_bytes), else_=0)).label("bytes"),
        func.min(case((free == 1, recording.c.started_at))).label("oldest"),
    )
    found = conn.execute(sums.join_from(recording, call).where(*old)).one()
    return {
        "facility": row.id,
        "kept days": row.recordings_kept_days,
        "due": found.due or 0,
        "MB": round(int(found.bytes or 0) / 1_000_000, 1),
        "oldest": f"{found.oldest:%Y-%m-%d}" if found.oldest else None,
        "stay: locked": found.locked or 0,
        "sealed": found.sealed or 0,
    }


def _facilities(conn: Connection) -> Sequence[Row[*tuple[Any, ...]]]:
    return conn.execute(select(facility.c.id, facility.c.recordings_kept_days).order_by(facility.c.id)).all()


def _edge(row: Any, at: datetime) -> datetime:
    return at - timedelta(days=row.recordings_kept_days)


def _told(each: Any, row: Any) -> str:
    return (
        f"recording {each.id}: destroyed, of {each.started_at:%Y-%m-%d}; {row.id} keeps them "
        f"{row.recordings_kept_days} days; its SHA-256 was {each.sha256}"
    )
