"""Switches hold in Asterisk: its own database closes what is off, and calls in progress end as staff have said."""

import asyncio
from typing import Any

import structlog

from ivr.ami import AmiError, Switchboard
from ivr.ami.client import AmiClient
from ivr.controls.node import Node
from ivr.facility import switches
from ivr.farewell import end_ringing, say_farewell
from ivr.live import LiveCall
from ivr.policy.reasons import Cutoff
from ivr.records import switched
from ivr.records.switched import SwitchedOff

log = structlog.get_logger(__name__)

#: Later than this after the throw, "this call ends in one minute" would not be true any more.
ANNOUNCED_WITHIN_SECONDS = 10
AGAIN_SECONDS = 0.5


class Switching:
    """The two enforcements; doing either again does no harm."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._tasks: set[asyncio.Task[None]] = set()

    async def close_stations(self, node: Node, _ami: AmiClient) -> None:
        """Asterisk's own database closes what is off, and nothing else; what was closed at its console is off too."""
        found = await asyncio.to_thread(self._board.keys)
        unknown = await node.database.transact(switches.take_over, found, node.now())
        wanted = await node.database.read(switches.closing_keys)
        for key, value in wanted.items():
            if found.get(key) != value:
                await asyncio.to_thread(self._board.close, key, value)
        for key in found.keys() - wanted.keys() - set(unknown):
            await asyncio.to_thread(self._board.reopen, key)
        if unknown:
            log.warning("Asterisk's database closes what is not known here", keys=unknown)

    async def end_calls(self, node: Node, ami: AmiClient) -> None:
        """Calls in progress end when their switch says; those that are not connected yet, at once."""
        stations = {live.call_id: _station_of(live) for live in node.live if live.inmate_channel}
        marked = await node.database.transact(switched.mark, node.now(), stations, node=node.own)
        ended = {each.call_id: each for each in marked}
        waiting = [live for live in node.live if live.call_id in ended and not live.talking]
        channels = await ami.channels() if waiting else []
        for live in waiting:
            await end_ringing(ami, live, channels)
        talking = [live for live in node.live if live.talking]
        for live in talking:
            self._arm(node, ami, live, ended.get(live.call_id))
        for live in talking:
            if (end := ended.get(live.call_id)) is not None:
                self._announce(node, live, end)

    def _arm(self, node: Node, ami: AmiClient, live: LiveCall, end: SwitchedOff | None) -> None:
        ends_at = end.ends_at if end else None
        if live.switched_off_at == ends_at:
            return
        timer = None
        if ends_at is not None:
            left = max(0.0, (ends_at - node.now()).total_seconds())
            loop = asyncio.get_running_loop()
            timer = loop.call_later(left, lambda: self._spawn(say_farewell(ami, live, Cutoff.SWITCHED_OFF)))
            live.announced = False
        live.ends_with_switch(ends_at, timer)

    def _announce(self, node: Node, live: LiveCall, end: SwitchedOff) -> None:
        """Each hears in their language that the call ends in a minute, unless it ends sooner; a relay hears nothing."""
        if live.announced or _is_late(node, end) or end.ends_at == end.thrown_at:
            return
        live.announced = True
        legs = [(live.inmate_channel, end.inmate_language)]
        if live.called_channel and not live.relay:
            legs.append((live.called_channel, end.called_language))
        for channel, language in legs:
            if channel:
                self._spawn(self._tell(node, live.call_id, end, channel, language))

    async def _tell(self, node: Node, call_id: str, end: SwitchedOff, channel: str, language: str) -> None:
        """Announce it to one leg, again where Asterisk was too busy to take the order, while it is still true."""
        while not _is_late(node, end):
            try:
                await asyncio.to_thread(self._board.announce, channel, language)
            except AmiError as error:
                log.warning("the end was not announced", call_id=call_id, channel=channel, error=str(error))
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_late(node: Node, end: SwitchedOff) -> bool:
    return (node.now() - end.thrown_at).total_seconds() > ANNOUNCED_WITHIN_SECONDS


def _station_of(live: LiveCall) -> str:
    return live.inmate_channel.removeprefix("PJSIP/").rpartition("-")[0]
