"""The nightly look at the disk: every recording is there, whole, as long as its call, and none that must not be.

Each finding is told once, in one alert for those that are found together; `recording.finding` has it until it is over.
Files are read between two transactions, so that no call waits for a disk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Row, exists, literal, or_, select, update

from accounts.db import Database, insert_if_new
from ivr.archive.files import file_hash
from ivr.records import recordings
from ivr.records.alerts import alert, alert_unless_told
from ivr.records.calls import is_privileged
from ivr.records.nodes import of_node
from ivr.records.recordings import Places
from ivr.records.states import Finding, RecordingState
from ivr.records.tables import call, job, recording

NAME: Final = "recording-check"
AT_ONCE: Final = 50
#: Begins at this hour (UTC), the small hours of the contiguous United States.
NIGHT_HOUR: Final = 8
#: A recording begins with the bridge and ends with the hang-up: so much less than the talk is still all of it.
TOLERANCE_MS: Final = 2_000
_NAMED: Final = 5  # in one alert; the others are listed by a command
_DAY = "day:"  # of a place: from there on, folders are looked at


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look has found, and where it goes on."""

    place: str | None
    findings: Mapping[str, Finding | None] = field(default_factory=dict)  # by recording
    unexpected: Sequence[str] = ()  # files
    no_archive: bool = False


def look(database: Database, places: Places, at: datetime) -> Any:
    """Look at the next few recordings, or the next day's folder, where tonight's look is not over; what to note."""
    row = database.read_now(_standing, places.of_this_node(NAME))
    place = row.place if row else None
    if place is None and row is not None and row.ran_at is not None and row.ran_at >= _night(at):
        return lambda _conn, _at: 0
    if not places.archive.is_dir():
        seen = _Seen(None, no_archive=database.read_now(_is_one_kept, places.node))
    elif place is None or not place.startswith(_DAY):
        seen = _look_at_recordings(database, places, place or "", at)
    else:
        seen = _look_at_folder(database, places, place.removeprefix(_DAY))
    return partial(_note, name=places.of_this_node(NAME), seen=seen)


def _is_one_kept(conn: Connection, node: str | None) -> bool:
    kept = recording.c.state == literal(RecordingState.KEPT, literal_execute=True)
    mine = (
        select(recording.c.id).join(call, call.c.id == recording.c.call_id).where(of_node(call.c.node, node))
    )
    return conn.scalar(mine.where(kept).limit(1)) is not None


def _standing(conn: Connection, name: str) -> Row[*tuple[Any, ...]] | None:
    return conn.execute(select(job.c.place, job.c.ran_at).where(job.c.name == name)).one_or_none()


def _night(at: datetime) -> datetime:
    """When the newest night began."""
    tonight = at.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return tonight if tonight <= at else tonight - timedelta(days=1)


def _look_at_recordings(database: Database, places: Places, after: str, at: datetime) -> _Seen:
    rows = database.read_now(_next, after, at, places.node)
    findings = {row.id: _finding(places, row) for row in rows}
    place = rows[-1].id if len(rows) == AT_ONCE else _DAY
    return _Seen(place, {row.id: findings[row.id] for row in rows if findings[row.id] != row.finding})


def _next(conn: Connection, after: str, at: datetime, node: str | None) -> Sequence[Row[Any]]:
    """Recordings of the node's calls that are over, those that nobody has destroyed, in the order of their ids."""
    privileged_now = exists().where(is_privileged(literal(at, call.c.keyed_at.type)))
    rows = (
        select(
            recording,
            call.c.talk_ms.label("call_ms"),
            or_(call.c.privileged.is_(True), privileged_now).label("of_privileged"),
        )
        .join(call, call.c.id == recording.c.call_id)
        .where(
            recording.c.id > after,
            of_node(call.c.node, node),
            recording.c.state.in_((RecordingState.KEPT, RecordingState.EMPTY, RecordingState.MISSING)),
        )
    )
    return conn.execute(rows.order_by(recording.c.id).limit(AT_ONCE)).all()


def _finding(places: Places, row: Row[Any]) -> Finding | None:
    """What is wrong with one; the worst of it."""
    talked = (row.call_ms or 0) > TOLERANCE_MS
    if row.state != RecordingState.KEPT:
        lost = Finding.MISSING if row.state == RecordingState.MISSING else Finding.TOO_SHORT
        return lost if talked else None
    if row.of_privileged and row.sealed_at is None:
        return Finding.PRIVILEGED
    try:
        if file_hash(places.kept_file(row.id, row.started_at)) != row.file_sha256:
            return Finding.CHANGED
    except OSError:
        return Finding.MISSING
    too_short = row.call_ms is not None and row.talk_ms + TOLERANCE_MS < row.call_ms
    return Finding.TOO_SHORT if too_short else None


def _look_at_folder(database: Database, places: Places, after: str) -> _Seen:
    """The next day's folder: files that belong to no kept recording."""
    folders = sorted(path.name for path in places.archive.iterdir() if path.name > after)
    if not folders:
        return _Seen(None)
    folder = places.archive / folders[0]
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    states = database.read_now(recordings.states_of, {Path(name).stem for name in names})
    of_nobody = [name for name in names if not _is_expected(name, states)]
    found = [f"{folder.name}/{name}" for name in of_nobody] if folder.is_dir() else [folder.name]
    return _Seen(f"{_DAY}{folders[0]}", unexpected=found)


def _is_expected(name: str, states: Mapping[str, RecordingState]) -> bool:
    """A kept recording's file, or one that is being written or deleted just now."""
    stands = states.get(Path(name).stem)
    return name.endswith((".enc", ".partial")) and stands is not None and stands != RecordingState.EMPTY


def _note(conn: Connection, at: datetime, *, name: str, seen: _Seen) -> int:
    insert_if_new(conn, job, {"name": name, "did": 0})
    conn.execute(update(job).where(job.c.name == name).values(place=seen.place))
    if seen.no_archive:
        return int(
            alert_unless_told(conn, "recordings not there", "the folder of recordings is not there", at)
        )
    for recording_id, finding in seen.findings.items():
        conn.execute(update(recording).where(recording.c.id == recording_id).values(finding=finding))
    for finding in Finding:
        if found := sorted(each for each, what in seen.findings.items() if what is finding):
            alert(conn, f"recording {finding.replace('_', ' ')}", _told(finding, found), at)
    if must_not := [each for each, what in seen.findings.items() if what is Finding.PRIVILEGED]:
        seal = {"sealed_at": at, "sealed_because": "found by the nightly look at recordings"}
        conn.execute(update(recording).where(recording.c.id.in_(must_not)).values(seal))
    told = [
        alert_unless_told(conn, "recording unexpected", f"{name}: no recording of ours has this file", at)
        for name in seen.unexpected
    ]
    return len(seen.findings) + sum(told)


_SAYS: Final = {
    Finding.MISSING: "the file is missing",
    Finding.CHANGED: "the file is not what was written",
    Finding.TOO_SHORT: "shorter than the call",
    Finding.PRIVILEGED: "of a privileged call; sealed now",
}


def _told(finding: Finding, found: Sequence[str]) -> str:
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    listed = f"`ivr recording list --finding {finding}`"
    return f"{_SAYS[finding]}: {', '.join(found[:_NAMED])}{more} ({listed})"
