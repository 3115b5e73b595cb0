"""Nodes that share a database: each tells that it is there, sees what was asked of others, and minds what they left."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row

from accounts.db import DatabaseError
from ivr.controls.node import Node
from ivr.controls.settlement import Ending, settle_call
from ivr.policy.gone import is_gone, surely_over
from ivr.policy.reasons import Outcome
from ivr.records import calls, nodes, sessions
from ivr.records.alerts import alert_unless_told

log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 5.0
#: So long a node may be silent before somebody is told.
TOLD_AFTER: Final = timedelta(minutes=1)


class Neighbours:
    """What one node does for the others."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._deeds: object = None
        self._closed: dict[
            str, datetime
        ] = {}  # nodes whose sessions were closed, by when they were seen last

    async def run(self) -> None:
        """Look every few seconds until cancelled; a look that fails is logged, and the next one comes."""
        is_known = False
        while True:
            try:
                if not is_known:
                    await self._node.database.transact(nodes.started, self._node.name, self._node.now())
                    is_known = True
                await self.look()
            except DatabaseError as error:
                log.warning("other nodes were not seen", why=str(error))
            except Exception:
                log.exception("other nodes were not seen")
            await asyncio.sleep(EVERY_SECONDS)

    async def stop(self) -> None:
        """This node ends in order, so that nobody is told that it is gone."""
        await self._node.database.transact(nodes.stopped, self._node.name, self._node.now())

    async def look(self) -> None:
        """Tell that this node is there, and see what has become of the others."""
        node, at = self._node, self._node.now()
        await node.database.transact(nodes.seen, node.name, at)
        deeds = await node.database.read(nodes.newest_deeds)
        if deeds != self._deeds:  # a command may have reached another controller, or none
            self._deeds = deeds
            node.changed.set()
        for row in await node.database.read(nodes.all_of_them):
            if row.name != node.name:
                await self._mind(row, at)

    async def _mind(self, other: Row[Any], at: datetime) -> None:
        if other.stopped_at is None and at - other.seen_at >= TOLD_AFTER:
            told = f"node {other.name} was not seen since {other.seen_at:%Y-%m-%d %H:%M:%S} UTC"
            await self._node.database.transact(alert_unless_told, "node gone", told, at)
        if not is_gone(other.seen_at, at):
            return
        left = await self._node.database.read(calls.unsealed, other.name)
        for row in left:
            if surely_over(row.keyed_at, row.limit_ms, at):
                await settle_call(self._node, row.id, Ending(Outcome.SYSTEM_FAULT))
                log.warning("call of another node settled", call_id=row.id, node=other.name)
        if self._closed.get(other.name) != other.seen_at:
            await self._node.database.transact(sessions.close_of_gone, other.name, at)
            if not left:
                self._closed[other.name] = other.seen_at
