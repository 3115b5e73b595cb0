"""What settings leave each inmate of a day, what was used of it, and where that is less than a law gives."""

import csv
import io
import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from accounts.db import Database
from ivr.entitlements import EntitlementError, Given, alert_shortfalls, entitlements
from ivr.facility.possible import alerts
from ivr.loading import load
from ivr.policy.level import Level
from ivr.policy.possible import possible_minutes
from ivr.policy.quantity import (
    CallLimit,
    CallQuota,
    CoolingOff,
    Counted,
    Each,
    From,
    LongestCall,
    MinuteQuota,
    Velocity,
)
from ivr.policy.schedule import Schedule
from ivr.records.alerts import open_alerts
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.controller.test_limits import talked
from tests.controller.test_staff import does
from tests.fakes.loop import in_loop
from tests.policy.requests import CHICAGO, EVERY_DAY
from tests.transcripts.play import KEY, World, demonstration

#: Connecticut's law gives each person in a state prison 90 minutes a day.
CONNECTICUT = (
    ('kind = "jail"', 'kind = "prison"'),
    ('operator = "county"', 'operator = "state"'),
    ('state = "IL"', 'state = "CT"'),
    ('time_zone = "America/Chicago"', 'time_zone = "America/New_York"'),
    ('[[plan]]\nid = "family-100"\nprice = "20.00"\ncalls = 100\n', ""),  # calls are free by law
)
AN_HOUR = '\n[[unit.schedule]]\ndays = "mon-sun"\nopens = "18:00"\ncloses = "19:00"\n'
SHORT_UNIT = ('label = "Unit A"\n', f'label = "Unit A"\n{AN_HOUR}')
MONDAY = date(2026, 11, 23)


@pytest.fixture
def connecticut(database: Database, tmp_path: Path) -> World:
    """The demonstration as a state prison of Connecticut."""
    return World(database, tmp_path, demonstration(*CONNECTICUT))


def loads(world: World, *edits: tuple[str, str]) -> list[str]:
    return world.database.transact_now(load, demonstration(*CONNECTICUT, *edits), KEY, world.at)


def given(world: World, first: date | None = None, last: date | None = None) -> list[Given]:
    return world.database.read_now(entitlements, None, first, last, world.at)


LIMITS: list[tuple[list[CallLimit], int]] = [
    ([], 900),
    ([MinuteQuota(Level.UNIT, 60, Each.DAY, Counted.INMATE)], 60),
    ([MinuteQuota(Level.UNIT, 60, Each.DAY, Counted.NUMBER)], 900),
    ([MinuteQuota(Level.UNIT, 700, Each.WEEK, Counted.INMATE)], 100),
    ([CallQuota(Level.INMATE, 4, Each.DAY, Counted.INMATE)], 60),
    ([CallQuota(Level.INMATE, 4, Each.DAY, Counted.INMATE), LongestCall(Level.INMATE, 600_000)], 40),
    ([CallQuota(Level.INMATE, 60, Each.MONTH, Counted.INMATE)], 30),
    ([CoolingOff(Level.FACILITY, 30, From.END, Counted.INMATE)], 300),
    ([CoolingOff(Level.FACILITY, 30, From.START, Counted.INMATE)], 450),
    ([Velocity(Level.FACILITY, 1, 1440, Counted.INMATE)], 15),
    ([Velocity(Level.FACILITY, 2, 500, Counted.INMATE)], 60),
    ([Velocity(Level.FACILITY, 1, 1440, Counted.PAIR)], 900),
]


@pytest.mark.parametrize(("limits", "minutes"), LIMITS)
def test_the_tightest_limit_counts(limits: list[CallLimit], minutes: int) -> None:
    assert possible_minutes([EVERY_DAY], limits, 900_000, MONDAY, CHICAGO) == minutes


def test_a_day_of_a_clock_change_has_an_hour_more_or_less() -> None:
    for day, hours in ((date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (MONDAY, 24)):
        assert possible_minutes([Schedule(None)], [], 900_000, day, CHICAGO) == hours * 60


@in_loop
async def test_what_was_possible_and_used_stands_beside_what_the_law_gives(connecticut: World) -> None:
    loads(connecticut, SHORT_UNIT)
    does(connecticut, "inmate move", inmate_id="1001", unit="unit-a")
    rows = given(connecticut, MONDAY, date(2026, 11, 24))
    assert [(each.inmate, each.possible, each.entitled, each.short) for each in rows] == [
        ("1001", 60, 90, True),
        ("1002", 1440, 90, False),
    ] * 2
    does(connecticut, "inmate release", inmate_id="1002")
    assert [each.inmate for each in given(connecticut)] == ["1001"]


@in_loop
async def test_talk_is_counted_on_the_day_of_its_call(world: World) -> None:
    await talked(world, 300)
    [alex, _] = given(world)
    assert (alex.day, alex.used, alex.entitled, alex.short) == (MONDAY, 5, None, False)


def test_a_load_and_a_start_are_told_of_settings_that_break_the_law(connecticut: World) -> None:
    assert alerts_of(connecticut) == []
    does(connecticut, "inmate move", inmate_id="1001", unit="unit-a")
    told = loads(connecticut, SHORT_UNIT)
    line = "inmates of unit-a: 60 minutes are possible on 2026-11-23: the law gives each person 90 a day ("
    assert any(each.startswith(f"alert: {line}") for each in told), told
    [alert] = alerts_of(connecticut)
    assert alert.startswith(f"example-county-jail: {line}")
    for _ in range(2):  # a start tells what is not told yet
        connecticut.database.transact_now(alert_shortfalls, connecticut.at)
        connecticut.at += timedelta(days=1)
    assert [row.text for row in connecticut.database.read_now(open_alerts)] == [alert]


def alerts_of(world: World) -> list[str]:
    return world.database.read_now(alerts, world.at)


def test_closures_and_holidays_are_looked_at(connecticut: World) -> None:
    closed = (
        '\n[[facility.closure]]\nstarts = 2026-11-23T01:00:00\nends = 2026-11-23T23:30:00\nnote = "Repairs"\n'
    )
    loads(connecticut, ("\n[[unit]]", f"{closed}\n[[unit]]"))
    assert {each.possible for each in given(connecticut, MONDAY)} == {90}
    assert {each.possible for each in given(connecticut, date(2026, 11, 24))} == {1440}


def test_the_command_shows_a_table_json_and_csv(ivr: Ivr, connecticut: World, on_database: str) -> None:
    loads(connecticut, SHORT_UNIT)
    does(connecticut, "inmate move", inmate_id="1001", unit="unit-a")
    words = ("entitlements", "--day", "2026-11-24")
    table = ivr(*words)
    assert (table.status, table.err) == (0, "")
    assert table.out.endswith("1 of 2 days of inmates are short of what the law gives.\n")
    assert max(map(len, table.out.splitlines())) <= 80
    [short] = map(json.loads, ivr(*words, "--short", "--json").out.splitlines())
    assert (short["inmate"], short["possible"], short["entitled"], short["short"]) == ("1001", 60, 90, True)
    rows = list(csv.DictReader(io.StringIO(ivr(*words, "--csv").out)))
    assert [(row["inmate"], row["short"]) for row in rows] == [("1001", "yes"), ("1002", "")]
    span = ("--from", "2026-11-24", "--to", "2026-11-26", "--json")
    assert len(ivr("entitlements", *span).out.splitlines()) == 6
    for far in ("9999-12-31", "0001-01-01"):
        refused = ivr("entitlements", "--day", far)
        assert refused.status == 2
        assert "expected a year from 2000 to 2100" in " ".join(refused.err.replace("│", " ").split())
    backwards = ("--from", "2026-11-24", "--to", "2026-11-23")
    assert is_one_line(ivr("entitlements", *backwards), "is before")
    assert is_one_line(ivr("entitlements", "--facility", "nowhere"), "no facility nowhere")
    with pytest.raises(EntitlementError):
        connecticut.database.read_now(entitlements, "nowhere", None, None, connecticut.at)
