"""Sends what waits in the outbox, one notice after another on each channel, while the controller runs."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from accounts.db import Database
from ivr.notices import queue
from ivr.notices.outcomes import Notice, NotSent, Outcome, Sender, Unknown

log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 2.0
MOST_AT_ONCE: Final = 100


class Delivery:
    """One channel with its sender."""

    def __init__(self, database: Database, channel: str, sender: Sender, now: Callable[[], datetime]) -> None:
        self._database = database
        self._channel = channel
        self._sender = sender
        self._now = now

    async def run(self) -> None:
        """Send what is due every few seconds, until cancelled; a try that has begun is ended first."""
        while True:
            try:
                await self.send_due()
            except Exception:  # whatever it was, calls go on and other notices too
                log.exception("notices not sent", channel=self._channel)
            await asyncio.sleep(EVERY_SECONDS)

    async def send_due(self) -> int:
        """Send everything that is due now; how many tries that were."""
        tries = 0
        for notice_id in await self._database.read(queue.due, self._channel, self._now(), MOST_AT_ONCE):
            begun = await self._database.transact(queue.begin, notice_id, self._now())
            if begun is not None:
                await self._try(begun)
                tries += 1
        return tries

    async def _try(self, begun: Notice) -> None:
        others: frozenset[str] = frozenset()
        if begun.in_doubt:
            others = await self._database.read(queue.provider_ids, begun.recipient, but=begun.id)
        trying = asyncio.ensure_future(asyncio.to_thread(self._outcome, begun, others))
        try:
            outcome = await asyncio.shield(trying)
        except asyncio.CancelledError:
            await self._finish(begun, await trying)  # the request has begun: what comes of it is written down
            raise
        await self._finish(begun, outcome)

    async def _finish(self, begun: Notice, outcome: Outcome) -> None:
        await self._database.transact(queue.finish, begun, outcome, self._now())
        came_of = type(outcome).__name__  # and no more: reasons name numbers and addresses
        log.info("notice tried", notice=begun.id, channel=begun.channel, kind=begun.kind, outcome=came_of)

    def _outcome(self, begun: Notice, others: frozenset[str]) -> Outcome:
        """Look for it first where a try is in doubt; send it where it was certainly not sent."""
        try:
            if begun.in_doubt:
                found = self._sender.find(begun, others)
                if not isinstance(found, NotSent):
                    return found
            return self._sender.send(begun)
        except Exception as failure:  # a fault of ours: nobody knows how far it came
            log.exception("notice not sent", notice=begun.id)
            return Unknown(type(failure).__name__)
