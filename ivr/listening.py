"""Listening holds in Asterisk: telephones are rung, and nobody hears a talk that has ended or become privileged."""

import asyncio
from typing import Any

import structlog
from sqlalchemy import Row

from ivr.ami import AmiClient, AmiError, Switchboard
from ivr.controls.node import Node
from ivr.enforcing import unless_gone
from ivr.farewell import hang_up
from ivr.records import listening

log = structlog.get_logger(__name__)


class Listening:
    """An enforcement; doing it again does no harm."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    async def keep(self, node: Node, ami: AmiClient) -> None:
        """Ring whoever is to listen, and end every listening that may not go on."""
        rows = await node.database.read(listening.open_ones)
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
            await asyncio.to_thread(self._board.listen, row.phone, live.called_channel, row.id)
        except AmiError as error:
            log.warning("a listener was not rung", listening=row.id, why=str(error))
            await node.database.transact(listening.ended, row.id, node.now())
