"""Turns what Asterisk has recorded into a stereo WAV once the call is over, and notes what was found."""

import asyncio
import os
import wave
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from accounts.db import Database
from ivr.records import recordings
from ivr.records.states import RecordingState

log = structlog.get_logger(__name__)

SAMPLES_A_SECOND = 8_000
_FRAME_BYTES = 4  # two channels of 16 bits: what the called party said, what they heard
_SETTLING_SECONDS = 1.0  # Asterisk writes the last frames after the hang-up
_SWEEP_SECONDS = 30.0
_CHUNK_BYTES = 1 << 20
_AT_ONCE = 20  # are finished and noted together


class Finisher:
    """Finishes the recordings of settled calls, whenever it is woken and every half minute."""

    def __init__(self, database: Database, folder: Path, wake: asyncio.Event) -> None:
        self._database = database
        self._folder = folder
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
            except Exception:  # whatever it was, calls go on
                log.exception("recordings not finished")

    async def finish_all(self) -> None:
        """Finish every recording whose call is settled now, once Asterisk has had time to close it."""
        ended = await self._database.read(recordings.running_of_sealed_calls)
        await asyncio.sleep(_SETTLING_SECONDS)
        for first in range(0, len(ended), _AT_ONCE):
            found = await asyncio.to_thread(self._finish_each, ended[first : first + _AT_ONCE])
            await self._database.transact(_note, found)

    def _finish_each(self, ended: Sequence[tuple[str, bool]]) -> dict[str, "Found"]:
        """What became of each; one that can't be finished is left out, to be tried again."""
        found = {}
        for recording_id, is_sealed in ended:
            try:
                if is_sealed:
                    recordings.put_away(self._folder, recording_id)
                folder = recordings.sealed_folder(self._folder) if is_sealed else self._folder
                found[recording_id] = finish(folder, recording_id)
            except OSError as error:
                log.error("recording not finished", recording=recording_id, error=str(error))
        return found


class Found:
    """What a recording turned out to be."""

    __slots__ = ("sha256", "state", "talk_ms")

    def __init__(self, state: RecordingState, talk_ms: int | None = None, digest: str | None = None) -> None:
        self.state, self.talk_ms, self.sha256 = state, talk_ms, digest


def finish(folder: Path, recording_id: str) -> Found:
    """Make the WAV from the raw file, readable by the owner only; what was there, and its hash.

    The raw file goes as soon as the WAV is whole: who was interrupted then finds the WAV alone the next time. Raises
    OSError where a file can't be read or written, or is a link to another.
    """
    raw, wav = recordings.raw_file(folder, recording_id), recordings.wav_file(folder, recording_id)
    try:
        source = os.fdopen(os.open(raw, os.O_RDONLY | os.O_NOFOLLOW), "rb")
    except FileNotFoundError:
        return _found(wav) if wav.exists() else Found(RecordingState.MISSING)
    with source:
        frames = os.fstat(source.fileno()).st_size // _FRAME_BYTES
        if frames:
            partial = wav.with_suffix(".partial")
            _write_wav(partial, source, frames)
            partial.replace(wav)
    raw.unlink()
    return _found(wav) if frames else Found(RecordingState.EMPTY, 0)


def _found(wav: Path) -> Found:
    with wave.open(str(wav)) as kept:
        talk_ms = kept.getnframes() * 1000 // SAMPLES_A_SECOND
    return Found(RecordingState.KEPT, talk_ms, _digest(wav))


def _write_wav(path: Path, source: BinaryIO, frames: int) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as target, wave.open(target, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(SAMPLES_A_SECOND)
        out.setnframes(frames)
        while chunk := source.read(_CHUNK_BYTES):
            out.writeframesraw(chunk[: len(chunk) // _FRAME_BYTES * _FRAME_BYTES])


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _note(conn: Any, found: Mapping[str, Found]) -> None:
    for recording_id, each in found.items():
        recordings.finish(conn, recording_id, each.state, talk_ms=each.talk_ms, sha256=each.sha256)
