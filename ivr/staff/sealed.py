"""Sealed recordings and legal holds: two operators open or destroy one, never while a legal hold is on it."""

from typing import Any

from sqlalchemy import Row, select, update

from ivr.policy.privilege import WAITS_FOR_ANOTHER
from ivr.records.states import RecordingState, SealedWish
from ivr.records.tables import call, recording
from ivr.staff.desk import Asked, BegunId, Desk, StaffError


class OfRecording(Asked):
    """One recording, by its id or the beginning of it."""

    recording_id: BegunId

    @property
    def about(self) -> str:
        """The recording."""
        return f"recording {self.recording_id}"


def open_(desk: Desk, asked: OfRecording) -> str:
    """A sealed recording may be heard once a second operator wants it too."""
    row = _sealed(desk, asked)
    if row.opened_at is not None:
        raise StaffError(f"{asked.about}: is open already")
    if first := _is_first(desk, asked, row, SealedWish.OPEN):
        return first
    _set(desk, row, opened_at=desk.at)
    return f"{asked.about}: may be heard, as {row.asked_by} asked"


def destroy(desk: Desk, asked: OfRecording) -> str:
    """A sealed recording is destroyed once a second operator wants it too; raises StaffError under a legal hold."""
    row = _sealed(desk, asked)
    if row.legal_hold_at is not None:
        raise StaffError(f"{asked.about}: a legal hold is on it since {row.legal_hold_at:%Y-%m-%d}")
    if first := _is_first(desk, asked, row, SealedWish.DESTROY):
        return first
    destroyed = {"state": RecordingState.DESTROYED, "data_key": None, "destroyed_at": desk.at}
    _set(desk, row, **destroyed, put_away_at=None)
    return f"{asked.about}: destroyed, as {row.asked_by} asked; its SHA-256 was {row.sha256}"


def lock(desk: Desk, asked: OfRecording) -> str:
    """Nobody destroys it from now on."""
    row = recording_of(desk, asked)
    if row.state == RecordingState.DESTROYED:
        raise StaffError(f"{asked.about}: was destroyed on {row.destroyed_at:%Y-%m-%d}")
    if row.legal_hold_at is not None:
        raise StaffError(f"{asked.about}: a legal hold is on it since {row.legal_hold_at:%Y-%m-%d}")
    _set(desk, row, legal_hold_at=desk.at)
    return f"{asked.about}: a legal hold is on it"


def unlock(desk: Desk, asked: OfRecording) -> str:
    """The legal hold is over."""
    row = recording_of(desk, asked)
    if row.legal_hold_at is None:
        raise StaffError(f"{asked.about}: no legal hold is on it")
    _set(desk, row, legal_hold_at=None)
    return f"{asked.about}: no legal hold is on it any longer"


def _is_first(desk: Desk, asked: OfRecording, row: Row[Any], wish: SealedWish) -> str | None:
    """What the first of two operators is told; None for the second."""
    stands = row.asked == wish and row.asked_until > desk.at
    if stands and row.asked_by != asked.author:
        return None
    if stands:
        raise StaffError(f"{asked.about}: you asked for this yourself, so another operator does it")
    until = desk.at + WAITS_FOR_ANOTHER
    these = update(recording).where(recording.c.id == row.id)
    desk.conn.execute(these.values(asked=wish, asked_by=asked.author, asked_until=until))
    return f"{asked.about}: stays as it is until another operator wants the same, within 72 hours"


def _sealed(desk: Desk, asked: OfRecording) -> Row[Any]:
    row = recording_of(desk, asked)
    if row.state == RecordingState.DESTROYED:
        raise StaffError(f"{asked.about}: was destroyed on {row.destroyed_at:%Y-%m-%d}")
    if row.sealed_at is None:
        raise StaffError(f"{asked.about}: is not sealed")
    if row.state == RecordingState.RUNNING:
        raise StaffError(f"{asked.about}: its call is not over")
    return row


def recording_of(desk: Desk, asked: OfRecording) -> Row[Any]:
    """The one recording of the facility whose id begins so."""
    begins = recording.c.id.startswith(asked.recording_id)
    own = select(recording).join(call, call.c.id == recording.c.call_id)
    found = desk.conn.execute(own.where(begins, call.c.facility_id == desk.facility_id(asked)).limit(2)).all()
    if len(found) != 1:
        raise StaffError(f"{'more than one' if found else 'no'} recording begins with {asked.recording_id}")
    return found[0]


def _set(desk: Desk, row: Row[Any], **values: object) -> None:
    nothing = {"asked": None, "asked_by": None, "asked_until": None}
    desk.conn.execute(update(recording).where(recording.c.id == row.id).values(**nothing, **values))
