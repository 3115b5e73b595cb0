"""What deciding on a call asks of the database: three statements, each by index, however many inmates there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text

from accounts.db import Database
from ivr.controls.authorisation import gather
from ivr.facility import lookup
from rating.numbers import read_keys
from tests.controller import steps
from tests.transcripts.funding import EVERYBODY, funded
from tests.transcripts.play import World

Asked = list[tuple[str, Any]]


def gathered(conn: Connection, world: World) -> Asked:
    """The statements of one gathering, the tariff having been read before."""
    facility = lookup.facility_of_station(conn, "demo-a1")
    assert facility is not None
    alex = lookup.inmate_by_id(conn, facility.id, "1001")
    assert alex is not None
    dialled = read_keys("2175550102", allowed_kinds=facility.kinds)
    gather(conn, facility, alex.id, dialled, world.at)
    with overheard(conn) as asked:
        gather(conn, facility, alex.id, dialled, world.at)
    return asked


@contextmanager
def overheard(conn: Connection) -> Iterator[Asked]:
    """Every statement and its parameters."""
    asked: Asked = []

    def hear(_c: object, _cursor: object, sql: str, given: Any, *_: object) -> None:
        asked.append((sql, given))

    event.listen(conn, "before_cursor_execute", hear)
    yield asked
    event.remove(conn, "before_cursor_execute", hear)


def plans(conn: Connection, asked: Asked) -> list[str]:
    """How the database would find the rows of each statement."""
    if conn.dialect.name == "sqlite":
        found = [conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all() for sql, given in asked]
        return [row.detail for rows in found for row in rows]
    conn.execute(text("SET LOCAL enable_seqscan = off"))  # a small table would be read whole
    found = [conn.exec_driver_sql(f"EXPLAIN {sql}", given).all() for sql, given in asked]
    return [str(row[0]) for rows in found for row in rows]


def test_three_statements_tell_all_facts_of_a_call(world: World) -> None:
    before = world.database.read_now(gathered, world)
    assert len(before) == 3
    steps.crowd(world, 200)
    assert len(world.database.read_now(gathered, world)) == 3


def test_each_finds_its_rows_by_index(world: World) -> None:
    def planned(conn: Connection) -> list[str]:
        return plans(conn, gathered(conn, world))

    found = world.database.read_now(planned)
    assert any(
        "ix_call_" in step for step in found
    )  # which one goes by what the database knows of the rows, "\n".join(found)
    assert any("ix_blocked_number_live" in step for step in found)
    read_whole = [step for step in found if step.startswith("SCAN ") or "Seq Scan" in step]
    assert read_whole == [], "\n".join(found)


def test_the_accounts_of_every_payer_are_found_in_the_same_statements_by_index(
    database: Database, tmp_path: Path
) -> None:
    world = funded(database, tmp_path, *EVERYBODY)

    def planned(conn: Connection) -> list[str]:
        asked = gathered(conn, world)
        assert len(asked) == 3
        assert all(f"{each}_account" in asked[0][0] for each in set(EVERYBODY) - {"subscription"})
        return plans(conn, asked)

    found = world.database.read_now(planned)
    read_whole = [step for step in found if step.startswith("SCAN ") or "Seq Scan" in step]
    assert read_whole == [], "\n".join(found)


def test_accounts_of_payers_that_are_not_offered_are_not_looked_for(world: World) -> None:
    facts = world.database.read_now(gathered, world)[0][0]
    assert "prepaid_account" in facts
    assert not [each for each in ("debit", "card", "collect", "courtesy") if f"{each}_account" in facts]


def test_a_table_that_is_read_whole_would_be_seen(world: World) -> None:
    def planned(conn: Connection) -> list[str]:
        no_index = "SELECT name FROM inmate WHERE name = 'nobody'"
        return plans(conn, [(no_index, () if conn.dialect.name == "sqlite" else {})])

    [step, *_] = world.database.read_now(planned)
    assert "SCAN inmate" in step or "Seq Scan on inmate" in step
