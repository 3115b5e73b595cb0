"""Keeps the ledger's chain up to date: while the controller runs, and after whoever writes without it."""

import asyncio

import structlog

from accounts import chain
from accounts.db import Database

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0


def link_all(database: Database) -> None:
    """Link every transfer that is not linked yet."""
    while database.transact_now(chain.extend):
        pass


async def keep_chain(database: Database) -> None:
    """Link every transfer that is not linked, then those of each few seconds, until cancelled.

    A failure is logged, and what it left is linked the next time.
    """
    since = None
    while True:
        try:
            while await database.transact(chain.extend, since=since):
                pass
            since = await database.read(chain.newest_posted)
        except Exception:  # whatever it was, calls go on
            log.exception("the ledger's chain was not extended")
        await asyncio.sleep(EVERY_SECONDS)
