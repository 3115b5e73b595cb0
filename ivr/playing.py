"""The audio of one recording for who has a reason: the reason is on record before anything is opened."""

from dataclasses import dataclass

from accounts.db import Database
from ivr.archive import files
from ivr.archive.cipher import Damaged, RecordingKey
from ivr.config import Settings
from ivr.instance import keyring_of, places_of
from ivr.records import recordings, sealing
from ivr.records.recordings import KeptFile
from ivr.staff.changes import perform
from ivr.staff.desk import StaffError


@dataclass(frozen=True, slots=True)
class Reason:
    """Who wants it, and why."""

    author: str
    note: str
    facility_id: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A recording's audio as FLAC, and what it was kept as."""

    flac: bytes
    kept: KeptFile


def whole_id(settings: Settings, start: str, facility_id: str | None = None) -> tuple[str, str]:
    """The one recording whose id begins so, and its facility; raises StaffError where that is not one."""
    with Database.open(settings.url) as database:
        found = database.read_now(recordings.whole_ids, start.lower())
    if len(found) != 1:
        raise StaffError(f"{'more than one' if found else 'no'} recording begins with {start}")
    return found[0].id, facility_id or found[0].facility_id


def open_recording(settings: Settings, start: str, change: str, reason: Reason) -> Opened:
    """Open a recording by its id or the beginning of it, once `change` is written down.

    Raises StaffError for one that may not be opened, Unreadable for one that can't be; of a damaged one an alert
    remains.
    """
    recording_id, facility_id = whole_id(settings, start, reason.facility_id)
    who = {"author": reason.author, "note": reason.note, "facility_id": facility_id}
    perform(settings, change, **who, recording_id=recording_id)
    with Database.open(settings.url) as database:
        kept = database.read_now(sealing.file_to_play, places_of(settings), recording_id)
    try:
        return Opened(files.read(kept, RecordingKey(keyring_of(settings).recording_key)), kept)
    except Damaged as damaged:
        perform(settings, "recording damaged", **who, recording_id=recording_id, why=str(damaged))
        raise
