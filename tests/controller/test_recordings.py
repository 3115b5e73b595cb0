"""A raw recording becomes a stereo WAV for its owner alone, whatever state the file is in."""

import asyncio
import hashlib
import os
import struct
import wave
from pathlib import Path
from unittest import mock

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from accounts.db import DatabaseBusy
from ivr import recordings as finishing
from ivr.controls.settlement import Ending, settle_call
from ivr.policy.reasons import Outcome
from ivr.recordings import Finisher, finish
from ivr.records.recordings import raw_file, wav_file
from ivr.records.states import RecordingState
from ivr.records.tables import recording
from tests.controller import steps
from tests.fakes.loop import in_loop
from tests.transcripts.play import World

ID = "0" * 32
LEFT, RIGHT = 1_000, -2_000  # what the called party said, what they heard


def record_raw(folder: Path, frames: int, recording_id: str = ID, extra: bytes = b"") -> Path:
    raw = raw_file(folder, recording_id)
    raw.write_bytes(struct.pack("<hh", LEFT, RIGHT) * frames + extra)
    return raw


def test_both_sides_are_in_the_wav_and_nobody_else_reads_it(tmp_path: Path) -> None:
    record_raw(tmp_path, 12_345)
    old_mask = os.umask(0)
    try:
        found = finish(tmp_path, ID)
    finally:
        os.umask(old_mask)
    path = wav_file(tmp_path, ID)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8_000)
        assert file.getnframes() == 12_345
        assert set(struct.iter_unpack("<hh", file.readframes(12_345))) == {(LEFT, RIGHT)}
    assert path.stat().st_mode & 0o777 == 0o600
    assert (found.state, found.talk_ms) == (RecordingState.KEPT, 1_543)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sorted(each.name for each in tmp_path.iterdir()) == [f"{ID}.wav"]


@pytest.mark.parametrize("extra", [b"", b"\x01", b"\x01\x02\x03"])
def test_part_of_a_frame_at_the_end_is_left_out(tmp_path: Path, extra: bytes) -> None:
    record_raw(tmp_path, 800, extra=extra)
    assert finish(tmp_path, ID).talk_ms == 100
    with wave.open(str(wav_file(tmp_path, ID))) as file:
        assert file.getnframes() == 800


def test_a_long_recording_is_not_read_at_once(tmp_path: Path) -> None:
    with mock.patch.object(finishing, "_CHUNK_BYTES", 1_000):
        record_raw(tmp_path, 8_000)
        assert finish(tmp_path, ID).talk_ms == 1_000


def test_without_sound_there_is_no_wav(tmp_path: Path) -> None:
    assert finish(tmp_path, ID).state == RecordingState.MISSING
    for few in (b"", b"\x01\x02\x03"):
        record_raw(tmp_path, 0, extra=few)
        assert finish(tmp_path, ID).state == RecordingState.EMPTY
    assert not wav_file(tmp_path, ID).exists()


def test_a_link_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"nobody else's business" * 100)
    raw_file(tmp_path, ID).symlink_to(secret)
    with pytest.raises(OSError, match="symbolic"):
        finish(tmp_path, ID)
    raw_file(tmp_path, ID).unlink()
    record_raw(tmp_path, 800)
    wav_file(tmp_path, ID).with_suffix(".partial").symlink_to(secret)
    with pytest.raises(OSError, match="symbolic"):
        finish(tmp_path, ID)
    assert secret.read_bytes().startswith(b"nobody")
    assert not wav_file(tmp_path, ID).exists()


def test_who_was_interrupted_after_the_wav_was_whole_finds_it_the_next_time(tmp_path: Path) -> None:
    record_raw(tmp_path, 800)
    first = finish(tmp_path, ID)
    again = finish(tmp_path, ID)
    assert (again.state, again.talk_ms, again.sha256) == (RecordingState.KEPT, first.talk_ms, first.sha256)


def test_an_attempt_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    record_raw(tmp_path, 800)
    wav_file(tmp_path, ID).with_suffix(".partial").write_bytes(b"RIFF" * 10_000)
    wav_file(tmp_path, ID).write_bytes(b"half")
    assert finish(tmp_path, ID).state == RecordingState.KEPT
    with wave.open(str(wav_file(tmp_path, ID))) as file:
        assert file.getnframes() == 800


async def recorded(world: World, frames: int) -> str:
    """A settled call whose recording lies there; the recording's id."""
    call_id = await steps.accepted(world)
    await settle_call(world.node, call_id, Ending(Outcome.SYSTEM_FAULT))
    mine = select(recording.c.id).where(recording.c.call_id == call_id)
    recording_id = str(world.database.read_now(lambda conn: conn.scalar(mine)))
    record_raw(world.node.recordings, frames, recording_id)
    return recording_id


def state_of(world: World, recording_id: str) -> tuple[str, int | None]:
    mine = select(recording.c.state, recording.c.talk_ms).where(recording.c.id == recording_id)
    state, talk_ms = world.database.read_now(lambda conn: conn.execute(mine).one())
    return state, talk_ms


@in_loop
async def test_only_recordings_of_settled_calls_are_finished_and_their_raw_files_go(world: World) -> None:
    finisher = Finisher(world.database, world.node.recordings, world.node.settled)
    talking = await steps.accepted(world, who=steps.crowd(world, 1)[0])
    done = await recorded(world, 16_000)
    await finisher.finish_all()
    assert state_of(world, done) == (RecordingState.KEPT, 2_000)
    assert not raw_file(world.node.recordings, done).exists()
    assert wav_file(world.node.recordings, done).exists()
    mine = select(recording.c.state).where(recording.c.call_id == talking)
    assert world.database.read_now(lambda conn: conn.scalar(mine)) == RecordingState.RUNNING


@in_loop
async def test_one_that_cant_be_finished_does_not_hold_up_the_others(world: World) -> None:
    finisher = Finisher(world.database, world.node.recordings, world.node.settled)
    bad, good = await recorded(world, 800), await recorded(world, 800)
    raw = raw_file(world.node.recordings, bad)
    raw.unlink()
    raw.symlink_to("/dev/zero")
    with capture_logs() as told:
        await finisher.finish_all()
    assert [(each["event"], each["recording"]) for each in told] == [("recording not finished", bad)]
    assert state_of(world, bad) == (RecordingState.RUNNING, None)
    assert state_of(world, good) == (RecordingState.KEPT, 100)


@in_loop
async def test_it_works_on_when_the_database_was_away(world: World) -> None:
    wake, failed, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()
    finisher = Finisher(world.database, world.node.recordings, wake)
    done = await recorded(world, 800)
    finish_all = finisher.finish_all

    async def fails_once() -> None:
        if not failed.is_set():
            failed.set()
            raise DatabaseBusy("somebody else writes")
        await finish_all()
        finished.set()

    with (
        mock.patch.object(finisher, "finish_all", fails_once),
        mock.patch.object(finishing, "_SETTLING_SECONDS", 0),
        mock.patch.object(finishing, "_SWEEP_SECONDS", 0.01),
    ):
        running = asyncio.create_task(finisher.run())
        await finished.wait()
        running.cancel()
    assert state_of(world, done)[0] == RecordingState.KEPT
