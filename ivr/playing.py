"""The audio of one recording for who has a reason: the reason is on record before anything is opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from accounts.db import Database
from ivr import cdr
from ivr.archive import export, files
from ivr.archive.cipher import Damaged, RecordingKey
from ivr.asking import perform
from ivr.clock import utc_now
from ivr.config import Settings
from ivr.instance import keyring_of, places_of
from ivr.login import who_asks
from ivr.records import recordings, sealing
from ivr.records.nodes import FIRST
from ivr.records.recordings import KeptFile
from ivr.staff.desk import StaffError
from ivr.staff.signing import find, sign


@dataclass(frozen=True, slots=True)
class Reason:
    """Who wants it, and why."""

    author: str
    note: str
    facility_id: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A recording's audio as FLAC, what it was kept as, and its call's record."""

    flac: bytes
    kept: KeptFile
    record: Mapping[str, object]


def whole_id(settings: Settings, start: str, facility_id: str | None = None) -> tuple[str, str]:
    """The one recording whose id begins so, and its facility; raises StaffError where that is not one."""
    row = _the_one(settings, start)
    return row.id, facility_id or row.facility_id


def _the_one(settings: Settings, start: str) -> Any:
    with Database.open(settings.url) as database:
        found = database.read_now(recordings.whole_ids, start.lower())
    if len(found) != 1:
        raise StaffError(f"{'more than one' if found else 'no'} recording begins with {start}")
    return found[0]


def _require_here(settings: Settings, row: Any) -> None:
    """A recording of another node's call is on its disk; it is not missing because it is not on ours."""
    node, here = row.node or FIRST, settings.own_node
    if here not in (None, node) and not places_of(settings).kept_file(row.id, row.started_at).exists():
        raise StaffError(f"recording {row.id} is kept on node {node}: give the command there")


def open_recording(settings: Settings, start: str, change: str, reason: Reason) -> Opened:
    """Open a recording by its id or the beginning of it, once `change` is written down.

    Raises StaffError for one that may not be opened, Unreadable for one that can't be; of a damaged one an alert
    remains.
    """
    row = _the_one(settings, start)
    _require_here(settings, row)
    recording_id, facility_id = row.id, reason.facility_id or row.facility_id
    who = {"author": reason.author, "note": reason.note, "facility_id": facility_id}
    perform(settings, change, **who, recording_id=recording_id)
    with Database.open(settings.url) as database:
        kept = database.read_now(sealing.file_to_play, places_of(settings), recording_id)
        call_id = database.read_now(recordings.call_of, recording_id)
        record = database.read_now(cdr.whole, call_id)
    assert record is not None
    try:
        return Opened(files.read(kept, RecordingKey(keyring_of(settings).recording_key)), kept, record)
    except Damaged as damaged:
        perform(settings, "recording damaged", **who, recording_id=recording_id, why=str(damaged))
        raise


def export_recording(settings: Settings, start: str, reason: Reason, target: BinaryIO) -> str:
    """Write a recording with its call's record and a signed manifest; its id. Raises as `open_recording` does."""
    opened = open_recording(settings, start, "recording export", reason)
    record = opened.record
    about = {
        "recording": opened.kept.recording_id,
        "call": record["id"],
        "facility": record["facility_id"],
        "sha256": opened.kept.sha256,
        "exported_at": utc_now().isoformat(timespec="seconds"),
        "exported_by": _signed_by(settings, reason.author),
        "reason": reason.note,
    }
    export.write(target, opened.flac, record, about, keyring_of(settings).signing_key)
    return opened.kept.recording_id


def _signed_by(settings: Settings, claimed: str) -> str:
    """The operator who asks, as the audit log has them."""
    who = who_asks()
    with Database.open(settings.url) as database:
        return sign(database.read_now(find, who), who, claimed).author


def own_public_key(settings: Settings) -> str | None:
    """What proves this instance's exports; None where there is no instance here."""
    if not (settings.state_dir / "secrets" / "signing_key").exists():
        return None
    return export.public_key(keyring_of(settings).signing_key)


def proved(settings: Settings, path: Path, public: str | None) -> Mapping[str, object]:
    """The manifest of an export, proved by a public key, or else by this instance's own.

    Raises ExportError for one that is not what was given out, StaffError without any key.
    """
    key = public or own_public_key(settings)
    if key is None:
        raise StaffError("--key: expected the public key, since there is no instance here that has one")
    return export.verify(path, key)
