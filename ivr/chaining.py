"""Keeps the chains of the ledger and the audit log up to date, with the controller and after a writer without it."""

import asyncio

import structlog

from accounts.chain import LEDGER
from accounts.db import Chain, Database
from ivr.facility.audit import AUDIT

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0
CHAINS = (LEDGER, AUDIT)


def link_all(database: Database) -> None:
    """Link every entry that is not linked yet."""
    for chain in CHAINS:
        while database.transact_now(chain.extend):
            pass


async def keep_chains(database: Database) -> None:
    """Link every entry that is not linked, then those of each few seconds, until cancelled."""
    await asyncio.gather(*(_keep(database, chain) for chain in CHAINS))


async def _keep(database: Database, chain: Chain) -> None:
    """A failure is logged, and what it left is linked the next time."""
    since = None
    while True:
        try:
            while await database.transact(chain.extend, since=since):
                pass
            since = await database.read(chain.newest)
        except Exception:  # whatever it was, calls go on
            log.exception("a chain was not extended", chain=chain.named)
        await asyncio.sleep(EVERY_SECONDS)
