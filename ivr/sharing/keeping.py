"""Keeps one node among the others: tells them what it sees, and looks at what staff have changed when they say so.

Where the others can't be reached, calls go on as before: every controller looks at the database by itself too.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from ivr.controls.node import Node
from ivr.live import LiveCall
from ivr.records.alerts import alert_once
from ivr.sharing.interface import Lost, Seen, Shared, Stage

log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 1.0


async def keep_sharing(node: Node, shared: Shared) -> None:
    """Until cancelled; a loss is an alert, and whatever was said meanwhile is made up for by looking."""
    is_lost = False
    while True:
        try:
            async with shared.join(node.name) as joined:
                node.changed.set()
                while True:
                    await joined.tell(seen_by(node))
                    if is_lost:
                        log.info("other nodes are reached again")
                        is_lost = False
                    if await joined.changed(EVERY_SECONDS):
                        node.changed.set()
        except Lost as error:
            if not is_lost:
                await _tell_of_loss(node, str(error))
            is_lost = True
        except Exception:  # whatever it was, calls go on
            log.exception("nothing was shared with other nodes")
        await asyncio.sleep(AGAIN_SECONDS)


async def say_changed(node: Node, shared: Shared) -> None:
    """Staff have changed something: this node looks, and so do the others, a few seconds later if they don't hear."""
    node.changed.set()
    try:
        await shared.say_changed()
    except Lost as error:
        log.warning("other nodes were not told; they look by themselves", why=str(error))


async def everybody(node: Node, shared: Shared) -> Mapping[str, Sequence[Seen]]:
    """What all nodes see, by name; where they can't be asked, what this one sees."""
    try:
        return {**await shared.everybody(), node.name: seen_by(node)}
    except Lost:
        return {node.name: seen_by(node)}


def seen_by(node: Node) -> Sequence[Seen]:
    """The calls of this node, but for those that keep no trace of who calls."""
    return [_seen(live) for live in node.live if not live.anonymous]


def _seen(live: LiveCall) -> Seen:
    if live.talking:
        return Seen(live.call_id, Stage.TALKING, live.talk_from, _end_of(live))
    if live.called_channel is not None:
        return Seen(live.call_id, Stage.ACCEPTING, None)
    return Seen(live.call_id, Stage.RINGING, live.dialled_at)


def _end_of(live: LiveCall) -> datetime | None:
    limit = live.talk_from + timedelta(milliseconds=live.limit_ms) if live.talk_from else None
    return min((at for at in (limit, live.ends_by, live.switched_off_at) if at is not None), default=None)


async def _tell_of_loss(node: Node, why: str) -> None:
    log.warning("other nodes are not reached", why=why)
    told = (
        "what staff change reaches other nodes up to five seconds late; calls show as their records have them"
    )
    try:
        await node.database.transact(alert_once, "redis lost", f"{why}: {told}", node.now())
    except Exception:  # the database may be away too
        log.exception("an alert was not written")
