"""Listening holds in Asterisk: telephones are rung, and nobody hears a talk that has ended or become privileged.

Whoever is to be heard too is announced to both before their telephone is rung.
"""

import asyncio
from typing import Any

import structlog
from sqlalchemy import Row

from ivr.ami import AmiError, Switchboard
from ivr.ami.client import AmiClient
from ivr.ami.switchboard import STAFF_JOINS
from ivr.controls.node import Node
from ivr.enforcing import unless_gone
from ivr.farewell import hang_up
from ivr.live import LiveCall
from ivr.records import listening

log = structlog.get_logger(__name__)


class Listening:
    """An enforcement; doing it again does no harm."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    async def keep(self, node: Node, ami: AmiClient) -> None:
        """Ring whoever is to listen, and end every listening that may not go on."""
        rows = await node.database.read(listening.open_ones, node.own)
        if not rows:
            return
        channels = {each.get("AccountCode", ""): each["Channel"] for each in await ami.channels()}
        for row in rows:
            if not (row.may_be_heard and row.goes_on):
                live = node.live.get(row.call_id)
                if live is not None and live.called_channel is not None:
                    await unless_gone(
                        ami.set_variable(live.called_channel, "SPYGROUP", ""), live.called_channel
                    )
                await hang_up(ami, channels.get(row.id))
                await node.database.transact(listening.ended, row.id, node.now())
            elif row.rung_at is None:
                await self._ring(node, row)
            elif row.id not in channels and row.from_at is not None:
                await node.database.transact(listening.ended, row.id, node.now())

    async def _ring(self, node: Node, row: Row[Any]) -> None:
        live = node.live.get(row.call_id)
        if live is None or live.called_channel is None or not live.talking:
            return  # another node's, not found again yet after a start, or not connected yet
        await node.database.transact(listening.rung, row.id, node.now())
        try:
            if row.speaks:
                await self._announce(live, row)
            await asyncio.to_thread(
                self._board.listen, row.phone, live.called_channel, row.id, speaks=row.speaks
            )
        except AmiError as error:
            log.warning("a listener was not rung", listening=row.id, why=str(error))
            await node.database.transact(listening.ended, row.id, node.now())

    async def _announce(self, live: LiveCall, row: Row[Any]) -> None:
        """Both are told that somebody joins; raises AmiError where one of them can't be."""
        legs = ((live.inmate_channel, row.inmate_language), (live.called_channel, row.called_language))
        for channel, language in legs:
            if channel is None:
                raise AmiError("a party of the talk is not known")
            await asyncio.to_thread(self._board.announce, channel, language, STAFF_JOINS)
