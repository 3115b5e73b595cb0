"""What staff have changed holds for calls in progress too: whatever may not go on is ended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Row

from ivr.ami import AmiClient, AmiDown, AmiError, AmiTimeout
from ivr.controls.node import Node
from ivr.records import recordings, sealing

log = structlog.get_logger(__name__)

_AGAIN_SECONDS = 1.0  # until what Asterisk could not be told is tried again


async def seal_recordings(node: Node, ami: AmiClient) -> None:
    """A number has become privileged: recordings of calls to it stop, and their files are put away, or destroyed."""
    found = await node.database.read(sealing.to_put_away)
    failed: AmiError | None = None
    for row in found:
        if row.call_sealed_at is None:
            live = node.live.get(row.of_call)
            if live is None or live.called_channel is None:
                continue  # another node's, or not found again yet after a start
            try:
                await _stop_recording(ami, live.called_channel)
            except AmiError as error:
                failed = error
                continue
        await asyncio.to_thread(_put_away, node.recordings, row)
        await node.database.transact(sealing.was_put_away, row.id, node.now())
    if failed is not None:
        asyncio.get_running_loop().call_later(_AGAIN_SECONDS, node.changed.set)
        raise failed


async def _stop_recording(ami: AmiClient, channel: str) -> None:
    """Stop it; a channel that is gone, or records nothing, has been stopped already."""
    try:
        await ami.stop_mix_monitor(channel)
    except (AmiDown, AmiTimeout):
        raise
    except AmiError as refused:
        log.info("no recording to stop", channel=channel, why=str(refused))


def _put_away(folder: Path, row: Row[Any]) -> None:
    """The log is the manifest of what was sealed."""
    if row.destroyed_at is not None:
        recordings.destroy(folder, row.id)
        log.warning("recording destroyed", recording=row.id, call_id=row.of_call, sha256=row.sha256)
        return
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
ENFORCEMENTS: Sequence[Enforcement] = (seal_recordings,)


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
