"""`python -m bench.policy`: what a decision costs on one core, and what gathering its facts costs in a large facility.

The measure is a look at each rule's name: a decision that asks every rule can hardly take less.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import cycle, islice
from pathlib import Path

from sqlalchemy import Connection, insert, select

from accounts import schema
from accounts.db import Database
from bench.rows import Row, print_rows
from ivr.clock import utc_now
from ivr.controls.authorisation import gather
from ivr.facility import lookup
from ivr.facility.file import parse, read
from ivr.facility.pins import PinKey
from ivr.facility.tables import allowed_number, inmate
from ivr.loading import load
from ivr.policy.explain import explanation
from ivr.policy.level import Level
from ivr.policy.quantity import (
    CallLimit,
    CallQuota,
    CoolingOff,
    Counted,
    Each,
    From,
    LongestCall,
    MinuteQuota,
    PastCall,
    Velocity,
)
from ivr.policy.request import CallRequest
from ivr.policy.rules import RULES, decide
from ivr.policy.schedule import Period, Schedule, Window
from rating.numbers import read_e164

FACILITY = Path(__file__).parents[1] / "examples" / "demonstration.toml"
NUMBER = "+12175550102"
DECISIONS = 2_000
GATHERINGS = 200
MANY = 10_000
LONG_AGO = timedelta(days=1)


def loaded(plain: CallRequest) -> CallRequest:
    """The same call under rules at every level, after sixty others this month."""
    day = [Window(day, time(6), time(23)) for day in range(7)]
    closed = [Period(plain.at + timedelta(days=n), plain.at + timedelta(days=n, hours=1)) for n in (1, 2, 3)]
    past = [
        PastCall(True, n % 2 == 0, plain.at - LONG_AGO * n, plain.at - LONG_AGO * n, 60_000)
        for n in range(1, 61)
    ]
    limits = [limit for level in Level for limit in _limits(level)]
    schedules = [Schedule(day, level, closed) for level in Level]
    return replace(plain, schedules=schedules, limits=limits, history=past)


def _limits(level: Level) -> Iterator[CallLimit]:
    yield LongestCall(level, 900_000)
    yield CallQuota(level, 1_000, Each.MONTH, Counted.INMATE)
    yield MinuteQuota(level, 100_000, Each.MONTH, Counted.PAIR)
    yield CoolingOff(level, 10, From.END, Counted.PAIR)
    yield Velocity(level, 30, 60, Counted.PAIR)


def with_inmates(conn: Connection, count: int) -> None:
    """So many inmates more, each with a list."""
    alex = conn.execute(select(inmate).where(inmate.c.inmate_id == "1001")).one()._mapping
    rows = [
        {**alex, "id": 1_000_000 + n, "inmate_id": f"{1_000_000 + n}", "pin_hash": f"{n:064x}"}
        for n in range(count)
    ]
    conn.execute(insert(inmate), rows)
    listed = {"number": NUMBER, "speed_dial": None, "records": True, "learned": False}
    conn.execute(insert(allowed_number), [{**listed, "inmate": row["id"]} for row in rows])


def rows(database: Database) -> Iterator[Row]:
    """What is measured, how, and how often."""
    at = datetime(2026, 11, 23, 18, tzinfo=UTC)

    def gathered(conn: Connection) -> CallRequest:
        facility = lookup.facility_of_station(conn, "demo-a1")
        assert facility is not None
        alex = lookup.inmate_by_id(conn, facility.id, "1001")
        assert alex is not None
        return gather(conn, facility, alex.id, read_e164(NUMBER), at)

    def gather_one(_: object) -> object:
        return database.read_now(gathered)

    plain = replace(database.read_now(gathered), has_recorded_name=True)
    full = loaded(plain)
    yield "bare: the name of each rule", lambda _: [rule.__name__ for rule in RULES], range(DECISIONS)
    yield "decide, few rules set", decide, list(islice(cycle([plain]), DECISIONS))
    yield "decide, every level full, 60 past calls", decide, list(islice(cycle([full]), DECISIONS))
    yield "explain the same", explanation, list(islice(cycle([full]), DECISIONS // 10))
    yield "look-ups and gathering, 2 inmates", gather_one, range(GATHERINGS)
    database.transact_now(with_inmates, MANY)
    yield f"look-ups and gathering, {MANY:,} inmates", gather_one, range(GATHERINGS)


def main() -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory(prefix="ivr-bench-") as folder:
        url = f"sqlite:///{folder}/policy.sqlite"
        schema.upgrade(url)
        with Database.open(url) as database:
            file = parse(read(FACILITY), FACILITY.name)
            database.transact_now(load, file, PinKey(bytes(32)), utc_now())
            print_rows("Call controls", rows(database))


if __name__ == "__main__":
    main()
