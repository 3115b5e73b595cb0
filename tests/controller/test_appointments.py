"""Appointments are made by staff, explained, obeyed and cancelled; payers of entries and numbers for everybody, too."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ivr.controls import Grant, Refused
from ivr.controls.day import explain_day
from ivr.controls.explaining import Question, explain
from ivr.dumping import dump
from ivr.staff.appointments import appointments_shown
from ivr.staff.desk import StaffError
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_staff import LISTED, UNLISTED, does, loads
from tests.fakes.loop import in_loop
from tests.transcripts.play import World

CLOSED = ('opens = "00:00"\ncloses = "24:00"', 'opens = "08:00"\ncloses = "09:00"')
HEARING = {"inmate_id": "1001", "number": LISTED, "begins": "2026-11-23T12:30", "ends": "2026-11-23T13:15"}
LEGAL = '[[number]]\nnumber = "+1 217 555 0111"\nlabel = "Attorney"\nprivileged = true\nfree = true\n\n[[blocked]]'


def made(world: World, **other: Any) -> str:
    return does(world, "appointment add", **{**HEARING, **other})


def asked(world: World, number: str = LISTED) -> dict[str, Any]:
    question = Question(inmate_id="1001", number=number, station_id="demo-a1")
    return world.database.read_now(explain, question, world.at).as_dict()


@in_loop
async def test_within_it_the_inmate_calls_outside_the_hours_until_its_end(world: World) -> None:
    loads(world, CLOSED)
    told = made(world)
    assert told.endswith(f"may call {LISTED} from 2026-11-23 12:30 to 2026-11-23 13:15")
    assert asked(world)["reason"] == "outside_schedule"
    world.at += timedelta(minutes=30)
    answer = await steps.answer(world)
    assert isinstance(answer, Grant)
    assert (answer.limit_ms, answer.cutoff) == (45 * 60_000, "schedule")
    assert answer.ends_by == world.at + timedelta(minutes=45)
    explained = asked(world)
    assert explained["limit"] == {"set_by": "schedule", "level": "entry", "seconds": 2700}
    assert isinstance(await steps.answer(world, "1"), Refused)
    world.at += timedelta(minutes=45)
    assert isinstance(await steps.answer(world), Refused)


def test_a_day_is_explained_with_it(world: World) -> None:
    loads(world, CLOSED)
    made(world)
    question = Question(inmate_id="1001", number=LISTED, station_id="demo-a1")
    day = world.database.read_now(explain_day, question, None, world.at).as_dict()
    spans: Any = day["spans"]
    allowed = [(each["from"][11:16], each["until"][11:16]) for each in spans if each["decision"] == "allow"]
    assert allowed == [("08:00", "09:00"), ("12:30", "13:15")]


@in_loop
async def test_legal_calls_are_made_by_appointment_too(world: World) -> None:
    loads(world, CLOSED, ("[[blocked]]", LEGAL))
    made(world, number="+12175550111", begins="2026-11-23T12:00")
    answer = await steps.answer(world, "2175550111")
    assert isinstance(answer, Grant)
    assert not answer.recorded


@in_loop
async def test_a_cancelled_one_opens_nothing(world: World) -> None:
    loads(world, CLOSED)
    made(world, begins="2026-11-23T12:00")
    [row] = world.database.read_now(appointments_shown, None, world.at, past=False)
    assert (row["inmate"], row["number"], row["from"]) == ("1001", LISTED, "2026-11-23 12:00")
    assert isinstance(await steps.answer(world), Grant)
    assert does(world, "appointment cancel", appointment=row["appointment"]).endswith("cancelled")
    assert isinstance(await steps.answer(world), Refused)
    assert world.database.read_now(appointments_shown, None, world.at, past=True) == []
    with pytest.raises(StaffError, match="has no appointment"):
        does(world, "appointment cancel", appointment=row["appointment"])


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"ends": "2026-11-23T12:30"}, "over before it begins"),
        ({"begins": "2026-11-23T10:00", "ends": "2026-11-23T11:00"}, "over before it begins"),
        ({"ends": "2026-11-23T16:31"}, "4 hours at most"),
        ({"inmate_id": "9999"}, "has no inmate 9999"),
        ({"begins": "soon"}, "begins: expected a day or a time"),
        ({"ends": "9999-12-31T12:00"}, "ends: expected a year from 2000 to 2100, not 9999"),
    ],
)
def test_what_can_not_be_agreed_on_is_told(world: World, other: dict[str, str], told: str) -> None:
    with pytest.raises(StaffError, match=told):
        made(world, **other)


def test_a_dump_counts_what_no_file_holds(world: World) -> None:
    made(world)
    text = world.database.read_now(dump, "example-county-jail").text
    assert "# Not in this file, and untouched by loading it: 1 appointments." in text


@in_loop
async def test_a_number_that_everybody_may_call_has_its_price(world: World) -> None:
    number = f'[[number]]\nnumber = "{UNLISTED}"\nlabel = "Bail bonds"\nallowed = true\n\n[[blocked]]'
    assert isinstance(await steps.answer(world, UNLISTED[2:]), Refused)
    loads(
        world, ("[[blocked]]", number), ('"+1 217 555 0101",\n', f'"+1 217 555 0101",\n    "{UNLISTED}",\n')
    )
    answer = await steps.answer(world, UNLISTED[2:])
    assert isinstance(answer, Grant)
    assert (answer.payer, answer.quote.each_minute) == ("prepaid", 60_000)


@in_loop
async def test_only_the_payer_of_the_entry_pays(world: World) -> None:
    assert asked(world, "1")["payer"] == "subscription"
    does(world, "number allow", inmate_id="1001", number="+12175550101", payer="prepaid")
    assert asked(world, "1")["payer"] == "prepaid"
    does(world, "number allow", inmate_id="1001", number=LISTED, payer="subscription")
    refused = await steps.answer(world)
    assert isinstance(refused, Refused)
    assert refused.reason == "funds_too_low"


def test_the_commands_make_show_and_cancel_them(ivr: Ivr, world: World, on_database: str) -> None:
    words = "appointment add --inmate 1001 --number 2175550102 --from 2030-01-02T08:00 --to 2030-01-02T09:00"
    said = ivr(*words.split(), "--note", "Court hearing")
    assert (said.status, said.err) == (0, "")
    [row] = map(json.loads, ivr("appointment", "list", "--json").out.splitlines())
    assert (row["from"], row["note"]) == ("2030-01-02 08:00", "Court hearing")
    table = ivr("appointment", "list").out
    assert "Court hearing" in table
    assert max(map(len, table.splitlines())) <= 80
    assert "2030-01-02 08:00" in ivr("inmate", "show", "1001").out
    assert ivr("appointment", "cancel", str(row["appointment"]), "--note", "Moved").status == 0
    assert ivr("appointment", "list").out == "No appointments.\n"
