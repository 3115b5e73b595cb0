"""What settings leave each inmate of a day, what was used of it, and where that is less than a law gives."""

import csv
import io
import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.db import Database
from ivr.entitlements import EntitlementError, Given, alert_shortfalls, entitlements
from ivr.facility.check import findings
from ivr.facility.possible import alerts
from ivr.jobs import run_round
from ivr.loading import load
from ivr.policy.level import Level
from ivr.policy.possible import Telephone, possible_minutes, within_reach
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
from ivr.policy.schedule import Schedule, Window
from ivr.records.alerts import open_alerts
from tests.controller.conftest import Ivr
from tests.controller.kept import places_in
from tests.controller.test_cli import is_one_line
from tests.controller.test_limits import talked
from tests.controller.test_staff import does
from tests.fakes.loop import in_loop
from tests.policy.requests import CHICAGO, EVERY_DAY
from tests.policy.test_schedule import WINDOWS
from tests.transcripts.play import KEY, World, demonstration

#: Connecticut's law gives each person in a state prison 90 minutes a day.
SECOND = 'label = "Unit A, second telephone"\n'
CONNECTICUT = (
    (f'{SECOND}unit = "unit-a"\n', SECOND),  # for everybody
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


def days_of(world: World, first: date | None = None, last: date | None = None) -> list[Given]:
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
    rows = days_of(connecticut, MONDAY, date(2026, 11, 24))
    assert [(each.inmate, each.possible, each.entitled, each.short) for each in rows] == [
        ("1001", 60, 90, True),
        ("1002", 1440, 90, False),
    ] * 2
    does(connecticut, "inmate release", inmate_id="1002")
    assert [each.inmate for each in days_of(connecticut)] == ["1001"]


@in_loop
async def test_talk_is_counted_on_the_day_of_its_call(world: World) -> None:
    await talked(world, 300)
    [alex, _] = days_of(world)
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
    assert {each.possible for each in days_of(connecticut, MONDAY)} == {90}
    assert {each.possible for each in days_of(connecticut, date(2026, 11, 24))} == {1440}


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


def hour(first: int, last: int) -> Schedule:
    return Schedule([Window(day, time(first), time(last)) for day in range(7)])


def test_somebody_may_call_while_one_of_their_telephones_is_open_within_its_limits() -> None:
    early, late = Telephone([hour(8, 10)]), Telephone([hour(9, 12)])
    short = Telephone([hour(8, 12)], [MinuteQuota(Level.STATION, 60, Each.DAY, Counted.INMATE)])

    def minutes(*telephones: Telephone) -> int:
        return possible_minutes([hour(9, 20)], [], 900_000, MONDAY, CHICAGO, telephones=telephones)

    assert minutes(early, late) == 180
    assert minutes(early) == 60
    assert (minutes(short), minutes(short, late)) == (60, 180)
    narrow = Telephone([], [MinuteQuota(Level.STATION, 60, Each.DAY, Counted.INMATE)])
    assert minutes(narrow, early) == 120  # an hour at the one that is always open, an hour at the other
    wider = Telephone([], [MinuteQuota(Level.STATION, 90, Each.DAY, Counted.INMATE)])
    assert minutes(narrow, wider) == 90  # a quota of a telephone counts calls from all
    assert minutes(Telephone([hour(8, 10), hour(10, 12)])) == 0
    assert minutes() == 0
    assert within_reach("a", [("a", 1), ("b", 2), (None, 3)]) == [1, 3]
    assert within_reach("c", [("a", 1), ("b", 2)]) == [1, 2]


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1), MONDAY])
@given(WINDOWS, st.lists(WINDOWS, max_size=3))
def test_possible_are_the_quarters_in_which_somebody_and_a_telephone_are_open(
    day: date, own: list[Window], telephones: list[list[Window]]
) -> None:
    person, others = Schedule(own), [Schedule(each) for each in telephones]
    at, ends = (datetime.combine(day + timedelta(n), time(0), CHICAGO).astimezone(UTC) for n in (0, 1))
    quarters = 0
    while at < ends:
        local = at.astimezone(CHICAGO)
        quarters += bool(person.open_until(local) and any(each.open_until(local) for each in others))
        at += timedelta(minutes=15)
    in_reach = [Telephone([each]) for each in others]
    assert possible_minutes([person], [], 900_000, day, CHICAGO, telephones=in_reach) == 15 * quarters


TELEPHONES = tuple(
    (of, f'{of}[[station.schedule]]\ndays = "mon-sun"\nopens = "{opens}"\ncloses = "{closes}"\n')
    for of, opens, closes in (
        ('"inband", "info": see docs/controls.md\n', "18:00", "19:00"),  # the end of the first telephone's
        (SECOND, "18:30", "19:15"),
    )
)


def test_hours_of_the_telephones_in_reach_count_together(connecticut: World) -> None:
    told = loads(connecticut, *TELEPHONES)
    assert any("alert: inmates of no unit: 45 minutes are possible on 2026-11-23" in line for line in told)
    does(connecticut, "inmate move", inmate_id="1001", unit="unit-a")
    assert [each.possible for each in days_of(connecticut)] == [75, 45]
    loads(connecticut, TELEPHONES[0])  # the one for everybody has no hours of its own now
    assert [each.possible for each in days_of(connecticut)] == [1440, 1440]
    found = findings(demonstration(*CONNECTICUT, *TELEPHONES), connecticut.at)
    assert any(
        each.startswith("telephones of no unit: open for 45 minutes on mon, tue, wed, thu, fri, sat, sun: ")
        for each in found
    )
    assert not any("telephones" in each for each in findings(demonstration(*CONNECTICUT), connecticut.at))


def test_an_agencys_limits_count(connecticut: World) -> None:
    rules = '[agency]\nid = "dept"\nname = "Department"\n[[agency.limit]]\nminutes = 60\neach = "day"\n'
    connecticut.database.transact_now(load, demonstration(*CONNECTICUT, agency=rules), KEY, connecticut.at)
    assert {each.possible for each in days_of(connecticut)} == {60}


def test_what_was_switched_off_was_not_possible_and_what_is_off_is_not(connecticut: World) -> None:
    world, days = connecticut, (MONDAY, date(2026, 11, 24))

    def possible() -> list[int]:
        rows = days_of(world, *days)
        return [each.possible for each in rows if each.inmate == "1001"]

    does(world, "inmate move", inmate_id="1001", unit="unit-a")
    begun = world.at.astimezone(ZoneInfo("America/New_York"))
    before = begun.hour * 60 + begun.minute
    does(world, "off", level="station", which="demo-a1", let="finish")
    assert possible() == [1440, 1440]  # there is another telephone
    does(world, "off", level="unit", which="unit-a", let="now")
    assert possible() == [before, 0]
    world.at += timedelta(hours=2)
    does(world, "on", level="unit", which="unit-a")
    assert possible() == [1320, 1440]
    does(world, "off", level="station", which="demo-a2", let="now")
    assert possible() == [before, 0]


def test_a_day_that_was_short_is_told_of_once_on_the_day_after(connecticut: World) -> None:
    world, places = connecticut, places_in(connecticut.node.recordings)
    world.at = datetime(2026, 11, 23, 1, tzinfo=ZoneInfo("America/New_York"))

    def runs(at: datetime) -> list[str]:
        while run_round(world.database, places, "entitlements", at).more:
            pass
        return [row.text for row in world.database.read_now(open_alerts)]

    assert runs(world.at) == []  # no day that is over, or to come, is short
    does(world, "off", level="facility", which="example-county-jail", let="now")
    world.at += timedelta(hours=22, minutes=45)
    does(world, "on", level="facility", which="example-county-jail")
    assert runs(world.at) == []  # it has looked today
    [told] = runs(world.at + timedelta(hours=3))
    assert told.startswith("example-county-jail: inmates of no unit: 75 minutes were possible on 2026-11-23")
    assert runs(world.at + timedelta(hours=4)) == [told]
    assert runs(world.at + timedelta(days=2)) == [told]
