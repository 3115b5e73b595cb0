"""`python -m bench.ledger [ENTRIES]`: how long the whole book takes to be linked, added up and hashed again."""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Connection, insert, update

from accounts import payers, schema
from accounts.chain import LEDGER
from accounts.db import Database
from accounts.tables import AccountKind, TransferKind, Unit, account, transfer
from accounts.verification import verify
from ivr.clock import utc_now

ACCOUNTS = 1_000
ROWS_AT_ONCE = 50_000


def fill(conn: Connection, entries: int) -> None:
    """So many deposits of a cent, turn by turn to a thousand accounts."""
    at = utc_now()
    ids = [f"prepaid/bench/{n}" for n in range(ACCOUNTS)]
    each = entries // ACCOUNTS
    one = {"unit": Unit.USD, "kind": AccountKind.PREPAID, "credits": each * 10_000, "opened_at": at}
    conn.execute(insert(account), [{**one, "id": each_id} for each_id in ids])
    paid_out = account.c.debits + each * ACCOUNTS * 10_000
    conn.execute(update(account).where(account.c.id == payers.CASH).values(debits=paid_out))
    for first in range(0, each * ACCOUNTS, ROWS_AT_ONCE):
        rows = [
            {
                "id": f"deposit/{n}",
                "kind": TransferKind.PAYMENT,
                "unit": Unit.USD,
                "debit_id": payers.CASH,
                "credit_id": ids[n % ACCOUNTS],
                "amount": 10_000,
                "resolves_id": None,
                "posted_at": at + timedelta(milliseconds=n),
            }
            for n in range(first, min(first + ROWS_AT_ONCE, each * ACCOUNTS))
        ]
        conn.execute(insert(transfer), rows)


def main(entries: int = 1_000_000) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="ivr-bench-") as folder:
        url = f"sqlite:///{folder}/ledger.sqlite"
        schema.upgrade(url)
        with Database.open(url) as database:
            database.transact_now(fill, entries)

            def link() -> object:
                while database.transact_now(LEDGER.extend):
                    pass
                return database.read_now(LEDGER.head).position

            print(f"{entries:,} entries, SQLite")
            told = "{:40}{:8.1f} s   {}"
            print(told.format("link all of them", *_timed(link)))
            print(told.format("hash them again", *_timed(lambda: database.read_now(_faults))))
            print(told.format("add them up again", *_timed(lambda: database.read_now(verify))))


def _faults(conn: Connection) -> list[str]:
    return list(LEDGER.faults(conn))


def _timed(work: Callable[[], object]) -> tuple[float, object]:
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
