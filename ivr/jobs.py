"""The work that comes round by the hour: each job in small transactions of its own, safe to run twice at once.

A job is a function of a connection and a time that does some of what is due and says how much that was: 0 where nothing
is left. One that has to look through many things keeps its place in its row, and is asked again until it has none. The
row is locked meanwhile, so that of two who run the same job one passes it over. A job that looks at files does that
between two transactions, so that no call waits for a disk.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, select, update

from accounts import paid_calls
from accounts.db import Database, insert_if_new
from accounts.expiring_cards import tell_of_expiring_cards
from ivr import checking, entitlements, idling, overdue, renewing, retention
from ivr.chaining import CHAINS
from ivr.papers.invoice import make_invoices
from ivr.papers.monthly import tell_statements
from ivr.records.recordings import Places
from ivr.records.tables import job as job_table

log = structlog.get_logger(__name__)

Job = Callable[[Connection, datetime], int]
#: Looks at files, or at much of the database, outside of any transaction that writes; what is left to do is a job.
Look = Callable[[Database, Places, datetime], Job]


def link(conn: Connection, _at: datetime) -> int:
    """Link entries that are not in their chain yet, as a running controller does every few seconds."""
    return sum(chain.extend(conn) for chain in CHAINS)


#: Every job by its name, in the order in which they run.
JOBS: Final[Mapping[str, Job]] = MappingProxyType(
    {
        "renewals": renewing.renew_due,
        "ended-subscriptions": renewing.close_ended,
        "renewal-notices": renewing.tell_renewals,
        "expiring-cards": tell_of_expiring_cards,
        "paid-calls": paid_calls.give_back,
        "invoices": make_invoices,
        "statements": tell_statements,
        idling.NAME: idling.idle_accounts,
        retention.NAME: retention.destroy_old,
        overdue.NAME: overdue.tell_of_overdue,
        "chain": link,
    }
)
#: Those that look first, by their names.
LOOKING: Final[Mapping[str, Look]] = MappingProxyType(
    {checking.NAME: checking.look, entitlements.NAME: entitlements.look}
)
NAMES: Final = (*JOBS, *LOOKING)
EVERY_SECONDS = 3600.0
#: A job that has not come to an end by then goes on an hour later.
MOST_ROUNDS = 10_000


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one transaction of a job."""

    did: int = 0
    busy: bool = False  # somebody else runs it just now
    more: bool = False  # it has not come to the end yet


def run_round(database: Database, places: Places, name: str, at: datetime) -> Round:
    """One round of a job, looking at files before where it is one of those; raises what `do_round` does."""
    job = LOOKING[name](database, places, at) if name in LOOKING else JOBS[name]
    row = row_of(places, name)
    return database.transact_now(do_round, row, at, {row: job})


def row_of(places: Places, name: str) -> str:
    """By what the job's row is called: each node looks at its own files."""
    return places.of_this_node(name) if name in LOOKING else name


def do_round(conn: Connection, name: str, at: datetime, jobs: Mapping[str, Job] = JOBS) -> Round:
    """One transaction's work of a job; what the job raises is raised here, and nothing of it stays."""
    insert_if_new(conn, job_table, {"name": name, "did": 0})
    alone = select(job_table.c.name).where(job_table.c.name == name).with_for_update(skip_locked=True)
    if conn.scalar(alone) is None:
        return Round(busy=True)
    did = jobs[name](conn, at)
    done = {"did": did, "failed_at": None, "failure": None} if did else {"ran_at": at, "failed_at": None}
    mine = update(job_table).where(job_table.c.name == name).values(done)
    place = conn.scalar(mine.returning(job_table.c.place))
    return Round(did, more=bool(did) or place is not None)


def note_failure(conn: Connection, name: str, why: str, at: datetime) -> None:
    """Keep what a job failed with, for `ivr jobs list`, until it has run again."""
    insert_if_new(conn, job_table, {"name": name, "did": 0})
    conn.execute(
        update(job_table).where(job_table.c.name == name).values(failed_at=at, failure=why.strip()[:500])
    )


def standing(conn: Connection) -> Mapping[str, Row[Any]]:
    """How each job stands that ever ran, by its name."""
    return {row.name: row for row in conn.execute(select(job_table))}


async def keep_jobs(database: Database, places: Places, now: Callable[[], datetime]) -> None:
    """Run every job now and each hour until cancelled; one that fails is logged and keeps no other from running."""
    while True:
        for name in NAMES:
            await _run(database, places, name, now)
        await asyncio.sleep(EVERY_SECONDS)


async def _run(database: Database, places: Places, name: str, now: Callable[[], datetime]) -> None:
    did = 0
    try:
        for _ in range(MOST_ROUNDS):
            done = await asyncio.to_thread(run_round, database, places, name, now())
            did += done.did
            if not done.more:
                break
    except Exception as failure:  # whatever it was, the other jobs run, and calls go on
        log.exception("a job failed", job=name)
        await _note(database, row_of(places, name), failure, now())
    if did:
        log.info("job done", job=name, did=did)


async def _note(database: Database, name: str, failure: Exception, at: datetime) -> None:
    try:
        await database.transact(note_failure, name, f"{type(failure).__name__}: {failure}", at)
    except Exception:  # the database may be what failed
        log.exception("a job's failure was not noted", job=name)
