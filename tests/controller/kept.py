"""Recordings of settled calls, as Asterisk leaves them and as they are kept."""

import io
import struct
import wave
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Row, select

from ivr.archive import audio
from ivr.archive.cipher import RecordingKey
from ivr.controls.settlement import Ending, settle_call
from ivr.policy.reasons import Outcome
from ivr.policy.talk import Evidence, Kind
from ivr.recordings import Finisher
from ivr.records.recordings import Places, raw_file
from ivr.records.tables import recording
from tests.controller import steps
from tests.transcripts.play import World

LEFT, RIGHT = 1_000, -2_000  # what the called party said, what they heard
RECORDING_KEY = RecordingKey(bytes(range(32)))


def places_in(folder: Path) -> Places:
    """A spool and an archive."""
    return Places(folder, folder / "archive")


def finisher_of(world: World, places: Places | None = None, key: RecordingKey = RECORDING_KEY) -> Finisher:
    """The one that keeps what the world's calls have recorded."""
    at = places or places_in(world.node.recordings)
    return Finisher(world.database, at, key, world.node.settled, lambda: world.at)


def record_raw(folder: Path, frames: int, recording_id: str, extra: bytes = b"") -> Path:
    """What Asterisk has written of so many frames."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = raw_file(folder, recording_id)
    raw.write_bytes(struct.pack("<hh", LEFT, RIGHT) * frames + extra)
    return raw


async def recorded(
    world: World, frames: int, folder: Path | None = None, who: str = steps.ALEX, talk_seconds: int = 0
) -> str:
    """A settled call whose recording lies there; the recording's id."""
    call_id = await steps.accepted(world, who=who)
    began, over = world.at, world.at + timedelta(seconds=talk_seconds)
    seen = [Evidence(Kind.TALK_FROM, began), Evidence(Kind.TALK_TO, over, cause=16)] if talk_seconds else []
    await settle_call(world.node, call_id, Ending(Outcome.SYSTEM_FAULT), seen=seen)
    mine = select(recording.c.id).where(recording.c.call_id == call_id)
    recording_id = str(world.database.read_now(lambda conn: conn.scalar(mine)))
    record_raw(folder or world.node.recordings, frames, recording_id)
    return recording_id


def row_of(world: World, recording_id: str) -> Row[tuple[object, ...]]:
    """Its row."""
    mine = select(recording).where(recording.c.id == recording_id)
    return world.database.read_now(lambda conn: conn.execute(mine).one())


def samples(flac: bytes) -> list[tuple[int, ...]]:
    """What is heard, frame by frame: left, right."""
    wav = io.BytesIO()
    audio.write_wav(flac, wav)
    with wave.open(io.BytesIO(wav.getvalue())) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (2, 2, 8_000)
        return list(struct.iter_unpack("<hh", sound.readframes(sound.getnframes())))
