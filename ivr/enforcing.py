"""What staff have changed holds for calls in progress too: whatever may not go on is ended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Row

from ivr.ami import AmiDown, AmiError, AmiTimeout
from ivr.ami.client import AmiClient
from ivr.controls.node import Node
from ivr.farewell import end_ringing, say_farewell
from ivr.policy.reasons import Outcome
from ivr.records import calls, recordings, sealing

log = structlog.get_logger(__name__)

_AGAIN_SECONDS = 1.0  # until what Asterisk could not be told is tried again


async def seal_recordings(node: Node, ami: AmiClient) -> None:
    """A number has become privileged: recordings of calls to it stop, and their files are put away."""
    found = await node.database.read(sealing.to_put_away, node.own)
    failed: AmiError | None = None
    for row in found:
        if row.call_sealed_at is None:
            live = node.live.get(row.of_call)
            if live is None or live.called_channel is None:
                continue  # another node's, or not found again yet after a start
            try:
                await unless_gone(ami.stop_mix_monitor(live.called_channel), live.called_channel)
            except AmiError as error:
                failed = error
                continue
        await asyncio.to_thread(_put_away, node.recordings, row)
        await node.database.transact(sealing.was_put_away, row.id, node.now())
    if failed is not None:
        _again(node)
        raise failed


async def end_announcements(node: Node, ami: AmiClient) -> None:
    """A number has become privileged: nothing more is said into talks with it, but for what is being said."""
    for call_id in await node.database.read(sealing.said_into):
        live = node.live.get(call_id)
        if live is None or live.called_channel is None:
            continue
        try:
            await unless_gone(ami.set_variable(live.called_channel, "OVERLAY", ""), live.called_channel)
        except AmiError:
            _again(node)
            raise


async def end_cut_calls(node: Node, ami: AmiClient) -> None:
    """Staff have cut a call off: both hear so and are hung up; one that only rings is told by its own dialogue."""
    for call_id in await node.database.read(calls.cut_ones):
        live = node.live.get(call_id)
        if live is None:
            continue  # another node's, or in a dialogue that goes no further
        if live.talking:
            await say_farewell(ami, live, Outcome.CUT_OFF)
        else:
            await end_ringing(ami, live, await ami.channels())


async def unless_gone(done: Awaitable[None], channel: str) -> None:
    """Where the channel is gone, or has nothing to stop, it has been stopped already."""
    try:
        await done
    except (AmiDown, AmiTimeout):
        raise
    except AmiError as refused:
        log.info("nothing to stop", channel=channel, why=str(refused))


def _again(node: Node) -> None:
    asyncio.get_running_loop().call_later(_AGAIN_SECONDS, node.changed.set)


def _put_away(folder: Path, row: Row[Any]) -> None:
    """The log is the manifest of what was sealed."""
    files = [str(path) for path in recordings.put_away(folder, row.id)]
    log.warning(
        "recording sealed",
        recording=row.id,
        call_id=row.of_call,
        why=row.sealed_because,
        sha256=row.sha256,
        files=files,
    )


Enforcement = Callable[[Node, AmiClient], Awaitable[None]]
#: Each looks at what is set and at what goes on, and ends what may not; doing it again does no harm.
ENFORCEMENTS: Sequence[Enforcement] = (seal_recordings, end_announcements, end_cut_calls)


async def enforce(node: Node, ami: AmiClient, more: Sequence[Enforcement] = ()) -> None:
    """Until cancelled: whenever staff have changed something, have it hold; `more` are enforcements of their own."""
    while True:
        await node.changed.wait()
        node.changed.clear()
        for enforcement in (*ENFORCEMENTS, *more):  # what protects a talk first
            try:
                await enforcement(node, ami)
            except AmiError as error:
                log.warning("not enforced in Asterisk", why=str(error))
            except Exception:
                log.exception("not enforced")
