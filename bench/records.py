"""`python -m bench.records [CALLS]`: how long lists, stories and reports take over a day of so many calls."""

import csv
import io
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert, select

from accounts.db import Database
from bench.facility import prepare
from ivr import cdr
from ivr.cli.cdr import found
from ivr.facility.tables import facility, inmate, station
from ivr.keyring import Keyring
from ivr.policy.reasons import Denial, Outcome
from ivr.records.listing import Wanted, page
from ivr.records.states import CallState
from ivr.records.tables import call, session
from ivr.reports.agency import agency_calls
from ivr.reports.calls import calls_by_hour
from ivr.reports.report import days_of
from ivr.story import story

INMATES = 400
ROWS_AT_ONCE = 10_000
MIDNIGHT = datetime(2026, 3, 2, 6, tzinfo=UTC)  # in Chicago
_REASONS = (
    Outcome.COMPLETED,
    Outcome.NO_ANSWER,
    Outcome.LIMIT_REACHED,
    Denial.NUMBER_NOT_ALLOWED,
    Outcome.BUSY,
)


def fill(conn: Connection, calls: int) -> None:
    """A day of calls of one facility, one after the other in even steps, two in five of them talks."""
    place = conn.execute(select(facility.c.id)).scalars().first()
    people = conn.scalars(select(inmate.c.id)).all()
    stations = conn.scalars(select(station.c.id)).all()
    for first in range(0, calls, ROWS_AT_ONCE):
        numbers = range(first, min(first + ROWS_AT_ONCE, calls))
        made = [_call(number, calls) for number in numbers]
        sessions, rows = [], []
        for number, row in zip(numbers, made, strict=True):
            where = {"facility_id": place, "station_id": stations[number % len(stations)]}
            who = people[number % len(people)]
            at = row["keyed_at"]
            sessions.append(
                {**where, "id": row["id"], "inmate": who, "language": "en", "started_at": at, "ended_at": at}
            )
            rows.append({**where, **row, "session_id": row["id"], "inmate": who})
        conn.execute(insert(session), sessions)
        conn.execute(insert(call), rows)


def _call(number: int, calls: int) -> dict[str, object]:
    keyed_at = MIDNIGHT + timedelta(days=1) * number / calls
    reason = _REASONS[number % len(_REASONS)]
    talked = reason in {Outcome.COMPLETED, Outcome.LIMIT_REACHED}
    return {
        "id": f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128):032x}",
        "state": CallState.SEALED,
        "dialled": "2175550102",
        "number": f"+1217555{number % 10_000:04d}",
        "call_type": "local",
        "inmate_language": "en",
        "payer": "prepaid" if talked else None,
        "keyed_at": keyed_at,
        "cost_heard": False,
        "talk_ms": 300_000 if talked else 0,
        "charge": 300_000 if talked else 0,
        "reason": reason,
        "ended_at": keyed_at,
        "sealed_at": keyed_at,
    }


def measured(database: Database, calls: int) -> Iterator[tuple[str, float]]:
    """What each asks, and the seconds it took."""
    [rarest] = database.read_now(page, Wanted(), 1)
    day = database.read_now(days_of, None, MIDNIGHT.date(), MIDNIGHT.date(), now=MIDNIGHT, usual=1)
    asks: list[tuple[str, Callable[[], object]]] = [
        ("list: the newest", lambda: database.read_now(page, Wanted(), 20)),
        ("list: a number", lambda: database.read_now(page, Wanted(number=rarest.number), 20)),
        ("list: an inmate", lambda: database.read_now(page, Wanted(inmate_id=rarest.inmate_id), 20)),
        ("list: a reason", lambda: database.read_now(page, Wanted(reason=Outcome.BUSY), 20)),
        ("list: nobody paid so", lambda: database.read_now(page, Wanted(payer="debit"), 20)),
        ("list: flagged, none is", lambda: database.read_now(page, Wanted(flagged=True), 20)),
        ("list: recorded, none is", lambda: database.read_now(page, Wanted(recorded="yes"), 20)),
        ("one call's story", lambda: database.read_now(story, rarest.id)),
        ("report: by hour and reason", lambda: database.read_now(calls_by_hour, day)),
        ("report: the agency's", lambda: database.read_now(agency_calls, day)),
        (f"CSV of all {calls:,}", lambda: _written(database)),
    ]
    for what, ask in asks:
        began = time.perf_counter()
        ask()
        yield what, time.perf_counter() - began


def _written(database: Database) -> None:
    lines = csv.DictWriter(io.StringIO(), cdr.COLUMNS)
    for row in found(database, Wanted(), None):
        lines.writerow(cdr.listed(row))


def main(calls: int = 100_000) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="ivr-bench-") as folder:
        url = f"sqlite:///{folder}/records.sqlite"
        prepare(url, Keyring(Path(folder)), INMATES)
        with Database.open(url) as database:
            database.transact_now(fill, calls)
            print(f"{calls:,} calls of one day, SQLite")
            for what, seconds in measured(database, calls):
                print(f"{what:40}{seconds * 1000:10.1f} ms")
    print(f"{'most memory':40}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:10.0f} MB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
