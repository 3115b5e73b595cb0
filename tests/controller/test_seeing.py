"""A talk that must be recorded and is not is noticed, told, and ended where the facility wants that."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
from sqlalchemy import Connection, update

from ivr import seeing
from ivr.controls.settlement import Ending, settle_call
from ivr.facility.tables import facility
from ivr.live import LiveCall
from ivr.policy.dropped import DroppedBy
from ivr.policy.reasons import Cutoff, Outcome
from ivr.policy.recording import Unrecorded
from ivr.policy.talk import Evidence, Kind
from ivr.records import alerts, recordings
from ivr.records.recordings import raw_file
from ivr.records.tables import recording
from ivr.seeing import see_recorded
from tests.controller import steps
from tests.fakes.loop import in_loop
from tests.transcripts.play import World

STEP = 0.1
SECOND = b"\1\0\1\0" * 8_000


class Asterisk:
    """Which talks were ended, and what both heard."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    async def redirect_both(self, *words: str, other_extension: str | None = None) -> None:
        self.ended.append(words[-1])


@asynccontextmanager
async def talking(world: World, asterisk: Asterisk) -> AsyncIterator[tuple[str, Path, LiveCall]]:
    """A talk whose recording is followed, a tenth of a second for each look; its end is known at the end."""
    call_id = await steps.accepted(world)
    live = world.node.live.get(call_id)
    assert live is not None
    live.called_channel, live.talking = "PJSIP/carrier-1", True
    running = world.database.read_now(recordings.running_of, call_id)
    assert running is not None
    raw = raw_file(world.node.recordings, running.recording_id)
    with (
        mock.patch.object(seeing, "FIRST_SECONDS", STEP / 4),
        mock.patch.object(seeing, "SECOND_SECONDS", STEP),
        mock.patch.object(seeing, "EVERY_SECONDS", STEP),
        mock.patch.object(seeing, "END_KNOWN_SECONDS", STEP / 4),
    ):
        raw.write_bytes(SECOND)
        watching = asyncio.create_task(see_recorded(world.node, asterisk, live))  # type: ignore[arg-type]
        yield call_id, raw, live
        live.talk_ended.set()
        await watching


def told(world: World) -> list[str]:
    return [each.text for each in world.database.read_now(alerts.open_alerts)]


def no_space(raw: Path) -> None:
    """What was written is all that there is room for."""


def no_file(raw: Path) -> None:
    raw.unlink()


def no_right(raw: Path) -> None:
    raw.unlink()
    raw.mkdir()


def link(raw: Path) -> None:
    raw.unlink()
    raw.symlink_to("/dev/full")


@contextmanager
def growing() -> Iterator[threading.Semaphore]:
    """Until the block ends, the file grows before each look at it; each look is counted."""
    looks, size = threading.Semaphore(0), seeing._size

    def grown(raw: Path) -> int | None:
        with raw.open("ab") as file:
            file.write(SECOND)
        looks.release()
        return size(raw)

    with mock.patch.object(seeing, "_size", grown):
        yield looks


async def seen(looks: threading.Semaphore, times: int) -> None:
    for _ in range(times):
        await asyncio.to_thread(looks.acquire)


@pytest.mark.parametrize("fails", [no_space, no_file, no_right, link])
@pytest.mark.parametrize("wish", list(Unrecorded))
@in_loop
async def test_nothing_written_ends_the_talk_or_is_told_as_the_facility_wants(
    world: World, fails: Callable[[Path], None], wish: Unrecorded
) -> None:
    chosen = update(facility).values(when_unrecorded=wish)
    world.database.transact_now(Connection.execute, chosen)
    asterisk, ends = Asterisk(), wish is Unrecorded.END
    async with talking(world, asterisk) as (call_id, raw, live):
        fails(raw)
        for _ in range(200):
            if told(world):
                break
            await asyncio.sleep(STEP / 4)
    [text] = told(world)
    assert text.startswith(f"call {call_id} must be recorded and is not")
    assert asterisk.ended == ([f"ended.{Cutoff.UNRECORDED}"] if ends else [])
    seen = [
        Evidence(Kind.TALK_FROM, world.at),
        Evidence(Kind.TALK_TO, world.at + timedelta(seconds=3), cause=16),
    ]
    await settle_call(world.node, call_id, Ending(Outcome.SYSTEM_FAULT, fault=live.fault), seen=seen)
    row = steps.record(world, call_id)
    assert row.not_recorded == "failed"
    if ends:
        assert (row.reason, row.cut_off_by, row.ended_by) == ("limit_reached", "unrecorded", "system")
        assert (row.dropped_by, row.given_back, row.charge) == (DroppedBy.US, True, 0)
    else:
        assert (row.reason, row.cut_off_by, row.dropped_by) == ("completed", None, None)
        assert row.charge > 0
    steps.assert_books_are_right(world)


@in_loop
async def test_a_recording_that_grows_to_the_hang_up_is_left_alone(world: World) -> None:
    asterisk = Asterisk()
    async with talking(world, asterisk) as (_, _, live):
        with growing() as looks:
            await seen(looks, 6)
            live.hangs_up("inmate")
        await asyncio.sleep(3 * STEP)  # from now on nothing is written
    assert (asterisk.ended, told(world)) == ([], [])


@in_loop
async def test_one_that_has_stopped_since_its_number_became_privileged_is_left_alone(world: World) -> None:
    asterisk = Asterisk()
    async with talking(world, asterisk) as (_, raw, _):
        with growing() as looks:
            await seen(looks, 2)
            sealed = update(recording).values(sealed_at=world.at)  # it has become privileged
            world.database.transact_now(Connection.execute, sealed)
        raw.unlink()
        await asyncio.sleep(4 * STEP)
    assert (asterisk.ended, told(world)) == ([], [])
