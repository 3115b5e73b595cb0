"""A talk that must be recorded is seen to be: what Asterisk writes is looked at while the two talk.

Asterisk opens a recording's file when the first audio comes, and tells nobody where it can't, or can write no more:
no space, no right, a file that was taken away. So it is the file that tells. It grows by a second of sound at a time.
"""

import asyncio
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import Connection

from ivr.ami.client import AmiClient
from ivr.controls.node import Node
from ivr.farewell import say_farewell
from ivr.live import LiveCall, until
from ivr.policy.dropped import Fault
from ivr.policy.reasons import Cutoff
from ivr.policy.recording import Unrecorded
from ivr.records import recordings
from ivr.records.alerts import alert
from ivr.records.recordings import Running

log = structlog.get_logger(__name__)

#: When a file is looked at, in seconds of the talk: it is noticed within three that there is no recording.
FIRST_SECONDS, SECOND_SECONDS = 0.5, 2.4
EVERY_SECONDS = 5.0  # from then on
#: An end of the talk is known by then, after which nothing is written any more.
END_KNOWN_SECONDS = 0.3
#: A talk of less is over, and its end being announced, before the file could tell anything.
SHORTEST_SEEN_MS = 5_000


async def see_recorded(node: Node, ami: AmiClient, live: LiveCall) -> None:
    """Follow one talk's recording to its end; where nothing is written, alert, and end the talk if that is wanted."""
    running = await node.database.read(recordings.running_of, live.call_id)
    if running is None or live.limit_ms < SHORTEST_SEEN_MS:
        return
    raw = recordings.raw_file(node.recordings, running.recording_id)
    if await _stops(raw, live) and await _must_be_recorded(node, live):
        await _unrecorded(node, ami, live, running)


async def _stops(raw: Path, live: LiveCall) -> bool:
    """Whether the file is found gone, or not to grow, before the talk is over.

    Later in the talk it may stand still while Asterisk announces the end to both: then it is looked at twice.
    """
    await until(live.talk_ended, FIRST_SECONDS)
    size, missed, allowed, wait = _size(raw) or 0, 0, 0, SECOND_SECONDS - FIRST_SECONDS
    while not await _is_over(live, wait):
        now = await asyncio.to_thread(_size, raw)
        missed = missed + 1 if now is None or now <= size else 0
        if (now is None or missed > allowed) and not await _is_over(live, END_KNOWN_SECONDS):
            return True
        size, allowed, wait = max(size, now or 0), 1, EVERY_SECONDS
    return False


async def _is_over(live: LiveCall, seconds: float) -> bool:
    """Whether the talk ends within so many seconds, or somebody has hung up."""
    await until(live.talk_ended, seconds)
    return live.talk_ended.is_set() or live.hung_up_first is not None


async def _must_be_recorded(node: Node, live: LiveCall) -> bool:
    """Unless its number has become privileged meanwhile; where the database does not say, it must."""
    try:
        return await node.database.read(recordings.running_of, live.call_id) is not None
    except Exception:
        log.exception("not known whether a call has become privileged", call_id=live.call_id)
        return True


async def _unrecorded(node: Node, ami: AmiClient, live: LiveCall, running: Running) -> None:
    at, ends = node.now(), running.when_unrecorded is Unrecorded.END
    try:
        await node.database.transact(_note, live.call_id, running.recording_id, at, ends)
    except Exception:  # the disk of the database may be the full one
        log.exception("a call is not recorded, and that could not be noted", call_id=live.call_id)
    if ends:
        live.fault = live.fault or Fault.UNRECORDED
        await say_farewell(ami, live, Cutoff.UNRECORDED)


def _note(conn: Connection, call_id: str, recording_id: str, at: datetime, ends: bool) -> None:
    recordings.failed(conn, call_id, at if ends else None)
    became = "it was ended" if ends else "it goes on"
    alert(conn, "not recorded", f"call {call_id} must be recorded and is not ({recording_id}): {became}", at)


def _size(path: Path) -> int | None:
    """How much was written; None where there is no file of its own."""
    try:
        return path.stat(follow_symlinks=False).st_size
    except OSError:
        return None
