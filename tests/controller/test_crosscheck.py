"""Asterisk's own records of a day are held against ours, and every difference is told."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from accounts.db import Database
from ivr.controls.settlement import Ending, settle
from ivr.crosscheck import CONNECTED, RUNG, Difference, Kept, differences, kept_by_asterisk
from ivr.policy.hotline import NO_STATION, HotlineKind
from ivr.policy.reasons import Outcome
from ivr.policy.talk import Evidence, Kind
from ivr.records import calls, listening
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.transcripts.play import World

NOON = datetime(2026, 11, 23, 18, tzinfo=UTC)  # in Chicago
SINCE, UNTIL = NOON.replace(hour=6), NOON.replace(day=24, hour=6)
UNKNOWN = "f" * 32


def told(database: Database, kept: Kept) -> list[Difference]:
    return database.read_now(differences, kept, SINCE, UNTIL)


def test_records_that_agree_differ_in_nothing(database: Database, records: list[str]) -> None:
    prepaid, subscribed, _, _ = records
    assert told(database, Kept({prepaid: NOON, subscribed: NOON}, frozenset({prepaid, subscribed}))) == []


def test_each_difference_is_told(database: Database, records: list[str]) -> None:
    prepaid, subscribed, refused, _ = records
    kept = Kept({subscribed: NOON, UNKNOWN: NOON, "e" * 32: UNTIL}, frozenset({refused}))
    assert told(database, kept) == [
        Difference(prepaid, "rung here; Asterisk has no record"),
        Difference(subscribed, "a talk here; Asterisk connected nobody"),
        Difference(refused, "connected by Asterisk; no talk here"),
        Difference(UNKNOWN, "rung by Asterisk; no record here"),
    ]


def test_what_asterisk_keeps_no_record_of_since_it_keeps_no_trace_is_not_missed(world: World) -> None:
    call_id = asyncio.run(steps.accepted(world))
    anonymous = {"hotline_kind": HotlineKind.PREA, "inmate": None, "station_id": NO_STATION}
    world.database.transact_now(lambda conn: calls.set_values(conn, call_id, **anonymous))
    seen = [Evidence(kind, world.at) for kind in (Kind.TALK_FROM, Kind.TALK_TO)]
    ended = Ending(Outcome.SYSTEM_FAULT, "ANSWER")
    world.database.transact_now(settle, call_id, ended, at=world.at, version="test", seen=seen)
    assert steps.record(world, call_id).dialled_at is not None
    assert told(world.database, Kept({}, frozenset({call_id}))) == []


def test_a_telephone_of_staff_that_was_rung_to_listen_is_no_call(world: World, records: list[str]) -> None:
    prepaid, subscribed, _, going_on = records
    heard = "d" * 32
    who: dict[str, Any] = {"author": "ida", "note": "Case 17", "phone": "staff-desk"}
    world.database.transact_now(
        lambda conn: listening.begin(conn, listening_id=heard, call_id=going_on, at=world.at, **who)
    )
    kept = Kept({prepaid: NOON, subscribed: NOON, heard: NOON}, frozenset({prepaid, subscribed}))
    assert told(world.database, kept) == []


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The folder in which Asterisk keeps its records."""
    folder = tmp_path / "state" / "asterisk" / "log"
    for file in (RUNG, CONNECTED):
        (folder / file).parent.mkdir(parents=True)
    return folder


def test_the_command_tells_what_asterisk_has_kept(
    ivr: Ivr, on_database: str, records: list[str], log: Path
) -> None:
    day = ("cdr", "audit", "--day", "2026-11-23")
    assert is_one_line(ivr(*day), "Asterisk has kept no records in")
    prepaid, subscribed, _, _ = records
    (log / RUNG).write_text(f",,,2026-11-23T18\n{prepaid},ANSWERED,90,2026-11-23T18\n")
    (log / RUNG).with_suffix(".csv.1").write_text(f"{subscribed},ANSWERED,90,2026-11-23T18\n")
    (log / CONNECTED).write_text(f"{prepaid},2026-11-23T18+0000\n{subscribed},2026-11-23T12-0600\n")
    assert kept_by_asterisk(log).connected == {prepaid, subscribed}
    said = ivr(*day)
    assert (said.status, said.out) == (0, "example-county-jail, 2026-11-23 to 2026-11-23: the two agree.\n")
    (log / CONNECTED).unlink()
    said = ivr(*day)
    assert said.status == 1
    assert said.out.count("Asterisk connected nobody") == 2
