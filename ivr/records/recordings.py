"""The rows of recordings: begun with a permit only, finished when the file was looked at."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, bindparam, insert, literal, select, update

from accounts.db import Prepared
from ivr.policy.recording import RecordingFile, RecordingPermit
from ivr.records.states import RecordingState
from ivr.records.tables import call, recording

_RUNNING = literal(RecordingState.RUNNING, literal_execute=True)  # as it stands in the index's condition
_RUNNING_OF_SEALED_CALLS = (
    select(recording.c.id, recording.c.sealed_at)
    .join(call, call.c.id == recording.c.call_id)
    .where(recording.c.state == _RUNNING, call.c.sealed_at.is_not(None))
)

_BEGIN = Prepared(insert(recording))
_THIS = Prepared(update(recording).where(recording.c.id == bindparam("recording_id")))


def begin(
    conn: Connection, permit: RecordingPermit, folder: Path, recording_id: str, at: datetime
) -> RecordingFile:
    """Note that a recording starts, and give its file: random, raw, two channels, without facility or number."""
    _BEGIN.change(
        conn,
        {"id": recording_id, "call_id": permit.call_id, "state": RecordingState.RUNNING, "started_at": at},
    )
    return RecordingFile(str(raw_file(folder, recording_id)))


def raw_file(folder: Path, recording_id: str) -> Path:
    """Where Asterisk writes while the two talk."""
    return folder / f"{recording_id}.raw"


def wav_file(folder: Path, recording_id: str) -> Path:
    """Where the finished recording is."""
    return folder / f"{recording_id}.wav"


def sealed_folder(folder: Path) -> Path:
    """Where the files of sealed recordings are, whatever their state."""
    return folder / "sealed"


def put_away(folder: Path, recording_id: str) -> list[Path]:
    """Move a recording's files to the sealed ones, into a folder for the owner alone; where they are now.

    Asterisk goes on writing into a file that is moved.
    """
    target = sealed_folder(folder)
    target.mkdir(mode=0o700, exist_ok=True)
    moved = []
    for file_of in (raw_file, wav_file):
        path = file_of(folder, recording_id)
        if path.exists():
            path.rename(file_of(target, recording_id))
        if file_of(target, recording_id).exists():
            moved.append(file_of(target, recording_id))
    return moved


def destroy(folder: Path, recording_id: str) -> None:
    """Delete a recording's files, wherever they are."""
    for place in (folder, sealed_folder(folder)):
        for file_of in (raw_file, wav_file):
            file_of(place, recording_id).unlink(missing_ok=True)


def running_of_sealed_calls(conn: Connection) -> list[tuple[str, bool]]:
    """Recordings whose call is over and whose file has not been looked at, and whether each is sealed itself."""
    return [(row.id, row.sealed_at is not None) for row in conn.execute(_RUNNING_OF_SEALED_CALLS)]


def finish(
    conn: Connection,
    recording_id: str,
    state: RecordingState,
    *,
    talk_ms: int | None = None,
    sha256: str | None = None,
) -> None:
    """Note what has become of it."""
    _THIS.change(conn, {"recording_id": recording_id, "state": state, "talk_ms": talk_ms, "sha256": sha256})
