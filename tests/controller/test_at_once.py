"""One call in progress an inmate, and one a called number: the database is the judge of who was quicker."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from sqlalchemy import delete

from accounts.db import Database
from ivr.controls import Grant, InmateControls, Refused, authorisation
from ivr.controls.settlement import Ending, settle
from ivr.facility.file import Sources, parse, read
from ivr.facility.tables import special_number
from ivr.loading import load
from ivr.policy.reasons import Denial, Outcome
from ivr.records.history import history
from ivr.records.states import CallState
from tests.controller import steps
from tests.database import only_postgresql
from tests.fakes.loop import in_loop
from tests.transcripts.play import FACILITY, KEY, World


@pytest.fixture
def homes(world: World) -> World:
    """Several inmates who all may call the same numbers, of which none is an office."""
    steps.crowd(world, 8)
    world.database.transact_now(lambda conn: conn.execute(delete(special_number)))
    return world


INMATES = [f"{2000 + n}2468" for n in range(8)]


def outcomes_of(waiting: list[InmateControls]) -> list[Grant | Refused]:
    """All decide at the same moment."""

    def decide(controls: InmateControls) -> Callable[[], Grant | Refused]:
        return lambda: asyncio.run(controls.authorise())

    return steps.at_once([decide(controls) for controls in waiting])


def assert_one_is_granted(world: World, outcomes: list[Grant | Refused], reason: Denial) -> None:
    granted = [each for each in outcomes if isinstance(each, Grant)]
    refused = [each for each in outcomes if isinstance(each, Refused)]
    assert len(granted) == 1
    assert {each.reason for each in refused} == {reason}
    assert len(world.database.read_now(steps.open_holds)) == 1
    steps.assert_books_are_right(world)


def test_of_calls_to_one_number_at_the_same_moment_one_is_made(homes: World) -> None:
    waiting = [asyncio.run(steps.keyed(homes, steps.PAID, who=who)) for who in INMATES]
    assert_one_is_granted(homes, outcomes_of(waiting), Denial.NUMBER_ON_A_CALL)


def test_of_calls_with_one_id_at_the_same_moment_one_is_made(homes: World) -> None:
    keys = ("1", "2", "4", "6", "7", "8")
    waiting = [asyncio.run(steps.keyed(homes, each)) for each in keys]
    assert_one_is_granted(homes, outcomes_of(waiting), Denial.INMATE_ON_A_CALL)


@only_postgresql
def test_who_looked_before_the_other_was_there_is_refused_by_the_database(homes: World) -> None:
    """Every first look is held until all have looked, so that none has seen another's call."""
    callers = 4
    waiting = [asyncio.run(steps.keyed(homes, steps.PAID, who=who)) for who in INMATES[:callers]]
    first, together = history, threading.Barrier(callers)
    looks: list[str] = []

    def look(*args: object, **asked: object) -> object:
        seen = first(*args, **asked)  # type: ignore[arg-type]
        looks.append("look")
        if len(looks) <= callers:
            together.wait(10)
        return seen

    with mock.patch.object(authorisation, "history", look):
        outcomes = outcomes_of(waiting)
    assert len(looks) > callers
    assert_one_is_granted(homes, outcomes, Denial.NUMBER_ON_A_CALL)


@in_loop
async def test_a_call_that_is_over_makes_room(homes: World) -> None:
    call_id = await steps.accepted(homes)
    assert await steps.answer(homes, who=INMATES[0]) == Refused(Denial.NUMBER_ON_A_CALL, {})
    assert await steps.answer(homes, "6") == Refused(Denial.INMATE_ON_A_CALL, {})
    assert isinstance(await steps.answer(homes, "6", who=INMATES[0]), Grant)
    ended = Ending(Outcome.SYSTEM_FAULT)
    homes.database.transact_now(settle, call_id, ended, at=homes.at, version="test")
    assert isinstance(await steps.answer(homes, who=INMATES[0]), Grant)
    assert isinstance(await steps.answer(homes, "6"), Grant)


@in_loop
async def test_an_office_takes_several_calls(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    calls = [await steps.accepted(world, who=who) for who in steps.crowd(world, 3)]
    states = {steps.record(world, each).state for each in calls}
    assert states == {CallState.ACCEPTED}


@in_loop
async def test_a_privileged_number_takes_several_calls(homes: World, tmp_path: Path) -> None:
    again = World(homes.database, tmp_path)  # its special numbers are there again
    for who in INMATES[:2]:
        await steps.accepted(again, steps.PRIVILEGED, who=who)


@in_loop
async def test_a_call_from_another_facility_keeps_the_number_busy_too(homes: World) -> None:
    sources = read(FACILITY)
    text = sources.text.replace("example-county-jail", "other-jail").replace('"demo-', '"other-')
    other = parse(Sources(text.partition("[[prepaid]]")[0], sources.beside), "f")
    homes.database.transact_now(load, other, KEY, homes.at)
    homes.record_names()
    await steps.accepted(homes)
    outcome = await steps.answer(homes, station="other-a1")
    assert outcome == Refused(Denial.NUMBER_ON_A_CALL, {})
