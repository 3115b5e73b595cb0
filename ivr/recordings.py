"""Keeps what Asterisk has recorded once the call is over: compressed, encrypted, and plain on the disk no longer.

The order is the promise. The encrypted file is whole, synced and seen to open before its row says that it is kept, and
the plain file goes after that row stands: whoever is interrupted between any two steps does them again.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from accounts.db import Database
from ivr.archive import audio, files
from ivr.archive.cipher import RecordingKey
from ivr.records import recordings, sealing
from ivr.records.alerts import alert_once
from ivr.records.recordings import Places
from ivr.records.states import RecordingState

log = structlog.get_logger(__name__)

_SETTLING_SECONDS = 1.0  # Asterisk writes the last frames after the hang-up
_SWEEP_SECONDS = 30.0
_AT_ONCE = 20  # are finished and noted together
#: Of what stands so, nothing plain is needed any more.
_DONE_WITH = (RecordingState.KEPT, RecordingState.EMPTY, RecordingState.DESTROYED)


class Finisher:
    """Finishes the recordings of settled calls, whenever it is woken and every half minute."""

    def __init__(
        self,
        database: Database,
        places: Places,
        key: RecordingKey,
        wake: asyncio.Event,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._now = now
        self._places = places
        self._key = key
        self._wake = wake

    async def run(self) -> None:
        """Work until cancelled; a recording that can't be finished is tried again."""
        while True:
            try:
                async with asyncio.timeout(_SWEEP_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self.finish_all()
                await self.clear_up()
            except Exception:  # whatever it was, calls go on
                log.exception("recordings not finished")

    async def finish_all(self) -> None:
        """Finish every recording whose call is settled now, once Asterisk has had time to close it."""
        ended = await self._database.read(recordings.running_of_sealed_calls, self._places.node)
        await asyncio.sleep(_SETTLING_SECONDS)
        for first in range(0, len(ended), _AT_ONCE):
            found, failed = await asyncio.to_thread(self._finish_each, ended[first : first + _AT_ONCE])
            await self._database.transact(_note, found, failed, self._now())
            await asyncio.to_thread(self._remove_plain, found)

    async def clear_up(self) -> None:
        """What an interruption left: plain files of recordings that are done with, and all files of destroyed ones."""
        for row in await self._database.read(recordings.to_erase, self._places.node):
            await asyncio.to_thread(self._erase, row)
            await self._database.transact(sealing.was_put_away, row.id, self._now())
        plain = await asyncio.to_thread(_plain_ids, self._places.spool)
        if plain:
            states = await self._database.read(recordings.states_of, plain)
            await asyncio.to_thread(
                self._remove_plain, [each for each in states if states[each] in _DONE_WITH]
            )
            if missed := [each for each in states if states[each] is RecordingState.MISSING]:
                await self._database.transact(recordings.there_after_all, missed)

    def _finish_each(self, ended: Sequence[Row[Any]]) -> tuple[dict[str, "Found"], set[str]]:
        """What became of each; one that can't be finished is left out, to be tried again, and why that is."""
        found, failed = {}, set()
        for row in ended:
            try:
                found[row.id] = finish(self._places, row.id, row.started_at, self._key)
            except (OSError, RuntimeError) as error:  # libsndfile's own errors are RuntimeErrors
                log.error("recording not finished", recording=row.id, error=str(error))
                failed.add(getattr(error, "strerror", None) or str(error))
        return found, failed

    def _remove_plain(self, ids: Iterable[str]) -> None:
        for recording_id in ids:
            for path in self._places.plain_files(recording_id):
                path.unlink(missing_ok=True)

    def _erase(self, row: Row[Any]) -> None:
        """The log is the manifest of what was destroyed."""
        self._remove_plain([row.id])
        self._places.kept_file(row.id, row.started_at).unlink(missing_ok=True)
        log.warning("recording destroyed", recording=row.id, call_id=row.call_id, sha256=row.sha256)


@dataclass(frozen=True, slots=True)
class Found:
    """What a recording turned out to be, as its row has it."""

    state: RecordingState
    talk_ms: int | None = None
    sha256: str | None = None
    file_sha256: str | None = None
    file_bytes: int | None = None
    data_key: str | None = None
    key_id: str | None = None


def finish(places: Places, recording_id: str, started_at: datetime, key: RecordingKey) -> Found:
    """Keep what was recorded as an encrypted file, and say what that is; the plain file is left for the caller.

    Raises OSError where a file can't be read or written, or is a link to another.
    """
    plain = next((path for path in places.plain_files(recording_id) if os.path.lexists(path)), None)
    if plain is None:
        return Found(RecordingState.MISSING)
    flac, frames = audio.compress(_frames(plain))
    if not frames:
        return Found(RecordingState.EMPTY, 0)
    written = files.write(places.kept_file(recording_id, started_at), flac, recording_id, key)
    return Found(RecordingState.KEPT, audio.talk_ms(frames), **asdict(written))


def _frames(path: Path) -> Iterator[bytes]:
    """The frames of a raw file, or of a WAV as recordings were kept before they were encrypted."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as source:
        yield from (audio.wav_frames if path.suffix == ".wav" else audio.raw_frames)(source)


def _plain_ids(spool: Path) -> set[str]:
    """The ids of recordings of which something plain lies there."""
    folders = (spool, recordings.sealed_folder(spool))
    return {path.stem for folder in folders for path in folder.glob("*.[rw]a[wv]")}


def _note(conn: Connection, found: Mapping[str, Found], failed: Iterable[str], at: datetime) -> None:
    for recording_id, each in found.items():
        recordings.finish(conn, recording_id, asdict(each))
    for why in failed:
        told = f"what Asterisk has recorded can't be kept: {why}; it stays in the spool, and is tried again"
        alert_once(conn, "recording not kept", told, at)
