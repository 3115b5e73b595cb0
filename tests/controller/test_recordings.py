"""What Asterisk has recorded is kept compressed and encrypted, whatever interrupts that; its key alone opens it."""

import asyncio
import io
import os
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from accounts.db import Database, DatabaseBusy
from ivr import recordings as finishing
from ivr.archive import audio, files
from ivr.archive.cipher import Damaged, RecordingKey, Unreadable, WrongKey
from ivr.recordings import Found, finish
from ivr.records import alerts
from ivr.records.recordings import KeptFile, raw_file, wav_file
from ivr.records.states import RecordingState
from ivr.records.tables import recording
from tests.controller import steps
from tests.controller.kept import (
    LEFT,
    RECORDING_KEY,
    RIGHT,
    finisher_of,
    places_in,
    record_raw,
    recorded,
    row_of,
    samples,
)
from tests.fakes.loop import in_loop
from tests.small_disk import on_a_small_disk
from tests.transcripts.play import NOON, World

ID = "0" * 32


def keep(folder: Path, recording_id: str = ID) -> tuple[Found, KeptFile]:
    """What was found, and the file that it was put into."""
    places = places_in(folder)
    found = finish(places, recording_id, NOON, RECORDING_KEY)
    path = places.kept_file(recording_id, NOON)
    hashes = (found.sha256 or "", found.file_sha256 or "")
    return found, KeptFile(recording_id, path, found.data_key or "", found.key_id or "", *hashes)


# -- one file


def test_both_sides_are_kept_and_nobody_reads_them_without_the_key(tmp_path: Path) -> None:
    record_raw(tmp_path, 12_345, ID)
    old_mask = os.umask(0)
    try:
        found, kept = keep(tmp_path)
    finally:
        os.umask(old_mask)
    assert samples(files.read(kept, RECORDING_KEY)) == [(LEFT, RIGHT)] * 12_345
    assert (found.state, found.talk_ms) == (RecordingState.KEPT, 1_543)
    assert kept.path.parent.name == NOON.date().isoformat()
    assert [path.stat().st_mode & 0o777 for path in (kept.path, kept.path.parent)] == [0o600, 0o700]
    assert [path.name for path in kept.path.parent.iterdir()] == [f"{ID}.enc"]
    assert (found.file_bytes, found.file_sha256) == (
        kept.path.stat().st_size,
        files.file_hash(kept.path),
    )
    assert b"fLaC" not in kept.path.read_bytes()
    with pytest.raises(WrongKey, match=f"wrapped by {RECORDING_KEY.id}"):
        files.read(kept, RecordingKey(b"another key, of the same length."))


@pytest.mark.parametrize("extra", [b"", b"\x01", b"\x01\x02\x03"])
def test_part_of_a_frame_at_the_end_is_left_out(tmp_path: Path, extra: bytes) -> None:
    record_raw(tmp_path, 800, ID, extra=extra)
    found, kept = keep(tmp_path)
    assert (found.talk_ms, len(samples(files.read(kept, RECORDING_KEY)))) == (100, 800)


def test_a_long_recording_is_not_read_at_once(tmp_path: Path) -> None:
    with mock.patch.object(audio, "_CHUNK_BYTES", 1_000):
        record_raw(tmp_path, 8_000, ID)
        found, kept = keep(tmp_path)
        assert found.talk_ms == 1_000
        assert samples(files.read(kept, RECORDING_KEY)) == [(LEFT, RIGHT)] * 8_000


def test_without_sound_nothing_is_kept(tmp_path: Path) -> None:
    assert keep(tmp_path)[0].state == RecordingState.MISSING
    for few in (b"", b"\x01\x02\x03"):
        record_raw(tmp_path, 0, ID, extra=few)
        found, kept = keep(tmp_path)
        assert (found.state, found.data_key, kept.path.exists()) == (RecordingState.EMPTY, None, False)


def test_a_link_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"nobody else's business" * 100)
    raw_file(tmp_path, ID).symlink_to(secret)
    with pytest.raises(OSError, match="symbolic"):
        keep(tmp_path)
    raw_file(tmp_path, ID).unlink()
    record_raw(tmp_path, 800, ID)
    path = places_in(tmp_path).kept_file(ID, NOON)
    path.parent.mkdir(parents=True)
    path.with_suffix(".partial").symlink_to(secret)
    with pytest.raises(OSError, match="symbolic"):
        keep(tmp_path)
    assert secret.read_bytes().startswith(b"nobody")
    assert not path.exists()


def test_a_file_that_was_changed_anywhere_does_not_open(tmp_path: Path) -> None:
    record_raw(tmp_path, 80_000, ID)
    with (
        mock.patch("ivr.archive.cipher._PART_BYTES", 100),
        mock.patch("ivr.archive.cipher._SEALED_BYTES", 117),
    ):
        _, kept = keep(tmp_path)
        whole = kept.path.read_bytes()
        assert len(whole) > 16 + 24 + 3 * 117
        first, second = (slice(40 + 117 * n, 40 + 117 * (n + 1)) for n in (0, 1))
        changed = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 7)]
        changed += [whole[: 40 + 117], whole[:-1], whole + b"\0", whole + whole[second], whole[:20], b""]
        changed += [whole[:40] + whole[second] + whole[first] + whole[40 + 234 :]]
        for other in changed:
            kept.path.write_bytes(other)
            with pytest.raises(Damaged):
                files.read(kept, RECORDING_KEY)
        kept.path.unlink()
        with pytest.raises(Damaged, match="is gone"):
            files.read(kept, RECORDING_KEY)
        kept.path.mkdir()
        with pytest.raises(Unreadable, match="can't be read"):
            files.read(kept, RECORDING_KEY)


def test_one_recordings_file_and_key_are_of_no_use_for_another(tmp_path: Path) -> None:
    for each in (ID, "1" * 32):
        record_raw(tmp_path, 800, each)
    _, one = keep(tmp_path)
    _, other = keep(tmp_path, "1" * 32)
    mixed = KeptFile(one.recording_id, other.path, one.data_key, one.key_id, one.sha256, one.file_sha256)
    with pytest.raises(Damaged, match="another recording's"):
        files.read(mixed, RECORDING_KEY)
    mixed = KeptFile(one.recording_id, other.path, other.data_key, one.key_id, other.sha256, "")
    with pytest.raises(Damaged, match="its key in the database was changed"):
        files.read(mixed, RECORDING_KEY)


ON_A_FULL_DISK = """
import errno, sys
from pathlib import Path
from tests.controller.kept import record_raw
from tests.controller.test_recordings import ID, keep
folder = Path(sys.argv[1])
raw = record_raw(folder, 8_000, ID)
filler = folder / "filler"
try:
    filler.write_bytes(bytes(1 << 20))
except OSError as full:
    assert full.errno == errno.ENOSPC
raw_bytes = raw.read_bytes()
try:
    keep(folder)
except OSError as full:
    assert full.errno == errno.ENOSPC, full
else:
    raise AssertionError("there was room")
assert raw.read_bytes() == raw_bytes
filler.unlink()
assert keep(folder)[0].talk_ms == 1_000
print("kept once there was room")
"""


def test_on_a_full_disk_nothing_is_lost_and_it_is_kept_once_there_is_room(tmp_path: Path) -> None:
    done = on_a_small_disk(tmp_path, "64k", "-c", ON_A_FULL_DISK, str(tmp_path), environment={})
    assert (done.stdout, done.returncode) == ("kept once there was room\n", 0), done.stderr


# -- what interrupts it


class Dies(BaseException):
    """The controller is killed."""


@contextmanager
def killed_at(step: int) -> Iterator[list[str]]:
    """Everything with an effect that lasts is counted, and the one of that number is not done any more."""
    done: list[str] = []

    def counted(name: str, effect: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any, **kwargs: Any) -> Any:
            done.append(name)
            if len(done) == step:
                raise Dies(name)
            return effect(*args, **kwargs)

        return act

    with (
        mock.patch.object(os, "fsync", counted("sync", os.fsync)),
        mock.patch.object(os, "fdopen", counted("open", os.fdopen)),
        mock.patch.object(Path, "replace", counted("rename", Path.replace)),
        mock.patch.object(Path, "unlink", counted("delete", Path.unlink)),
        mock.patch.object(Path, "mkdir", counted("folder", Path.mkdir)),
        mock.patch.object(Database, "transact", counted("transact", Database.transact)),
        mock.patch.object(finishing, "_SETTLING_SECONDS", 0),
    ):
        yield done


@in_loop
async def test_killed_between_any_two_steps_it_loses_nothing_and_leaves_nothing_plain(world: World) -> None:
    folder, finisher = world.node.recordings, finisher_of(world)
    step, died_at = 0, []
    while True:
        step += 1
        recording_id = await recorded(world, 800)
        try:
            with killed_at(step) as done:
                await finisher.finish_all()
                await finisher.clear_up()
        except Dies as at:
            died_at.append(str(at))
            plain = raw_file(folder, recording_id)
            row = row_of(world, recording_id)
            if row.state == RecordingState.RUNNING:
                assert len(plain.read_bytes()) == 800 * 4
            else:
                assert row.state == RecordingState.KEPT
            with mock.patch.object(finishing, "_SETTLING_SECONDS", 0):
                await finisher.finish_all()  # the next start
                await finisher.clear_up()
        row = row_of(world, recording_id)
        kept = KeptFile.of(places_in(folder), row)
        assert samples(files.read(kept, RECORDING_KEY)) == [(LEFT, RIGHT)] * 800
        assert list(folder.glob("*.raw")) == []
        if len(died_at) < step:
            break
    assert {"open", "sync", "rename", "transact", "delete"} <= set(died_at)
    assert step == len(done) + 1
    assert list((folder / "archive").rglob("*.partial")) == []


@in_loop
async def test_a_recording_that_was_kept_plain_is_encrypted_after_the_upgrade(world: World) -> None:
    folder = world.node.recordings
    recording_id = await recorded(world, 800)
    raw = raw_file(folder, recording_id)
    with wave.open(str(wav_file(folder, recording_id)), "wb") as plain:
        plain.setparams((2, 2, 8_000, 0, "NONE", ""))
        plain.writeframes(raw.read_bytes())
    raw.unlink()
    await finisher_of(world).finish_all()
    row = row_of(world, recording_id)
    assert samples(files.read(KeptFile.of(places_in(folder), row), RECORDING_KEY)) == [(LEFT, RIGHT)] * 800
    assert not wav_file(folder, recording_id).exists()


@in_loop
async def test_only_recordings_of_settled_calls_are_finished_and_their_raw_files_go(world: World) -> None:
    talking = await steps.accepted(world, who=steps.crowd(world, 1)[0])
    done = await recorded(world, 16_000)
    gone = await recorded(world, 0)
    raw_file(world.node.recordings, gone).unlink()
    finisher = finisher_of(world)
    await finisher.finish_all()
    await finisher.clear_up()
    row = row_of(world, done)
    assert (row.state, row.talk_ms) == (RecordingState.KEPT, 2_000)
    assert not raw_file(world.node.recordings, done).exists()
    mine = select(recording.c.state).where(recording.c.call_id == talking)
    assert world.database.read_now(lambda conn: conn.scalar(mine)) == RecordingState.RUNNING

    assert row_of(world, gone).state == RecordingState.MISSING
    record_raw(world.node.recordings, 800, gone)  # its disk was away
    await finisher.clear_up()
    await finisher.finish_all()
    assert row_of(world, gone).state == RecordingState.KEPT


@in_loop
async def test_one_that_cant_be_finished_does_not_hold_up_the_others(world: World) -> None:
    bad, good = await recorded(world, 800), await recorded(world, 800)
    raw = raw_file(world.node.recordings, bad)
    raw.unlink()
    raw.symlink_to("/dev/zero")
    with capture_logs() as told:
        await finisher_of(world).finish_all()
        await finisher_of(world).finish_all()
    of_it = [each["recording"] for each in told if each["event"] == "recording not finished"]
    assert of_it == [bad, bad]
    [alert] = world.database.read_now(alerts.open_alerts)
    assert alert.text.startswith(
        "what Asterisk has recorded can't be kept: Too many levels of symbolic links"
    )
    assert row_of(world, bad).state == RecordingState.RUNNING
    assert row_of(world, good).state == RecordingState.KEPT


@in_loop
async def test_it_works_on_when_the_database_was_away(world: World) -> None:
    failed, finished = asyncio.Event(), asyncio.Event()
    finisher = finisher_of(world)
    done = await recorded(world, 800)
    clear_up, finish_all = finisher.clear_up, finisher.finish_all

    async def fails_once() -> None:
        if not failed.is_set():
            failed.set()
            raise DatabaseBusy("somebody else writes")
        await finish_all()

    async def clears_up() -> None:
        await clear_up()
        finished.set()

    with (
        mock.patch.object(finisher, "finish_all", fails_once),
        mock.patch.object(finisher, "clear_up", clears_up),
        mock.patch.object(finishing, "_SETTLING_SECONDS", 0),
        mock.patch.object(finishing, "_SWEEP_SECONDS", 0.01),
    ):
        running = asyncio.create_task(finisher.run())
        await finished.wait()
        running.cancel()
    assert row_of(world, done).state == RecordingState.KEPT


@in_loop
async def test_the_database_refuses_a_destroyed_recording_that_has_a_key_left(world: World) -> None:
    done = await recorded(world, 800)
    await finisher_of(world).finish_all()
    this = update(recording).where(recording.c.id == done).values(state=RecordingState.DESTROYED)
    with pytest.raises(Exception, match="destroyed_with_its_key"):
        world.database.transact_now(lambda conn: conn.execute(this))


def test_what_is_written_as_wav_needs_no_place_to_seek(tmp_path: Path) -> None:
    record_raw(tmp_path, 800, ID)
    _, kept = keep(tmp_path)
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        audio.write_wav(files.read(kept, RECORDING_KEY), pipe)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    with wave.open(io.BytesIO(content)) as sound:
        assert sound.getnframes() == 800


@in_loop
async def test_a_disk_that_gives_back_something_else_keeps_no_other_recording_from_being_kept(
    world: World,
) -> None:
    bad = await recorded(world, 8_000)
    good = await recorded(world, 8_000)
    real = files._decrypt

    def gives_back(path: Path, data_key: bytes) -> bytes:
        if bad in path.name:
            raise Damaged("the file was changed")
        return real(path, data_key)

    with mock.patch.object(files, "_decrypt", gives_back):
        await finisher_of(world).finish_all()
    assert (row_of(world, bad).state, row_of(world, good).state) == ("running", "kept")
    assert raw_file(world.node.recordings, bad).exists()
    [told] = world.database.read_now(alerts.open_alerts)
    assert "does not open again" in told.text
    await finisher_of(world).finish_all()
    assert row_of(world, bad).state == "kept"
