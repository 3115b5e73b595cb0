"""A database in use goes down and up again: what both revisions can hold stays, and sealed records still stand."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from accounts import schema
from accounts.db import Database
from ivr.controls import Grant, Payer
from ivr.controls.called_party import block_number
from ivr.controls.settlement import Ending, settle
from ivr.facility import privileged
from ivr.facility.tables import facility
from ivr.loading import load
from ivr.policy.reasons import Outcome
from ivr.records import calls, evidence
from ivr.records.tables import call
from tests.controller import steps
from tests.controller.test_agency import jail
from tests.controller.test_facility_file import contents
from tests.controller.test_list_in_doubt import JAIL, broken
from tests.fakes.loop import in_loop
from tests.ledger.test_schema import connection, tables
from tests.transcripts.funding import NOBODYS, funded
from tests.transcripts.play import KEY, World

BEFORE_CONTROLS, BEFORE_TARIFFS, BEFORE_ALL_PAYERS = "0004", "0003", "0027"
BEFORE_AGENCIES, BEFORE_LISTS_IN_DOUBT = "0022", "0023"
NUMBER = "+12175550105"  # blocked by the facility, too


async def fill(url: str, folder: Path) -> dict[str, list[str]]:
    """The demonstration with a sealed call, a live one, and a number that two have blocked."""
    with Database.open(url) as database:
        world = World(database, folder)
        await steps.answer(world)
        await steps.accepted(world)
        database.transact_now(block_number, "example-county-jail", NUMBER, "0" * 32, world.node)
        return {table: [str(row) for row in rows] for table, rows in database.read_now(contents).items()}


@in_loop
async def test_a_database_in_use_goes_down_and_up(database_url: str, tmp_path: Path) -> None:
    before = await fill(database_url, tmp_path)
    schema.downgrade(database_url, BEFORE_CONTROLS)
    schema.upgrade(database_url)
    with Database.open(database_url) as database:
        after = {table: len(rows) for table, rows in database.read_now(contents).items()}
        lost = {table for table, rows in before.items() if len(rows) != after[table]}
        assert lost <= {"call_limit", "housing_unit"}
        with pytest.raises(DBAPIError, match="never changed"):
            database.transact_now(change_sealed_calls)


@in_loop
async def test_calls_of_later_payers_keep_their_records_when_the_database_goes_down(
    database_url: str, tmp_path: Path
) -> None:
    with Database.open(database_url) as database:
        world = funded(database, tmp_path, "prepaid", "courtesy")
        courtesy = await steps.answer(world, NOBODYS)
        assert isinstance(courtesy, Grant)
        database.transact_now(lambda conn: conn.execute(update(facility).values(payers="prepaid collect")))
        collect = await steps.answer(world, NOBODYS)
        assert isinstance(collect, Grant)
        assert (courtesy.payer, collect.payer) == (Payer.COURTESY, Payer.COLLECT)
    schema.downgrade(database_url, BEFORE_ALL_PAYERS)
    schema.upgrade(database_url)
    with Database.open(database_url) as database:
        found = select(call.c.payer, call.c.limit_set_by).order_by(call.c.payer)
        rows = database.read_now(lambda conn: conn.execute(found).all())
        assert [tuple(row) for row in rows] == [("free", "longest_call"), ("prepaid", "longest_call")]
        with pytest.raises(DBAPIError, match="never changed"):
            database.transact_now(change_sealed_calls)


def change_sealed_calls(conn: Connection) -> None:
    conn.execute(update(call).where(call.c.sealed_at.is_not(None)).values(number=text("NULL")))


@in_loop
async def test_a_call_that_was_priced_before_tariffs_had_files_is_settled_by_that_price(
    database_url: str, tmp_path: Path
) -> None:
    with Database.open(database_url) as database:
        world = World(database, tmp_path)
        call_id = await steps.accepted(world)
        held = steps.record(world, call_id).held
    schema.downgrade(database_url, BEFORE_TARIFFS)
    with connection(database_url) as conn:
        conn.execute(text("UPDATE call SET per_minute = 60000, first_seconds = 60, next_seconds = 1"))
    schema.upgrade(database_url)
    start = world.at.timestamp()
    note = evidence.note(f"{start:.6f} {start + 83:.6f} 16")
    with Database.open(database_url) as database:
        settled = database.transact_now(
            settle, call_id, Ending(Outcome.SYSTEM_FAULT), at=world.at, version="test", seen=note
        )
        assert settled is not None
        assert settled.charge == 83_000
        row = database.read_now(calls.call_of, call_id)
        assert row is not None
        assert row.held == held
        assert database.read_now(steps.open_holds) == []


#: What an agency sets of which no earlier schema knows the level, and each level that says not to record.
OF_THE_AGENCY = """records = false
[[agency.schedule]]
days = "mon-sun"
opens = "08:00"
closes = "24:00"
[[agency.closure]]
starts = 2026-12-24T12:00:00
ends = 2026-12-24T18:00:00
note = "Staff meeting"
[[agency.limit]]
calls = 30
each = "day"
[[blocked]]
prefix = "312"
note = "Fraud"
"""
SILENT_LEVELS = {
    "unit": jail("", ('label = "Unit A"\n', 'label = "Unit A"\nrecords = false\n')),
    "station": jail("", ('id = "demo-a1"\n', 'id = "demo-a1"\nrecords = false\n')),
    "inmate": jail("", ('name = "Alex Example"', 'name = "Alex Example"\nrecords = false')),
    "agency": jail(OF_THE_AGENCY),
}
SCOPED = ("schedule_window", "schedule_exception", "call_limit", "blocked_number")


def why_unrecorded(url: str) -> list[str]:
    """Why each sealed call was not recorded, whatever the schema; and nobody can change one of them."""
    with connection(url) as conn, pytest.raises(DBAPIError, match="never changed"):
        conn.execute(text("UPDATE call SET not_recorded = 'privileged' WHERE sealed_at IS NOT NULL"))
    with connection(url) as conn:
        sealed = text("SELECT not_recorded FROM call WHERE sealed_at IS NOT NULL ORDER BY id")
        return list(conn.scalars(sealed))


def lengths(url: str) -> list[int]:
    """How many rows the tables have in which an agency may stand."""
    with connection(url) as conn:
        return [len(conn.execute(text(f"SELECT scope FROM {table}")).all()) for table in SCOPED]


@in_loop
async def test_before_agencies_what_only_they_knew_is_forgotten_and_their_silence_is_the_facilitys(
    database_url: str, tmp_path: Path
) -> None:
    with Database.open(database_url) as database:
        world = World(database, tmp_path)
        for file in SILENT_LEVELS.values():
            database.transact_now(load, file, KEY, world.at)
            await steps.answer(world)
    assert why_unrecorded(database_url) == list(SILENT_LEVELS)
    before = lengths(database_url)
    schema.downgrade(database_url, BEFORE_AGENCIES)
    assert why_unrecorded(database_url) == ["facility"] * 4
    assert tables(database_url).isdisjoint({"agency", "unrecorded"})
    assert [was - is_ for was, is_ in zip(before, lengths(database_url), strict=True)] == [7, 1, 1, 1]
    schema.upgrade(database_url)
    assert why_unrecorded(database_url) == ["facility"] * 4
    with Database.open(database_url) as database:
        told = database.transact_now(load, SILENT_LEVELS["agency"], KEY, world.at)
        assert "agency example-agency: added" in told


@in_loop
async def test_before_lists_in_doubt_it_was_the_facility_that_did_not_record(
    database_url: str, tmp_path: Path
) -> None:
    with Database.open(database_url) as database:
        world = World(database, tmp_path)
        database.transact_now(broken)
        call_id = await steps.accepted(world)
        start = world.at.timestamp()
        seen = evidence.note(f"{start:.6f} {start + 83:.6f} 16")
        ended = Ending(Outcome.SYSTEM_FAULT)
        database.transact_now(settle, call_id, ended, at=world.at, version="test", seen=seen)
        charged = steps.record(world, call_id).charge
    assert why_unrecorded(database_url) == ["list_in_doubt"]
    schema.downgrade(database_url, BEFORE_LISTS_IN_DOUBT)
    assert why_unrecorded(database_url) == ["facility"]
    assert "privileged_list" not in tables(database_url)
    schema.upgrade(database_url)
    assert why_unrecorded(database_url) == ["facility"]
    with Database.open(database_url) as database:
        row = database.read_now(calls.call_of, call_id)
        assert row is not None
        assert row.charge == charged
        assert database.read_now(privileged.intact, JAIL)
