"""Recordings that are heard or given out: each time for a reason, which is written down before anything is opened."""

from typing import Any

from sqlalchemy import Row

from ivr.records import sealing
from ivr.records.alerts import alert_once
from ivr.records.states import RecordingState
from ivr.staff.desk import Desk, StaffError
from ivr.staff.sealed import OfRecording, recording_of


class Damaged(OfRecording):
    """A recording that did not open, and why."""

    why: str


def play(desk: Desk, asked: OfRecording) -> str:
    """Somebody hears it; raises StaffError for one that is sealed, or of which there is nothing to hear."""
    return f"{asked.about}: opened to be heard, of call {_playable(desk, asked).call_id}"


def export(desk: Desk, asked: OfRecording) -> str:
    """Somebody is given it; raises StaffError as `play` does."""
    return f"{asked.about}: exported, of call {_playable(desk, asked).call_id}"


def damaged(desk: Desk, asked: Damaged) -> str:
    """It was not as it was written when it was opened: somebody has to look at that."""
    alert_once(desk.conn, "recording damaged", asked.why, desk.at)
    return asked.why


def _playable(desk: Desk, asked: OfRecording) -> Row[Any]:
    row = recording_of(desk, asked)
    try:
        return sealing.playable(desk.conn, row.id)
    except sealing.Sealed as sealed:
        raise StaffError(str(sealed)) from None
    except LookupError:
        when = f" on {row.destroyed_at:%Y-%m-%d}" if row.state == RecordingState.DESTROYED else ""
        raise StaffError(f"{asked.about}: there is nothing to hear: {row.state}{when}") from None
