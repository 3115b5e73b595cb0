"""Work that is certainly in one batch of the SQLite writer."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from accounts.db import Database

Work = Callable[[Connection], Any]


async def in_one_batch(database: Database, *works: Work) -> list[Any]:
    """What came of each piece of work, results and errors; all waited while the writer was kept busy."""
    async with KeptBusy(database):
        tasks = [asyncio.create_task(database.transact(work)) for work in works]
        await asyncio.sleep(0)  # a task submits its work when it first runs
    return await asyncio.gather(*tasks, return_exceptions=True)


class KeptBusy:
    """Keeps the writer in a piece of work of its own for as long as the block lasts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begun = threading.Event()
        self._end = threading.Event()

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._database.transact(self._wait))
        await asyncio.to_thread(self._begun.wait)

    async def __aexit__(self, *_error: object) -> None:
        self._end.set()
        await self._task

    def _wait(self, _conn: Connection) -> None:
        self._begun.set()
        self._end.wait()
