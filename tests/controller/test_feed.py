"""The jail-management system's feed: each event once, each file whole or not at all, every bad row told."""

from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy import Row, func, select

from ivr.config import load_settings
from ivr.controls import Refused
from ivr.facility.daily import inmate_event
from ivr.facility.tables import inmate
from ivr.feeding import Folder
from ivr.policy.reasons import Denial
from ivr.staff import changes
from ivr.staff.desk import StaffError
from ivr.staff.shown import Wanted, changes_shown
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.controller.test_facility_file import contents
from tests.controller.test_staff import does, loads
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World

HEADER = "event_id,at,event,inmate_id,name,unit,pin\n"
BOOKING = "e1,2026-11-23T08:00,booked,1003,Kim Example,unit-a,975310\n"


def fed(world: World, lines: str, header: str = HEADER) -> str:
    asked = changes.read("feed", {"file": "jms.csv", "csv": header + lines, "note": "feed", "author": "feed"})
    return world.database.transact_now(changes.do, "feed", asked, KEY, world.at)


def who(world: World, inmate_id: str = "1003") -> Row[Any]:
    row = select(inmate).where(inmate.c.inmate_id == inmate_id)
    return world.database.read_now(lambda conn: conn.execute(row).one())


@in_loop
async def test_somebody_who_is_booked_moved_and_released(world: World) -> None:
    lines = (
        BOOKING
        + "e3,2026-11-23T10:00-06:00,released,1003,,,\n"  # lines stand in any order
        + "e2,2026-11-23T09:00,moved,1003,,unit-a,\n"
    )
    assert fed(world, lines) == "jms.csv: 1 booked, 1 moved, 1 released"
    assert (who(world).state, who(world).unit_id) == ("released", "unit-a")
    events = select(inmate_event.c.feed_id, inmate_event.c.kind).order_by(inmate_event.c.at)
    assert [tuple(row) for row in world.database.read_now(lambda conn: conn.execute(events).all())] == [
        ("e1", "booked"),
        ("e2", "moved"),
        ("e3", "released"),
    ]
    refused = await steps.answer(world, who="1003975310")
    assert isinstance(refused, Refused)
    assert refused.reason is Denial.INMATE_RELEASED
    assert fed(world, "e4,2026-11-23T11:00,booked,1003,,,\n").endswith("1 booked")
    assert who(world).state == "active"
    [*_, first] = world.database.read_now(changes_shown, Wanted(author="feed"))
    assert first["about"] == "feed jms.csv"


def test_an_event_is_taken_in_once(world: World) -> None:
    fed(world, BOOKING)
    before = world.database.read_now(contents)
    assert fed(world, BOOKING) == "jms.csv: 1 known before"
    after = world.database.read_now(contents)
    assert {name for name in before if before[name] != after[name]} == {"audit"}


@pytest.mark.parametrize(
    "other",
    [
        BOOKING.replace("booked", "released").replace("975310", ""),
        BOOKING.replace("1003", "1004"),
        BOOKING.replace("T08:00", "T08:01"),
        BOOKING.replace("unit-a", ""),
    ],
)
def test_an_event_id_of_another_event_is_refused_with_its_line(world: World, other: str) -> None:
    fed(world, BOOKING)
    told = "jms.csv: line 2: event_id: e1 was taken in before for another event: "
    told += "booked, inmate 1003, 2026-11-23 14:00 UTC"
    with pytest.raises(StaffError) as refusal:
        fed(world, other)
    assert str(refusal.value).splitlines()[0] == told


def test_an_event_that_a_later_one_has_overtaken_is_only_noted(world: World) -> None:
    fed(world, "e2,2026-11-23T10:00,transferred,1001,,,\n")
    told = fed(world, "e1,2026-11-23T09:00,moved,1001,,unit-a,\n")
    assert told == "jms.csv: 1 overtaken by later events"
    assert (who(world, "1001").state, who(world, "1001").unit_id) == ("transferred", None)


def test_a_booking_does_not_end_a_suspension(world: World) -> None:
    does(world, "inmate suspend", inmate_id="1001")
    fed(world, "e1,2026-11-23T11:00,booked,1001,Alex Example,,\n")
    assert who(world, "1001").state == "suspended"


def test_no_load_undoes_what_the_feed_has_told(world: World) -> None:
    fed(world, BOOKING + "e2,2026-11-23T09:00,released,1001,,,\n")
    assert loads(world) == ["inmate 1001: state stays as feed set it: state released, not active"]


@in_loop
async def test_who_comes_without_a_pin_waits_for_one(world: World) -> None:
    fed(world, "e1,2026-11-23T08:00,booked,1003,Kim Example,,\n")
    does(world, "inmate pin", inmate_id="1003", pin="864200")
    world.record_names()
    assert isinstance(await steps.answer(world, who="1003864200"), Refused)  # by the list: the PIN is right


BAD = {
    "every bad row": (
        HEADER,
        "e1,today,booked,1003,Kim,,\ne2,2026-11-23T08:00,eloped,1001,,,\n\n,2026-11-23,moved,1001,,,\n",
        ["line 2: at: ", "line 3: event: ", "line 5: event_id: "],
    ),
    "what is wrong by itself, beside what is wrong here": (
        HEADER,
        "e1,0001-01-01T00:00,booked,1003,Kim,,\ne2,2026-11-23T08:00,moved,1003,,unit-a,\n"
        "e3,9999-12-31T23:00-06:00,booked,1004,Lee,,\ne4,20261123,moved,1001,,unit-a,\n"
        "e5,2026-11-23T08:00,booked,1005,R\0y,,\ne6,2026-11-23T08:00,moved,1001,,unit-x,\n"
        "e7,2026-11-25T08:00,released,1001,,,\n",
        [
            "line 2: at: expected a year from 2000 to 2100, not 0001",
            "line 4: at: expected a year from 2000 to 2100, not 9999",
            "line 5: at: expected a day or a time",
            "line 6: name: expected text, found a zero byte",
            "line 7: unit: there is no unit unit-x",
            "line 8: at: 2026-11-25 08:00 is more than a day ahead",
        ],
    ),
    "what does not fit": (
        HEADER,
        "e1,2026-11-23T08:00,moved,1003,,unit-a,\ne2,2026-11-23T08:00,booked,10030,Kim,,\n"
        "e3,2026-11-23T08:00,moved,1001,,unit-x,\ne3,2026-11-23T08:00,booked,1004,,,\n"
        "e5,2026-11-23T08:00,moved,1001,,,\n",
        [
            "line 2: inmate_id: 1003 was never booked",
            "line 3: inmate_id: 10030 has not 4 digits",
            "line 4: unit: there is no unit unit-x",
            "line 5: event_id: e3 stands there twice",
            "line 5: name: expected one, since inmate 1004 is new",
            "line 6: unit: expected one, since the inmate has moved",
        ],
    ),
    "a header": ("id,event\n", "", ["line 1: expected a header of event_id, at, event, inmate_id"]),
}


@pytest.mark.parametrize("what", BAD)
def test_every_bad_row_is_named_and_nothing_is_taken_in(world: World, what: str) -> None:
    header, lines, told = BAD[what]
    before = world.database.read_now(contents)
    with pytest.raises(StaffError) as refusal:
        fed(world, BOOKING.replace("e1", "e0").replace("1003", "1009") + lines if not told else lines, header)
    lines_of = str(refusal.value).splitlines()
    assert all(line.startswith("jms.csv: ") for line in lines_of)
    *found, last = (line.removeprefix("jms.csv: ") for line in lines_of)
    assert len(found) == len(told), found
    assert all(line.startswith(each) for line, each in zip(found, told, strict=True)), found
    assert last == f"nothing was imported; {len(told)} mistakes"
    assert world.database.read_now(contents) == before


def test_ten_thousand_events_take_seconds(world: World) -> None:
    loads(
        world,
        ("inmate_id_digits = 4", "inmate_id_digits = 6"),
        ('"1001"', '"100001"'),
        ('"1002"', '"100002"'),
    )
    lines = "".join(f"e{n},2026-11-23T08:00,booked,{200_000 + n},Person {n},unit-a,\n" for n in range(10_000))
    began = perf_counter()
    assert fed(world, lines) == "jms.csv: 10000 booked"
    assert fed(world, lines) == "jms.csv: 10000 known before"
    assert perf_counter() - began < 60
    count = select(func.count()).select_from(inmate_event)
    assert world.database.read_now(lambda conn: conn.scalar(count)) == 10_000


def test_a_folder_is_watched(ivr: Ivr, world: World, on_database: str, tmp_path: Path) -> None:
    ivr("calls")  # the settings are those of the commands
    watched = tmp_path / "in"
    watched.mkdir()
    folder = Folder(load_settings(), watched, None)
    watched.joinpath("a.csv").write_text(HEADER + BOOKING)
    watched.joinpath("b.csv").write_text(HEADER + "e2,2026-11-23T08:00,moved,1009,,unit-a,\n")
    watched.joinpath("note.txt").write_text("not a feed")
    assert list(folder.take()) == []  # somebody may still write to them
    good, bad = folder.take()
    assert good == "a.csv: 1 booked"
    assert bad.startswith("b.csv: refused\nb.csv: line 2: inmate_id: 1009 was never booked")
    assert list(folder.take()) == []
    assert sorted(str(each.relative_to(watched)) for each in watched.rglob("*.*")) == [
        "done/a.csv",
        "note.txt",
        "refused/b.csv",
        "refused/b.csv.report.txt",
    ]
    assert "1009 was never booked" in (watched / "refused" / "b.csv.report.txt").read_text()
    watched.joinpath("a.csv").write_text(HEADER + BOOKING)
    assert [*folder.take(), *folder.take()] == ["a.csv: 1 known before"]
    assert sorted(each.name for each in (watched / "done").iterdir()) == ["a.1.csv", "a.csv"]


def test_the_command_takes_a_file_and_tells_mistakes(
    ivr: Ivr, world: World, on_database: str, tmp_path: Path
) -> None:
    file = tmp_path / "jms.csv"
    file.write_text(HEADER + BOOKING)
    said = ivr("feed", str(file))
    assert (said.status, said.out, said.err) == (0, "jms.csv: 1 booked\n", "")
    assert is_one_line(ivr("feed", str(tmp_path / "x.csv")), "No such file")
    file.write_text(HEADER + "e1,2026-11-23T08:00,moved,1001,,,\n")
    bad = ivr("feed", str(file))
    assert (bad.status, bad.out) == (1, "")
    assert bad.err.startswith("ivr: jms.csv: line 2: unit: expected one, since the inmate has moved")
    assert ivr("feed").status == 2


def test_a_watched_folder_survives_whatever_a_file_holds(
    ivr: Ivr, world: World, on_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ivr("calls")
    folder = Folder(load_settings(), tmp_path, None)
    for name, at in (("a", "9999-12-31"), ("b", "0001-01-01T00:00"), ("c", "2026-11-23T08:00")):
        (tmp_path / f"{name}.csv").write_text(HEADER + BOOKING.replace("2026-11-23T08:00", at))
    (tmp_path / "d.csv").symlink_to(tmp_path / "absent")
    assert list(folder.take()) == []
    told = list(folder.take())
    assert [line.splitlines()[0] for line in told] == ["a.csv: refused", "b.csv: refused", "c.csv: 1 booked"]
    assert all("line 2: at: expected a year from 2000 to 2100" in line for line in told[:2])
    assert sorted(each.name for each in (tmp_path / "refused").glob("*.csv")) == ["a.csv", "b.csv"]

    def overflows(*_: object, **__: object) -> str:
        raise OverflowError("date value out of range")

    monkeypatch.setattr("ivr.feeding.perform", overflows)
    (tmp_path / "e.csv").write_text(HEADER + BOOKING)
    [told_of_it] = [*folder.take(), *folder.take()]
    assert told_of_it == "e.csv: refused\nit can't be taken in: OverflowError('date value out of range')"
    assert (tmp_path / "refused" / "e.csv").exists()
