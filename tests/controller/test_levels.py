"""What each level of a facility sets holds for a call, and is what its file says."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from accounts.db import Database
from ivr.controls import Grant, Refused
from ivr.facility.file import FacilityFileError, Sources, parse, read
from ivr.facility.settings import holidays_around
from ivr.facility.tables import schedule_exception, schedule_window
from ivr.loading import load
from ivr.policy.reasons import Cutoff, Denial
from rating.area_codes import states_by_area_code
from tests.controller import steps
from tests.fakes.loop import in_loop
from tests.transcripts.play import FACILITY, KEY, World, demonstration

SOURCES = read(FACILITY)
TEXT = SOURCES.text
SOON = 'schedule = [{ days = "mon", opens = "08:00", closes = "12:05" }]'
NEVER = 'schedule = [{ days = "sun", opens = "08:00", closes = "12:05" }]'
DIALLED = '{ number = "+1 217 555 0102", speed_dial = "2"'

AGENCY = '[agency]\nid = "agency"\nname = "Agency"\n'
#: Where hours are set in the file, at each level that a call from demo-a1 to speed dial 2 meets.
PLACES = {
    "unit of the station": (
        'label = "Unit A"\n',
        'label = "Unit A"\n{}\n',
    ),
    "station": ('id = "demo-a1"', 'id = "demo-a1"\n{}'),
    "inmate": ('name = "Alex Example"', 'name = "Alex Example"\n{}'),
    "number": ("[[blocked]]", '[[number]]\nnumber = "+1 217 555 0102"\nlabel = "Shop"\n{}\n[[blocked]]'),
    "entry": (DIALLED, DIALLED + ", {}"),
}


def changed(place: str, hours: str) -> tuple[str, str]:
    old, new = PLACES[place]
    return old, new.replace("{}", hours)


@pytest.mark.parametrize("place", PLACES)
@in_loop
async def test_hours_of_any_level_end_a_call(database: Database, tmp_path: Path, place: str) -> None:
    world = World(database, tmp_path, demonstration(changed(place, SOON)))
    _, grant = await steps.decided(world, steps.PAID)
    assert isinstance(grant, Grant)
    assert (grant.limit_ms, grant.cutoff) == (300_000, Cutoff.SCHEDULE)


@pytest.mark.parametrize("place", PLACES)
@in_loop
async def test_hours_of_any_level_refuse_a_call(database: Database, tmp_path: Path, place: str) -> None:
    world = World(database, tmp_path, demonstration(changed(place, NEVER)))
    _, refused = await steps.decided(world, steps.PAID)
    assert refused == Refused(Denial.OUTSIDE_SCHEDULE, {})


@in_loop
async def test_the_hours_of_an_inmates_unit_hold_at_stations_elsewhere(
    database: Database, tmp_path: Path
) -> None:
    unit = f'[[unit]]\nid = "z"\nlabel = "Z"\n{NEVER}\n\n[[unit]]'
    file = demonstration(('name = "Alex Example"', 'name = "Alex Example"\nunit = "z"'), ("[[unit]]", unit))
    _, refused = await steps.decided(World(database, tmp_path, file), steps.PAID)
    assert refused == Refused(Denial.OUTSIDE_SCHEDULE, {})


@in_loop
async def test_hours_of_others_are_no_concern_of_a_call(database: Database, tmp_path: Path) -> None:
    file = demonstration(
        ('id = "demo-a2"', f'id = "demo-a2"\n{NEVER}'),
        ('name = "Sam Example"', f'name = "Sam Example"\n{NEVER}'),
        ('speed_dial = "1"', f'speed_dial = "1", {NEVER}'),
    )
    _, grant = await steps.decided(World(database, tmp_path, file), steps.PAID)
    assert isinstance(grant, Grant)


CLOSED = '[[facility.closure]]\nstarts = 2026-11-23T11:00:00\nends = 2026-11-23T13:00:00\nnote = "Count"\n'


@in_loop
async def test_a_closure_stands_with_its_note_and_author_until_the_file_drops_it(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path, demonstration(("[[plan]]", f"{CLOSED}\n[[plan]]")))
    (row,) = database.read_now(lambda conn: conn.execute(select(schedule_exception)).all())
    assert (row.note, row.author, row.set_at) == ("Count", "facility file", world.at)
    assert row.starts_at == datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert await refused(world) is Denial.OUTSIDE_SCHEDULE
    assert database.transact_now(load, demonstration(), KEY, world.at) == [
        "closure of the facility, 2026-11-23 11:00 to 2026-11-23 13:00: removed (note Count)"
    ]
    assert await refused(world) is None


async def refused(world: World) -> Denial | None:
    outcome = await steps.answer(world)
    return outcome.reason if isinstance(outcome, Refused) else None


@in_loop
async def test_holidays_are_the_states_and_those_that_the_facility_adds(
    database: Database, tmp_path: Path
) -> None:
    only = '[[facility.schedule]]\ndays = "holiday"\nopens = "15:00"\ncloses = "16:00"\n\n[[plan]]'
    world = World(database, tmp_path, demonstration(("[[plan]]", only)))
    assert await refused(world) is None
    world.at = datetime(2026, 11, 26, 18, tzinfo=UTC)  # Thanksgiving, noon in Chicago
    assert await refused(world) is Denial.OUTSIDE_SCHEDULE
    world.at = datetime(2026, 11, 27, 18, tzinfo=UTC)
    assert await refused(world) is None
    added = only.replace(
        "[[plan]]", '[[facility.holiday]]\ndate = 2026-11-27\nname = "Staff day"\n\n[[plan]]'
    )
    database.transact_now(load, demonstration(("[[plan]]", added)), KEY, world.at)
    assert await refused(world) is Denial.OUTSIDE_SCHEDULE


def test_every_state_and_territory_has_holidays() -> None:
    for state in {value for value in states_by_area_code().values() if value.startswith("US-")}:
        assert len(holidays_around(state.removeprefix("US-"), datetime(2026, 12, 28, tzinfo=UTC).date())) > 8


def test_what_a_file_does_not_name_keeps_its_hours(database: Database, tmp_path: Path) -> None:
    both = demonstration(changed("inmate", SOON), ('id = "demo-a2"', f'id = "demo-a2"\n{SOON}'))
    world = World(database, tmp_path, both)
    text = TEXT[: TEXT.index("[[station]]")] + TEXT[TEXT.index("\n[[number]]") :]
    assert database.transact_now(load, parse(Sources(text, SOURCES.beside), "f"), KEY, world.at) == []
    scopes = database.read_now(lambda conn: conn.scalars(select(schedule_window.c.scope)).all())
    assert len(scopes) == 9


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('unit = "unit-a"', 'unit = "z"', "station demo-a1: there is no unit z in this file"),
        ('id = "1002"', 'id = "1002"\nunit = "z"', "inmate 1002: there is no unit z in this file"),
        ("[[plan]]", CLOSED.replace("T13", "T10") + "[[plan]]", "is not after starts"),
        ("[[plan]]", CLOSED.replace("T13:00:00", "T13:00:00Z") + "[[plan]]", "without an offset"),
        ("[[plan]]", CLOSED.replace('"Count"', '""') + "[[plan]]", "closure.0.note: String should have"),
    ],
)
def test_mistakes_in_levels_are_named(old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(FacilityFileError, match=told):
        parse(Sources(TEXT.replace(old, new), SOURCES.beside), "f")
