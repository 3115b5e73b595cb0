"""Lines on Asterisk's console that only the controller knows: why a call ended, what it cost, that it was warned."""

import asyncio
from typing import Final

import structlog

from ivr.ami import AmiError, Switchboard

log = structlog.get_logger(__name__)

#: So many lines may wait; the oldest goes, since nobody waits for them.
MOST_WAITING: Final = 1_000


class Console:
    """Tells one line after the other, beside the calls: no call ever waits for it."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue(MOST_WAITING)

    def tell(self, call_id: str, what: str) -> None:
        """Have a line shown of a call."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait((call_id, what))

    async def run(self) -> None:
        """Show lines until cancelled; what Asterisk does not take is lost, and logged."""
        while True:
            line = await self._waiting.get()
            try:
                await asyncio.to_thread(self._board.show, *line)
            except AmiError as error:
                log.info("a line was not shown on the console", why=str(error))
