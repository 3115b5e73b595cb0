"""Limits of any level as a facility's file sets them, counted on the calls that were really made."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from accounts.db import Database
from ivr.controls import Grant, Refused
from ivr.controls.settlement import Ending, settle
from ivr.facility.file import FacilityFileError, Sources, parse, read
from ivr.policy.reasons import Cutoff, Denial, Outcome
from ivr.policy.talk import Evidence, Kind
from tests.controller import steps
from tests.fakes.loop import in_loop
from tests.transcripts.play import FACILITY, World, demonstration

CHEAP_PLAN = ('price = "20.00"', 'price = "0.06"')  # it pays within any limit of these tests
SOURCES = read(FACILITY)
TEXT = SOURCES.text

#: Where limits are set in the file, at each level that a call from demo-a1 to speed dial 2 meets.
PLACES = {
    "facility": ("[[plan]]", "[[facility.limit]]\n{}\n\n[[plan]]"),
    "unit": ('label = "Unit A"\n', 'label = "Unit A"\n[[unit.limit]]\n{}\n'),
    "station": (
        'label = "Unit A, second telephone"\nunit = "unit-a"\n',
        'label = "Unit A, second telephone"\nunit = "unit-a"\n[[station.limit]]\n{}\n',
    ),
    "inmate": ("[[inmate]]", "[[inmate.limit]]\n{}\n\n[[inmate]]"),
    "number": (
        "[[blocked]]",
        '[[number]]\nnumber = "2175550102"\nlabel = "S"\n[[number.limit]]\n{}\n[[blocked]]',
    ),
    "entry": ('speed_dial = "2"', 'speed_dial = "2", limit = [{ {} }]'),
}


def limited(database: Database, tmp_path: Path, place: str, **limit: object) -> World:
    """The demonstration with one limit at one level."""
    says = [
        f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}"
        for name, value in limit.items()
    ]
    old, new = PLACES[place]
    before, after = TEXT.split(old, 1)
    if place == "inmate":  # behind the first one
        first, after = after.split(old, 1)
        before += old + first
    between = ", " if place == "entry" else "\n"
    changed = before + new.replace("{}", between.join(says)) + after
    return World(database, tmp_path, parse(Sources(changed.replace(*CHEAP_PLAN), SOURCES.beside), "f"))


async def talked(world: World, seconds: float, keys: str = steps.PAID) -> None:
    """A call that was accepted, and talked for so long; its record is sealed."""
    call_id = await steps.accepted(world, keys, station="demo-a2")
    start = world.at
    world.at += timedelta(seconds=seconds)
    seen = [Evidence(Kind.TALK_FROM, start), Evidence(Kind.TALK_TO, world.at)]
    ending = Ending(Outcome.SYSTEM_FAULT)
    world.database.transact_now(settle, call_id, ending, at=world.at, version="test", seen=seen)


async def asked(world: World, keys: str = steps.PAID) -> Grant | Refused:
    return await steps.answer(world, keys, station="demo-a2")


@pytest.mark.parametrize("place", PLACES)
@in_loop
async def test_the_longest_call_of_any_level_holds(database: Database, tmp_path: Path, place: str) -> None:
    world = limited(database, tmp_path, place, longest_call_minutes=7)
    grant = await asked(world)
    assert isinstance(grant, Grant)
    assert (grant.limit_ms, grant.cutoff) == (420_000, Cutoff.LONGEST_CALL)


@pytest.mark.parametrize("place", PLACES)
@in_loop
async def test_the_calls_of_a_day_are_counted_at_any_level(
    database: Database, tmp_path: Path, place: str
) -> None:
    world = limited(database, tmp_path, place, calls=2, each="day")
    await talked(world, 60)
    await talked(world, 0.5)  # given back
    await talked(world, 60)
    assert await asked(world) == Refused(Denial.CALLS_USED, {"day": date(2026, 11, 24)})
    world.at += timedelta(hours=12)
    assert isinstance(await asked(world), Grant)


@in_loop
async def test_calls_to_other_numbers_count_for_the_inmate_but_not_for_the_number(
    database: Database, tmp_path: Path
) -> None:
    world = limited(database, tmp_path, "number", calls=1, each="week")
    await talked(world, 60, steps.SUBSCRIBED)
    assert isinstance(await asked(world), Grant)
    assert isinstance(await asked(world, "6"), Grant)


@in_loop
async def test_the_minutes_that_are_left_of_a_month_limit_the_call(
    database: Database, tmp_path: Path
) -> None:
    world = limited(database, tmp_path, "facility", minutes=20, each="month")
    await talked(world, 880)
    grant = await asked(world)
    assert isinstance(grant, Grant)
    assert (grant.limit_ms, grant.cutoff) == (320_000, Cutoff.ALLOWANCE)


@in_loop
async def test_minutes_are_used_up_when_less_than_one_is_left(database: Database, tmp_path: Path) -> None:
    world = limited(database, tmp_path, "facility", minutes=15, each="month")
    await talked(world, 841)
    assert await asked(world) == Refused(Denial.MINUTES_USED, {"day": date(2026, 12, 1)})


@in_loop
async def test_a_call_cools_off_from_its_end_and_one_that_was_not_connected_does_not(
    database: Database, tmp_path: Path
) -> None:
    world = limited(database, tmp_path, "facility", cooling_off_minutes=30)
    await talked(world, 0.5)
    assert isinstance(await asked(world), Grant)


@in_loop
async def test_after_a_call_the_next_one_waits(database: Database, tmp_path: Path) -> None:
    world = limited(database, tmp_path, "facility", cooling_off_minutes=30)
    await talked(world, 300)
    world.at += timedelta(minutes=10, seconds=1)
    assert await asked(world, steps.SUBSCRIBED) == Refused(Denial.COOLING_OFF, {"minutes": 20})
    assert isinstance(await asked(world, steps.PRIVILEGED), Grant)


@in_loop
async def test_a_number_is_not_tried_again_and_again(database: Database, tmp_path: Path) -> None:
    world = limited(database, tmp_path, "facility", attempts=2, in_minutes=10)
    for _ in range(2):
        await talked(world, 0.5)
        world.at += timedelta(minutes=3)
    assert await asked(world) == Refused(Denial.TOO_MANY_ATTEMPTS, {"minutes": 4})
    assert isinstance(await asked(world, steps.SUBSCRIBED), Grant)
    world.at += timedelta(minutes=4)
    assert isinstance(await asked(world), Grant)


@in_loop
async def test_a_limit_with_dates_holds_on_its_first_and_last_day_and_on_no_other(
    database: Database, tmp_path: Path
) -> None:
    dates = {"valid_from": date(2026, 11, 24), "valid_to": date(2026, 11, 25)}
    world = limited(database, tmp_path, "inmate", longest_call_minutes=7, **dates)
    found = []
    for _ in range(4):
        grant = await asked(world)
        assert isinstance(grant, Grant)
        found.append(grant.limit_ms)
        world.at += timedelta(days=1)
    assert found == [900_000, 420_000, 420_000, 900_000]


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("calls = 3", "calls needs each"),
        (
            "longest_call_minutes = 3\nvalid_from = 2026-12-02\nvalid_to = 2026-12-01",
            "valid_to 2026-12-01 is before valid_from 2026-12-02",
        ),
        ('longest_call_minutes = 3\nvalid_to = "soon"', "valid_to: expected a day or a time"),
        ('each = "day"', "expected exactly one of longest_call_minutes, calls"),
        ('calls = 3\nminutes = 4\neach = "day"', "expected exactly one of"),
        ('longest_call_minutes = 3\neach = "day"', "longest_call_minutes has no each"),
        ("attempts = 3", "attempts needs in_minutes"),
        ('calls = 3\neach = "year"', "each: Input should be 'day', 'week' or 'month'"),
        ("cooling_off_minutes = 2000", "less than or equal to 1440"),
    ],
)
def test_mistakes_in_limits_are_named(limit: str, told: str) -> None:
    with pytest.raises(FacilityFileError, match=told):
        demonstration(("[[plan]]", f"[[facility.limit]]\n{limit}\n\n[[plan]]"), CHEAP_PLAN)
