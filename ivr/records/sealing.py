"""What a number that becomes privileged seals: calls in progress to it, and recordings of earlier ones.

Two operators open or destroy a sealed recording; nobody plays it before.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, literal, select, update

from ivr.policy.reasons import NotRecorded
from ivr.records.calls import is_privileged
from ivr.records.nodes import of_node
from ivr.records.recordings import KeptFile, Places
from ivr.records.states import RecordingState
from ivr.records.tables import call, recording

_A_TIME = 100
_TO_PUT_AWAY = (
    select(recording, call.c.id.label("of_call"), call.c.sealed_at.label("call_sealed_at"))
    .join(call, call.c.id == recording.c.call_id)
    .where(
        recording.c.sealed_at.is_not(None),
        recording.c.put_away_at.is_(None),
        recording.c.destroyed_at.is_(None),
    )
)


class Sealed(Exception):  # noqa: N818 - a state that somebody meets, not a fault
    """The recording is sealed, so nobody plays it; the message says since when and why."""


def seal(
    conn: Connection, facility_id: str, numbers: Collection[str], at: datetime, because: str
) -> list[str]:
    """Seal what there is of calls to these numbers where they are privileged now; the recordings, by id.

    A call in progress is privileged from here on, and so is what was recorded of it. What two operators have opened
    stays open.
    """
    sealed: list[str] = []
    listed = sorted(numbers)
    for first in range(0, len(listed), _A_TIME):
        ours = (
            call.c.facility_id == facility_id,
            call.c.number.in_(listed[first : first + _A_TIME]),
            exists().where(is_privileged(literal(at, call.c.keyed_at.type))),
        )
        conn.execute(
            update(call)
            .where(*ours, call.c.sealed_at.is_(None), call.c.privileged.is_not(True))
            .values(privileged=True, not_recorded=NotRecorded.PRIVILEGED)
        )
        found = list(
            conn.scalars(
                select(recording.c.id)
                .join(call, call.c.id == recording.c.call_id)
                .where(*ours, recording.c.sealed_at.is_(None))
                .order_by(recording.c.id)
            )
        )
        for start in range(0, len(found), _A_TIME):
            these = update(recording).where(recording.c.id.in_(found[start : start + _A_TIME]))
            conn.execute(these.values(sealed_at=at, sealed_because=because))
        sealed += found
    return sealed


def is_sealed(conn: Connection, recording_id: str) -> bool:
    """Whether a recording has been sealed since it was begun; one that there is not is."""
    row = conn.execute(select(recording.c.sealed_at).where(recording.c.id == recording_id)).one_or_none()
    return row is None or row.sealed_at is not None


def to_put_away(conn: Connection, node: str | None = None) -> Sequence[Row[Any]]:
    """Sealed recordings whose files are where they were on the node, with their calls."""
    return conn.execute(_TO_PUT_AWAY.where(of_node(call.c.node, node))).all()


def said_into(conn: Connection) -> Sequence[str]:
    """Calls in progress that have become privileged, and had announcements in their talk until then; their ids."""
    became = (call.c.privileged.is_(True), call.c.overlay_seconds.is_not(None))
    return conn.scalars(select(call.c.id).where(call.c.sealed_at.is_(None), *became)).all()


def was_put_away(conn: Connection, recording_id: str, at: datetime) -> None:
    """Its file is with the sealed ones, or is no more."""
    conn.execute(update(recording).where(recording.c.id == recording_id).values(put_away_at=at))


def playable(conn: Connection, recording_id: str) -> Row[Any]:
    """The row of a recording that may be heard.

    Raises Sealed for a sealed one that two operators have not opened, LookupError where there is none to play.
    """
    row = conn.execute(select(recording).where(recording.c.id == recording_id)).one_or_none()
    if row is None or row.state != RecordingState.KEPT:
        raise LookupError(recording_id)
    if row.sealed_at is not None and row.opened_at is None:
        raise Sealed(
            f"recording {recording_id} is sealed since {row.sealed_at:%Y-%m-%d %H:%M} UTC: {row.sealed_because}"
        )
    return row


def file_to_play(conn: Connection, places: Places, recording_id: str) -> KeptFile:
    """The kept recording with its key, for whoever may hear it: the one way to both; raises as `playable` does."""
    return KeptFile.of(places, playable(conn, recording_id))
