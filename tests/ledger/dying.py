"""A process that dies in the middle of its second batch: `python -m tests.ledger.dying DATABASE_URL`."""

import asyncio
import os
import signal
import sys

from sqlalchemy import Connection

from accounts.db import Database
from tests.ledger.batches import in_one_batch
from tests.ledger.books import open_money


def die(conn: Connection) -> None:
    open_money(conn, 0, "prepaid/dying")
    os.kill(os.getpid(), signal.SIGKILL)


async def live_and_die(database: Database) -> None:
    await database.transact(open_money, 100, "prepaid/kept")
    print("kept", flush=True)
    await in_one_batch(database, lambda conn: open_money(conn, 100, "prepaid/same-batch"), die)


if __name__ == "__main__":
    asyncio.run(live_and_die(Database.open(sys.argv[1])))
