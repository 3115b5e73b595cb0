"""`ivr explain --booking` answers for somebody who was arrested a moment ago, as an intake station would."""

import asyncio
import json
from pathlib import Path

import pytest

from accounts.db import Database
from ivr.controls import Grant
from tests.controller.conftest import Ivr
from tests.controller.test_nobody_pays import BOOKING, CODE, LOCAL, ON_A_BOOKING, authorised, world_of
from tests.transcripts.play import World

AT_THE_DESK = ("explain", "--station", "desk", "--at", "2026-11-23T12:30")  # booked and arrested at 11:00


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return world_of(database, tmp_path)


def test_it_answers_as_the_intake_station_does(ivr: Ivr, world: World, on_database: str) -> None:
    _, granted = asyncio.run(authorised(world, *ON_A_BOOKING, LOCAL))
    assert isinstance(granted, Grant)

    def asked(number: str, *more: str) -> dict[str, object]:
        words = (*AT_THE_DESK, "--booking", BOOKING, "--number", number, "--json", *more)
        found: dict[str, object] = json.loads(ivr(*words).out)
        return found

    near = asked(LOCAL)
    assert (near["decision"], near["payer"], near["booking"], near["inmate"]) == (
        "allow",
        "free",
        BOOKING,
        None,
    )
    assert asked("3125550103")["reason"] == "intake_local_only"
    assert asked(LOCAL, "--at", "2026-11-24T12:30")["reason"] == "intake_time_over"
    said = ivr(*AT_THE_DESK, "--booking", BOOKING, "--number", LOCAL).out
    assert said.startswith(f"booking {BOOKING}, number +1{LOCAL}, ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--number", LOCAL), "desk is an intake station: calls there need a booking"),
        (("--number", LOCAL, "--inmate", "1001"), "desk is an intake station: calls there need a booking"),
        (("--number", LOCAL, "--booking", "999999"), "example-county-jail has no booking 999999"),
        (
            ("--number", LOCAL, "--booking", "1", "--inmate", "1001"),
            "expected an inmate or a booking, not both",
        ),
        (
            ("--number", LOCAL, "--booking", BOOKING, "--station", "demo-a1"),
            "demo-a1 is no intake station: no booking is keyed there",
        ),
    ],
)
def test_what_cannot_be_is_told_in_a_line(
    ivr: Ivr, world: World, on_database: str, words: tuple[str, ...], told: str
) -> None:
    said = ivr(*AT_THE_DESK, *words)
    assert (said.status, said.err) == (1, f"ivr: {told}\n")


def test_a_hotlines_code_needs_no_booking(ivr: Ivr, world: World, on_database: str) -> None:
    assert json.loads(ivr(*AT_THE_DESK, "--number", CODE, "--json").out)["decision"] == "allow"
