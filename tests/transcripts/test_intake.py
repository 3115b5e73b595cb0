"""Free calls after an arrest, at an intake station, counted on a booking."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, select, update

from accounts.db import Database
from ivr.facility.file import FacilityFileError
from ivr.facility.tables import booking
from ivr.intake import not_given
from ivr.loading import load
from ivr.policy.reasons import NotRecorded
from ivr.records.tables import call
from ivr.staff import changes
from ivr.staff.desk import StaffError
from tests.transcripts.play import KEY, SPEECH, World, demonstration

STATION = '[[station]]\nid = "demo-a2"'
INTAKE = (STATION, f'[[station]]\nid = "intake-1"\nlabel = "Booking desk"\nintake = true\n\n{STATION}')
HOTLINE = """
[[number]]
number = "+1 217 555 0112"
label = "Tips"
hotline_kind = "crime_tips"
code = "5151"

[[blocked]]    """
CODE = ("[[blocked]]    ", HOTLINE)
LOCAL, FAR, PUBLIC_DEFENDER = "2175550177", "6175550104", "2175550110"
PROLOGUE = """
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_booking
"""


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, demonstration(INTAKE, CODE))


def opened(world: World, booking: str = "515151", hours_ago: float = 1, **given: object) -> str:
    """Staff open a booking; what they are told."""
    local = (world.at - timedelta(hours=hours_ago)).astimezone(ZoneInfo("America/Chicago"))
    arrested = {"booking": booking, "arrested_at": local.replace(tzinfo=None).isoformat(), **given}
    asked = changes.read("intake open", {"author": "sergeant", "note": "arrest", **arrested})
    return world.database.transact_now(changes.do, "intake open", asked, KEY, world.at)


def completed(world: World, number: str = LOCAL, first: bool = False) -> None:
    """A call on the booking in which the two talk for a minute."""
    before = world.database.read_now(lambda conn: conn.execute(select(call)).all())
    name = "record_name\n        > says a name" if first else ""
    decided = {row.number.removeprefix("+1") for row in before if row.called_language}
    greeting = "provider_greeting"
    if number not in decided:
        greeting = "accept_menu_language\n        provider_greeting\n        > silence"
    world.plays(
        f"""
    inmate:{PROLOGUE}
        > 515151
        enter_number
        > {number}
        {name}
        free_call time=15
        call_recorded
        please_hold
    called party:
        {greeting}
        call_from facility=example-county-jail
        notice_recorded
        paid_free
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 1
        connecting
    talks 60 s
    inmate:
        ending.completed
        another_call
        > silence
        goodbye
    """
        + "\n    record:\n        completed free 60 s 0.00" * (len(before) + 1),
        station="intake-1",
    )


def refused(world: World, number: str, reason: str, before: int = 0) -> None:
    """A call on the booking that is refused; nothing but completed calls has been before."""
    was = "\n    record:\n        completed free 60 s 0.00" * before
    world.plays(
        f"""
    inmate:{PROLOGUE}
        > 515151
        enter_number
        > {number}
        ending.{reason}
        another_call
        > silence
        goodbye{was}
    record:
        {reason} nobody 0 s 0.00
    """,
        station="intake-1",
    )


def test_three_completed_local_calls_are_free_and_the_fourth_is_refused(world: World) -> None:
    assert opened(world) == "booking 515151: opened; 3 free calls until 2026-11-23 14:00"
    completed(world, first=True)
    completed(world)
    completed(world)
    refused(world, LOCAL, "intake_calls_used", before=3)
    rows = world.database.read_now(lambda conn: conn.execute(select(call)).all())
    assert {(row.inmate, row.charge, row.station_id) for row in rows} == {(None, 0, "intake-1")}
    assert len({row.booking_id for row in rows}) == 1


def test_who_has_children_in_custody_has_two_calls_more(world: World) -> None:
    assert opened(world, custodial_parent=True).startswith("booking 515151: opened; 5 free calls")


def test_a_call_that_nobody_answers_does_not_count(world: World) -> None:
    opened(world)
    completed(world, first=True)
    world.plays(
        f"""
    inmate:{PROLOGUE}
        > 515151
        enter_number
        > {LOCAL}
        free_call time=15
        call_recorded
        please_hold
    no answer
    inmate:
        ending.no_answer
        another_call
        > 1
        enter_number
        > {LOCAL}
        free_call time=15
        call_recorded
        please_hold
    busy
    inmate:
        ending.busy
        another_call
        > silence
        goodbye
    record:
        completed free 60 s 0.00
    record:
        no_answer free 0 s 0.00
    record:
        busy free 0 s 0.00
    """,
        station="intake-1",
    )
    (short,) = world.database.read_now(not_given, world.at + timedelta(hours=3))
    assert (short.booking, short.entitled, short.completed, short.attempts) == ("515151", 3, 1, 3)
    assert short.ended_at == datetime(2026, 11, 23, 14, tzinfo=ZoneInfo("America/Chicago"))
    assert world.database.read_now(not_given, world.at) == []
    assert world.database.read_now(not_given, world.at + timedelta(days=1), "elsewhere") == []


def test_only_local_numbers_are_called(world: World) -> None:
    opened(world)
    world.database.transact_now(_record_name)
    refused(world, FAR, "intake_local_only")


def test_too_late_nobody_is_called_but_the_attorney_unrecorded_and_uncounted(world: World) -> None:
    told = opened(world, hours_ago=4)
    assert told == "booking 515151: opened; 3 free calls until 2026-11-23 11:00, which is over"
    world.database.transact_now(_record_name)
    world.plays(
        f"""
    inmate:{PROLOGUE}
        > 515151
        enter_number
        > {LOCAL}
        ending.intake_time_over
        another_call
        > 1
        enter_number
        > {PUBLIC_DEFENDER}
        free_call time=15
        call_not_recorded
        please_hold
    called party:
        accept_menu_language
        provider_greeting
        > silence
        call_from facility=example-county-jail
        notice_not_recorded
        paid_free
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 1
        connecting
    talks 60 s
    inmate:
        ending.completed
        another_call
        > silence
        goodbye
    record:
        intake_time_over nobody 0 s 0.00
    record:
        completed free 60 s 0.00
    """,
        station="intake-1",
    )
    attorney = world.database.read_now(lambda conn: conn.execute(select(call).order_by(call.c.id)).all())[-1]
    assert attorney.not_recorded == NotRecorded.PRIVILEGED
    (short,) = world.database.read_now(not_given, world.at)
    assert short.completed == 0


def test_calling_hours_of_the_facility_do_not_hold_after_an_arrest(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path, demonstration(INTAKE, ('closes = "24:00"', 'closes = "11:00"')))
    opened(world)
    completed(world, first=True)


def test_a_booking_that_is_none_is_asked_for_three_times(world: World) -> None:
    world.plays(
        f"""
    inmate:{PROLOGUE}
        > 10012468
        wrong_booking
        enter_booking
        > silence
        wrong_booking
        enter_booking
        > 999999
        ending.booking_unknown
        goodbye
    """,
        station="intake-1",
    )


def test_a_booking_is_corrected_by_opening_it_again(world: World) -> None:
    opened(world, hours_ago=4)
    assert opened(world, hours_ago=2).startswith(
        "booking 515151: corrected; 3 free calls until 2026-11-23 13:00"
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"hours_ago": -1}, "arrested_at: 2026-11-23 13:00 is not over yet"),
        ({"booking": "5151"}, "5151 is the code of a hotline"),
        ({"booking": "A1"}, "booking: expected 4 to 12 digits"),
    ],
)
def test_what_is_no_booking_is_told(world: World, given: dict[str, object], told: str) -> None:
    with pytest.raises(StaffError, match=told):
        opened(world, **given)  # type: ignore[arg-type]


def test_no_load_brings_a_hotline_whose_code_is_an_open_bookings_number(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path, demonstration(INTAKE))
    opened(world, "5151", hours_ago=2.9)
    with pytest.raises(
        FacilityFileError, match=r"^number \+12175550112: code: 5151 is the number of an open booking$"
    ):
        world.database.transact_now(load, demonstration(INTAKE, CODE), KEY, world.at)
    world.at += timedelta(minutes=6)
    assert world.database.transact_now(load, demonstration(INTAKE, CODE), KEY, world.at) != []


def _record_name(conn: Connection) -> None:
    conn.execute(update(booking).values(recorded_name=SPEECH))
