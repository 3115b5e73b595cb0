"""Hotlines, called by their code at the ID prompt, before anybody says who they are."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Connection, select

from accounts.db import Database, metadata
from ivr import cdr
from ivr.policy.hotline import NO_STATION, coarse
from ivr.policy.reasons import NotRecorded
from ivr.records.listing import Wanted, page
from ivr.records.tables import call, evidence, recording, session
from tests.transcripts.play import World, demonstration

HOTLINES = """
[[number]]
number = "+1 217 555 0111"
label = "Reports of sexual abuse"
hotline_kind = "prea"
code = "77"

[[number]]
number = "+1 217 555 0112"
label = "Tips"
hotline_kind = "crime_tips"
code = "88"

[[number]]
number = "+1 217 555 0113"
label = "Legal aid"
hotline_kind = "legal_aid"
code = "555"
privileged = true

[[number]]
number = "+1 217 555 0114"
label = "Grievances"
hotline_kind = "grievance"
code = "66"

[[blocked]]    """
WITH_HOTLINES = ("[[blocked]]    ", HOTLINES)
CANARY = "canary-of-cell-seven"
AT_CANARY = ('id = "demo-a1"', f'id = "{CANARY}"')
CODE = """
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_id_and_pin
"""
PREA_CALL = f"""
    inmate:{CODE}
        > 77
        hotline_prea
        hotline_no_trace
        free_call time=15
        call_not_recorded
        please_hold
    called party:
        accept_menu_language
        provider_greeting
        > silence
        hotline_call facility=example-county-jail
        notice_not_recorded
        paid_free
        hotline_key.1
        accept_menu_language
        > 9
        wrong_key
        paid_free
        hotline_key.1
        accept_menu_language
        > 1
        connecting
    talks 83 s
    inmate:
        ending.completed
        goodbye
"""


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    structlog.contextvars.clear_contextvars()
    yield World(database, tmp_path, demonstration(WITH_HOTLINES, AT_CANARY))
    structlog.contextvars.clear_contextvars()


def everything(conn: Connection, of_records: bool) -> dict[str, list[str]]:
    """The rows of all tables of what happened, or of all tables that staff fill."""
    set_by_staff = ("facility", "station", "inmate", "audit")
    return {
        table.name: [str(row) for row in conn.execute(select(table))]
        for table in metadata.sorted_tables
        if (table.name not in set_by_staff) is of_records
    }


def test_a_call_to_report_sexual_abuse_leaves_no_trace_of_who_called(world: World, tmp_path: Path) -> None:
    world.at += timedelta(minutes=13, seconds=7)
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logged:
        world.plays(f"{PREA_CALL}\n    record:\n        completed free 83 s 0.00", station=CANARY)
    rows = world.database.read_now(everything, of_records=True)
    told = [*(row for found in rows.values() for row in found), *map(str, logged)]
    told += [str(path) for path in tmp_path.rglob("*")]
    told.append(str(structlog.contextvars.get_contextvars()))
    assert not [each for each in told if CANARY in each or "1001" in each or "Alex" in each]
    assert any(CANARY in row for row in world.database.read_now(everything, of_records=False)["station"])
    (row,) = world.database.read_now(lambda conn: conn.execute(select(call)).all())
    (off_hook,) = world.database.read_now(lambda conn: conn.execute(select(session)).all())
    assert (row.inmate, row.station_id, off_hook.inmate, off_hook.station_id) == (None, NO_STATION) * 2
    assert (row.not_recorded, row.charge, row.hotline_kind) == (NotRecorded.ANONYMOUS, 0, "prea")
    instants = [value for name, value in row._mapping.items() if name.endswith("_at") and value is not None]
    instants += [off_hook.started_at, off_hook.ended_at]
    assert len(instants) == 10
    assert {each - coarse(each) for each in instants} == {timedelta(0)}
    assert rows["evidence"] == rows["recording"] == []


def test_what_an_ordinary_call_leaves_would_be_seen(world: World) -> None:
    world.plays(
        f"""
    inmate:{CODE}
        > 10012468
        enter_number
        > hangs up
    """,
        station=CANARY,
    )
    rows = world.database.read_now(everything, of_records=True)
    assert any(CANARY in row for row in rows["session"])


def test_anonymous_calls_are_listed_only_where_asked_for(world: World) -> None:
    world.plays(f"{PREA_CALL}\n    record:\n        completed free 83 s 0.00", station=CANARY)
    assert world.database.read_now(page, Wanted(), 20) == []
    (row,) = world.database.read_now(page, Wanted(hidden=True), 20)
    assert world.database.read_now(cdr.ids_starting, row.id[:8]) == []
    assert world.database.read_now(cdr.ids_starting, row.id[:8], hidden=True) == [row.id]


def test_a_privileged_hotline_is_not_recorded_and_keeps_its_telephone(world: World) -> None:
    world.plays(
        f"""
    inmate:{CODE}
        > 555
        hotline_legal_aid
        free_call time=15
        call_not_recorded
        please_hold
    busy
    inmate:
        ending.busy
        goodbye
    record:
        busy free 0 s 0.00
    """,
        station=CANARY,
    )
    (row,) = world.database.read_now(page, Wanted(), 20)
    assert (row.inmate, row.station_id, row.not_recorded) == (None, CANARY, NotRecorded.PRIVILEGED)


def test_grievances_are_heard_recorded_and_free(world: World) -> None:
    world.plays(
        f"""
    inmate:{CODE}
        > 66
        hotline_grievance
        free_call time=15
        call_recorded
        please_hold
    called party:
        accept_menu_language
        provider_greeting
        > silence
        hotline_call facility=example-county-jail
        notice_recorded
        paid_free
        hotline_key.1
        accept_menu_language
        > 3
        cost_free
        hotline_key.1
        accept_menu_language
        > 2
        refused
    inmate:
        ending.refused
        goodbye
    record:
        refused free 0 s 0.00
    """,
        station=CANARY,
    )
    assert world.database.read_now(lambda conn: conn.execute(select(recording)).all()) == []
    assert world.database.read_now(lambda conn: conn.execute(select(evidence)).all()) == []


def test_outside_calling_hours_tips_are_refused_and_reports_of_abuse_are_not(
    database: Database, tmp_path: Path
) -> None:
    closed = ('closes = "24:00"', 'closes = "11:00"')
    world = World(database, tmp_path, demonstration(WITH_HOTLINES, closed))
    world.plays(f"""
    inmate:{CODE}
        > 88
        ending.outside_schedule
        goodbye
    record:
        outside_schedule nobody 0 s 0.00
    """)
    world.plays(f"""
    inmate:{CODE}
        > 77
        hotline_prea
        hotline_no_trace
        free_call time=15
        call_not_recorded
        please_hold
    no answer
    inmate:
        ending.no_answer
        goodbye
    record:
        outside_schedule nobody 0 s 0.00
    record:
        no_answer free 0 s 0.00
    """)


def test_a_code_that_is_none_is_a_wrong_pin(world: World) -> None:
    world.plays(
        f"""
    inmate:{CODE}
        > 78
        wrong_id_or_pin
        enter_id_and_pin
        > 77#
        wrong_id_or_pin
        enter_id_and_pin
        > silence
        ending.pin_invalid
        goodbye
    """,
        station=CANARY,
    )
