"""Rings whoever called in and is to be called back, as soon as their line is free."""

import asyncio
from typing import Final

import structlog

from ivr.ami import AmiError, Switchboard
from ivr.controls.node import Node
from ivr.live import until
from ivr.records import call_backs

log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 1.0  # while somebody waits
LOOKS_SECONDS: Final = 60.0  # for those that another controller has left


class CallingBack:
    """The worker of one controller. What was written down and not rung is rung by whoever looks next."""

    def __init__(self, node: Node, board: Switchboard) -> None:
        self._node = node
        self._board = board

    async def run(self) -> None:
        """Work until cancelled; a failure is logged, and the next try is made when it is due."""
        while True:
            self._node.call_backs.clear()
            waits = True
            try:
                waits = await self.work()
            except Exception:  # whatever it was, calls go on
                log.exception("nobody was called back")
            await (asyncio.sleep(EVERY_SECONDS) if waits else until(self._node.call_backs, LOOKS_SECONDS))

    async def work(self) -> bool:
        """Ring everybody who is due; whether somebody still waits."""
        for row in await self._node.database.read(call_backs.due, self._node.now()):
            if not await self._node.database.transact(call_backs.claim, row, self._node.now()):
                continue
            number, shown = row.number.removeprefix("+"), row.caller_id.removeprefix("+")
            try:
                await asyncio.to_thread(self._board.call_back, number, shown, row.id)
            except AmiError as error:
                log.warning("not rung now", call_back=row.id, error=str(error))
        return await self._node.database.read(call_backs.are_waiting)
