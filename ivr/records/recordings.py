"""The rows of recordings: begun with a permit only, finished when the file was looked at; and where files are."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, literal, select, update

from accounts.db import Prepared
from ivr.facility.tables import facility
from ivr.policy.reasons import NotRecorded
from ivr.policy.recording import RecordingFile, RecordingPermit, Unrecorded
from ivr.records.nodes import FIRST, of_node
from ivr.records.states import RecordingState
from ivr.records.tables import call, recording

_RUNNING = literal(RecordingState.RUNNING, literal_execute=True)  # as it stands in the index's condition
_RUNNING_OF_SEALED_CALLS = (
    select(recording.c.id, recording.c.started_at, recording.c.sealed_at)
    .join(call, call.c.id == recording.c.call_id)
    .where(recording.c.state == _RUNNING, call.c.sealed_at.is_not(None))
)

_BEGIN = Prepared(insert(recording))
_RUNNING_OF = Prepared(
    select(recording.c.id, facility.c.when_unrecorded)
    .join(call, call.c.id == recording.c.call_id)
    .join(facility, facility.c.id == call.c.facility_id)
    .where(
        recording.c.call_id == bindparam("call_id"),
        recording.c.state == RecordingState.RUNNING,
        recording.c.sealed_at.is_(None),
        call.c.sealed_at.is_(None),
    )
)
_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Places:
    """Where Asterisk records into, and where recordings are kept; those of calls of this node, or of all."""

    spool: Path
    archive: Path
    node: str | None = None

    def of_this_node(self, job: str) -> str:
        """What a job is called that each node does by itself, since it looks at files: the first needs no name."""
        return job if self.node in (None, FIRST) else f"{job}@{self.node}"

    def kept_file(self, recording_id: str, started_at: datetime) -> Path:
        """Where a kept recording is, encrypted: under its random name in the folder of the day (UTC) it began."""
        return self.archive / f"{started_at:%Y-%m-%d}" / f"{recording_id}.enc"

    def plain_files(self, recording_id: str) -> Iterator[Path]:
        """Every place where a recording may lie unencrypted until it is kept."""
        for folder in (self.spool, sealed_folder(self.spool)):
            for file_of in (raw_file, wav_file):
                yield file_of(folder, recording_id)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A kept recording's file, and what opens and proves it."""

    recording_id: str
    path: Path
    data_key: str  # wrapped
    key_id: str
    sha256: str  # of the audio in it
    file_sha256: str

    @classmethod
    def of(cls, places: Places, row: Row[Any]) -> "KeptFile":
        """The file of a row of `recording` that is kept."""
        path = places.kept_file(row.id, row.started_at)
        return cls(row.id, path, row.data_key, row.key_id, row.sha256, row.file_sha256)


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
    """Where a finished recording was before recordings were encrypted."""
    return folder / f"{recording_id}.wav"


def sealed_folder(folder: Path) -> Path:
    """Where what Asterisk has written of sealed recordings is until it is encrypted."""
    return folder / "sealed"


def put_away(folder: Path, recording_id: str) -> list[Path]:
    """Move what is not encrypted yet to the sealed ones, into a folder for the owner alone; where that is now.

    Asterisk goes on writing into a file that is moved. An encrypted file stays: nobody is given its key.
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


def running_of_sealed_calls(conn: Connection, node: str | None = None) -> Sequence[Row[*tuple[Any, ...]]]:
    """The node's recordings whose call is over and whose file has not been looked at; `sealed_at` of sealed ones."""
    return conn.execute(_RUNNING_OF_SEALED_CALLS.where(of_node(call.c.node, node))).all()


@dataclass(frozen=True, slots=True)
class Running:
    """A recording that a talk must have, and what its facility wants where it has none."""

    recording_id: str
    when_unrecorded: Unrecorded


def running_of(conn: Connection, call_id: str) -> Running | None:
    """The recording of a call in progress; None where it must have none, or has become privileged since."""
    row = _RUNNING_OF.row(conn, {"call_id": call_id})
    return Running(row[0], Unrecorded(row[1])) if row is not None else None


def failed(conn: Connection, call_id: str, ends_at: datetime | None) -> None:
    """Note of a call in progress that it is not recorded, and from when on that ends it, if it does."""
    mine = update(call).where(call.c.id == call_id, call.c.sealed_at.is_(None))
    conn.execute(mine.values(not_recorded=NotRecorded.FAILED, unrecorded_at=ends_at))


def finish(conn: Connection, recording_id: str, found: Mapping[str, object]) -> None:
    """Note what has become of it, once: nothing that is kept already is changed."""
    this = update(recording).where(
        recording.c.id == recording_id, recording.c.state == RecordingState.RUNNING
    )
    conn.execute(this.values(found))


def to_erase(conn: Connection, node: str | None = None) -> Sequence[Row[*tuple[Any, ...]]]:
    """Destroyed recordings whose files may still lie on the node."""
    gone = (recording.c.destroyed_at.is_not(None), recording.c.put_away_at.is_(None))
    wanted = select(recording.c.id, recording.c.started_at, recording.c.call_id, recording.c.sha256)
    theirs = wanted.join(call, call.c.id == recording.c.call_id).where(of_node(call.c.node, node))
    return conn.execute(theirs.where(*gone)).all()


def whole_ids(conn: Connection, start: str) -> Sequence[Row[*tuple[Any, ...]]]:
    """The recordings whose id begins so, with facility and node; two at most: enough to see whether it is one."""
    begins = recording.c.id.startswith(start, autoescape=True)
    known = (recording.c.id, recording.c.started_at, call.c.facility_id, call.c.node)
    own = select(*known).join(call, call.c.id == recording.c.call_id)
    return conn.execute(own.where(begins).order_by(recording.c.id).limit(2)).all()


def call_of(conn: Connection, recording_id: str) -> str:
    """The call that it is of."""
    return str(conn.execute(select(recording.c.call_id).where(recording.c.id == recording_id)).scalar_one())


def states_of(conn: Connection, ids: Collection[str]) -> Mapping[str, RecordingState]:
    """How recordings stand, by id; those that there are."""
    listed, found = sorted(ids), {}
    for first in range(0, len(listed), _A_TIME):
        some = recording.c.id.in_(listed[first : first + _A_TIME])
        for row in conn.execute(select(recording.c.id, recording.c.state).where(some)):
            found[row.id] = RecordingState(row.state)
    return found


def there_after_all(conn: Connection, ids: Collection[str]) -> None:
    """Files that were missing are there now, so they are looked at again."""
    missing = (recording.c.id.in_(ids), recording.c.state == RecordingState.MISSING)
    conn.execute(update(recording).where(*missing).values(state=RecordingState.RUNNING))
