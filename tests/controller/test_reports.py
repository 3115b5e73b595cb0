"""Reports count every call once, on the day and in the hour of its facility, and draw what they count."""

import asyncio
import csv
import io
from datetime import date, timedelta
from pathlib import Path

import pytest

from accounts.db import Database
from ivr.reports.agency import agency_calls
from ivr.reports.calls import calls_by_hour
from ivr.reports.minutes import minutes_by_inmate
from ivr.reports.plot import draw
from ivr.reports.report import Days, Report, ReportError, Stack, days_of
from ivr.staff.changes import do, read
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.controller.test_limits import talked
from tests.controller.test_pricing import MASSACHUSETTS
from tests.controller.test_switches import settled
from tests.transcripts.play import KEY, World, demonstration

MONDAY = date(2026, 11, 23)
PNG = b"\x89PNG\r\n\x1a\n"


def days(database: Database, world: World, first: date = MONDAY, last: date = MONDAY) -> Days:
    return database.read_now(days_of, None, first, last, now=world.at, usual=7)


def test_calls_are_counted_in_their_local_hour_by_reason(
    database: Database, world: World, records: list[str]
) -> None:
    report = database.read_now(calls_by_hour, days(database, world))
    assert report.rows == [("12", "completed", 2, 2), ("12", "number_blocked", 1, 0)]
    assert report.summary[0] == "3 calls, 2 connected."
    assert report.bars[12] == Stack("12", {"completed": 2, "number_blocked": 1})
    assert len(report.bars) == 24
    assert report.across == "hour of the day"
    for other in (MONDAY - timedelta(days=1), MONDAY + timedelta(days=1)):
        assert database.read_now(calls_by_hour, days(database, world, other, other)).summary == ["No calls."]


def test_a_talk_that_staff_have_cut_off_was_connected(database: Database, world: World) -> None:
    call_id = asyncio.run(steps.accepted(world))
    given = {"call_id": call_id, "note": "threats", "author": "amy"}
    world.database.transact_now(do, "cut", read("cut", given), KEY, world.at)
    settled(world, call_id, -120.0, 0.0)
    report = database.read_now(calls_by_hour, days(database, world))
    assert report.summary == ["1 call, 1 connected.", "       1 100.0 %  cut_off"]


def test_minutes_stand_beside_what_was_possible(database: Database, world: World, records: list[str]) -> None:
    report = database.read_now(minutes_by_inmate, days(database, world), world.at)
    assert [row[:3] for row in report.rows] == [("1001", "", 2), ("1002", "", 0)]
    assert "no law is known" in report.summary[0]


def test_free_calls_and_what_the_agency_pays_stand_one_by_one(database: Database, tmp_path: Path) -> None:
    free = World(database, tmp_path, demonstration(*MASSACHUSETTS))
    asyncio.run(talked(free, 130))
    report = database.read_now(agency_calls, days(database, free))
    assert report.columns == ("date", "inmate", "number", "seconds", "price", "law")
    [(day, inmate, _, seconds, price, law)] = report.rows
    assert (day, inmate, seconds, law) == ("2026-11-23", "1001", 130, "ma-2023")
    assert report.summary == [f"1 call; the agency owes ${price}."]


def test_a_report_is_a_table_a_spreadsheet_and_a_picture(
    ivr: Ivr, records: list[str], tmp_path: Path
) -> None:
    over = ("--from", "2026-11-23", "--to", "2026-11-23")
    for name, columns in {
        "calls": ["hour", "reason", "calls", "talk_minutes"],
        "minutes": ["inmate", "unit", "used", "possible", "entitled", "short_days"],
        "agency": ["date", "inmate", "number", "seconds", "price", "law"],
    }.items():
        picture = tmp_path / f"{name}.png"
        shown = ivr("report", name, *over, "--png", str(picture))
        assert (shown.status, shown.err) == (0, "")
        assert "example-county-jail, 2026-11-23 to 2026-11-23" in shown.out
        assert all(len(line) <= 80 for line in shown.out.splitlines())
        assert next(csv.reader(io.StringIO(ivr("report", name, *over, "--csv").out))) == columns
        assert picture.read_bytes().startswith(PNG)


def test_a_picture_shows_the_largest_parts_and_sums_the_others(tmp_path: Path) -> None:
    parts = {f"part {number}": number for number in range(1, 12)}
    bars = [Stack("one", parts), Stack("two", {})]
    draw(Report("Title", (), (), (), bars, "calls", "hour"), tmp_path / "bars")
    assert (tmp_path / "bars").read_bytes().startswith(PNG)


def test_without_days_a_report_ends_yesterday(database: Database, world: World) -> None:
    assert database.read_now(days_of, None, None, None, now=world.at, usual=7) == Days(
        days(database, world).place, MONDAY - timedelta(days=7), MONDAY - timedelta(days=1)
    )
    today = database.read_now(days_of, None, MONDAY, None, now=world.at, usual=7)
    assert (today.first, today.last) == (MONDAY, MONDAY)
    with pytest.raises(ReportError, match="is before"):
        days(database, world, MONDAY, MONDAY - timedelta(days=1))


def test_whose_report_is_told(ivr: Ivr, on_database: str, world: World) -> None:
    assert is_one_line(ivr("report", "calls", "--facility", "nowhere"), "there is no facility nowhere")
