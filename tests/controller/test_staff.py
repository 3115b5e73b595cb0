"""What staff do by verbs holds at once, is logged with its author and note, and no later load undoes it."""

import io
import json
import sys
from typing import Any

import pytest
from sqlalchemy import select

from ivr.controls import Refused
from ivr.controls.called_party import block_number
from ivr.dumping import dump
from ivr.facility.audit import audit
from ivr.facility.daily import inmate_event
from ivr.facility.file import FacilityFileError, Sources, parse
from ivr.facility.tables import allowed_number
from ivr.loading import load
from ivr.policy.reasons import Denial
from ivr.staff import changes
from ivr.staff.desk import StaffError
from ivr.staff.shown import Wanted, changes_shown, inmate_shown
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World, demonstration

JAIL = "example-county-jail"
LISTED, UNLISTED, BLOCKED = "+12175550102", "+12175550150", "+12175550105"
NEW_LIST = ('{ number = "+1 217 555 0102", speed_dial = "2" },', "")


def does(world: World, change: str, **given: Any) -> str:
    """A change by an officer."""
    asked = changes.read(change, {"author": "amy", "note": "By order", **given})
    return world.database.transact_now(changes.do, change, asked, KEY, world.at)


def loads(world: World, *edits: tuple[str, str]) -> list[str]:
    """The demonstration's file, loaded again."""
    return world.database.transact_now(load, demonstration(*edits), KEY, world.at)


def dumps_and_loads(world: World) -> list[str]:
    """The facility's own dump, loaded again."""
    found = world.database.read_now(dump, JAIL)
    file = parse(Sources(found.text, found.beside), "dumped")
    return world.database.transact_now(load, file, KEY, world.at)


async def refusal(world: World, keys: str = LISTED[2:], who: str = steps.ALEX) -> Denial | None:
    """Why a call may not be made; None if it may."""
    outcome = await steps.answer(world, keys, who=who)
    return outcome.reason if isinstance(outcome, Refused) else None


@in_loop
async def test_somebody_who_is_added_calls_with_the_pin_that_was_given(world: World) -> None:
    told = does(world, "inmate add", inmate_id="1003", name="Kim Example", unit="unit-a", pin="975310")
    assert told == "inmate 1003: added in unit-a"
    does(world, "number allow", inmate_id="1003", number=LISTED)
    world.record_names()
    assert await refusal(world, who="1003975310") is None
    assert loads(world) == []
    assert dumps_and_loads(world) == []


@in_loop
async def test_a_suspension_holds_from_its_beginning_to_its_end_and_through_a_load(world: World) -> None:
    span = {"suspended_from": "2026-11-23T13:00", "suspended_to": "2026-11-24T08:00"}
    told = does(world, "inmate suspend", inmate_id="1001", **span)
    assert told == "inmate 1001: suspended from 2026-11-23 13:00 to 2026-11-24 08:00"
    assert await refusal(world) is None
    kept = "state suspended, not active, suspended from 2026-11-23 13:00, not none"
    (told,) = loads(world)
    assert told.startswith(f"inmate 1001: state stays as amy set it: {kept}")
    world.at = world.at.replace(hour=19)
    assert await refusal(world) is Denial.INMATE_SUSPENDED
    assert does(world, "inmate activate", inmate_id="1001") == "inmate 1001: active, was suspended"
    assert await refusal(world) is None
    assert loads(world) == []


@in_loop
async def test_who_has_left_calls_no_more_until_they_are_back(world: World) -> None:
    assert does(world, "inmate release", inmate_id="1001") == "inmate 1001: released"
    assert await refusal(world) is Denial.INMATE_RELEASED
    with pytest.raises(StaffError, match="`ivr inmate activate` comes first"):
        does(world, "inmate suspend", inmate_id="1001")
    assert loads(world) == [
        "inmate 1001: state stays as amy set it: state released, not active, state note By order, not none"
    ]
    assert does(world, "inmate transfer", inmate_id="1001") == "inmate 1001: transferred"
    assert await refusal(world) is Denial.INMATE_TRANSFERRED
    does(world, "inmate activate", inmate_id="1001")
    kinds = select(inmate_event.c.kind).order_by(inmate_event.c.id)
    happened = world.database.read_now(lambda conn: list(conn.scalars(kinds)))
    assert happened == ["released", "transferred", "booked"]


@in_loop
async def test_a_new_pin_replaces_the_old_one_and_is_never_logged(world: World) -> None:
    assert does(world, "inmate pin", inmate_id="1001", pin="864209") == "inmate 1001: has a new PIN"
    assert await refusal(world, who="1001864209") is None
    assert loads(world) == ["inmate 1001: pin stays as amy set it"]
    assert await refusal(world, who="1001864209") is None
    rows = world.database.read_now(lambda conn: [str(row) for row in conn.execute(select(audit))])
    assert not any("864209" in row for row in rows)


def test_a_move_holds_through_a_load(world: World) -> None:
    assert does(world, "inmate move", inmate_id="1001", unit="unit-a") == (
        "inmate 1001: moved from no unit to unit-a"
    )
    assert loads(world) == ["inmate 1001: unit stays as amy set it: unit unit-a, not none"]
    assert dumps_and_loads(world) == []


@in_loop
async def test_a_listed_number_may_be_called_at_once_and_stays_listed(world: World) -> None:
    assert await refusal(world, UNLISTED[2:]) is Denial.NUMBER_NOT_ALLOWED
    said = {"relation": "Aunt", "speed_dial": "9", "records": False}
    told = does(world, "number allow", inmate_id="1001", number="217 555 0150", **said)
    assert told == f"inmate 1001: {UNLISTED} added to the list"
    assert await refusal(world, "9") is Denial.FUNDS_TOO_LOW
    assert loads(world) == []
    assert dumps_and_loads(world) == []
    again = does(world, "number allow", inmate_id="1001", number=UNLISTED, payer="prepaid")
    assert again == f"inmate 1001: {UNLISTED} stands in the list"
    row = world.database.read_now(
        lambda conn: conn.execute(select(allowed_number).where(allowed_number.c.number == UNLISTED)).one()
    )
    assert (row.relation, row.speed_dial, row.records, row.payer) == ("Aunt", "9", False, "prepaid")


@in_loop
async def test_staff_override_a_block_for_one_inmate_but_never_whom_wants_no_calls(world: World) -> None:
    of_file = {"inmate_id": "1001", "number": "+12175550105"}
    assert await refusal(world, "5") is Denial.NUMBER_BLOCKED
    told = does(world, "number allow", **of_file, override=True)
    assert told.endswith("stands in the list; a block does not hold for this inmate")
    assert await refusal(world, "5") is Denial.FUNDS_TOO_LOW
    assert dumps_and_loads(world) == []
    does(world, "number allow", **of_file, relation="Uncle")  # says nothing of the block
    assert await refusal(world, "5") is Denial.FUNDS_TOO_LOW
    does(world, "number allow", **of_file, override=False)
    assert await refusal(world, "5") is Denial.NUMBER_BLOCKED
    loads(
        world, ("[[prepaid]]", '[[no_contact]]\nnumber = "+1 217 555 0105"\nnote = "Victim"\n\n[[prepaid]]')
    )
    does(world, "number allow", **of_file, override=True)
    assert await refusal(world, "5") is Denial.NUMBER_BLOCKED


@in_loop
async def test_a_number_that_was_taken_out_stays_out(world: World) -> None:
    assert does(world, "number disallow", inmate_id="1001", number=LISTED) == (
        f"inmate 1001: {LISTED} taken out of the list"
    )
    assert await refusal(world) is Denial.NUMBER_NOT_ALLOWED
    assert loads(world) == [f"inmate 1001, number {LISTED}: stays out of the list, as amy set it"]
    assert await refusal(world) is Denial.NUMBER_NOT_ALLOWED
    assert loads(world, NEW_LIST) == []
    does(world, "number allow", inmate_id="1001", number=LISTED)
    kept = "speed dial none, not 2"
    assert loads(world) == [f"inmate 1001, number {LISTED}: stays listed as amy set it: {kept}"]


def test_a_file_can_not_give_away_a_speed_dial_that_staff_have_given(world: World) -> None:
    does(world, "number allow", inmate_id="1001", number=UNLISTED, speed_dial="9")
    with pytest.raises(FacilityFileError, match=r"staff have given speed dial 9 to \+12175550150"):
        loads(world, ('speed_dial = "2"', 'speed_dial = "9"'))


@in_loop
async def test_a_block_of_staff_holds_and_what_they_lift_stays_lifted(world: World) -> None:
    assert does(world, "number block", number=LISTED, cause="security") == (
        f"number {LISTED}: blocked (security)"
    )
    assert await refusal(world) is Denial.NUMBER_BLOCKED
    assert loads(world) == []
    assert await refusal(world) is Denial.NUMBER_BLOCKED
    assert does(world, "number unblock", number=LISTED) == f"number {LISTED}: unblocked (security)"
    assert await refusal(world) is None
    assert does(world, "number unblock", number=BLOCKED) == f"number {BLOCKED}: unblocked (facility)"
    assert loads(world) == [f"block of number {BLOCKED} (facility): stays lifted, as amy set it"]
    assert dumps_and_loads(world) == []


@in_loop
async def test_a_block_for_one_inmate_is_nobody_elses(world: World) -> None:
    told = does(world, "number block", prefix="217555", inmate_id="1002")
    assert told.startswith("inmate 1002, prefix +1217555: blocked (facility); alert: ")
    assert await refusal(world) is None
    again = does(world, "number block", prefix="217555", inmate_id="1002")
    assert "was blocked already (facility)" in again
    does(world, "number block", prefix="217555", inmate_id="1001")
    assert await refusal(world) is Denial.NUMBER_BLOCKED
    does(world, "number block", type="international")


def test_what_a_called_party_has_blocked_is_lifted_only_if_they_asked(world: World) -> None:
    world.database.transact_now(block_number, JAIL, BLOCKED, "0" * 32, world.node)
    told = does(world, "number unblock", number=BLOCKED)
    assert told == f"number {BLOCKED}: unblocked (facility), still blocked: called_party"
    with pytest.raises(StaffError, match="lifted only with --called-party-asked"):
        does(world, "number unblock", number=BLOCKED)
    assert does(world, "number unblock", number=BLOCKED, called_party_asked=True).endswith("(called_party)")


def test_no_contact_is_never_lifted_by_a_verb(world: World) -> None:
    loads(world, ("[[prepaid]]", f'[[no_contact]]\nnumber = "{LISTED}"\nnote = "Victim"\n\n[[prepaid]]'))
    for asked in ({}, {"called_party_asked": True}):
        with pytest.raises(StaffError, match="no-contact, which only the facility's file lifts"):
            does(world, "number unblock", number=LISTED, **asked)


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "an ID that is taken": (
        "inmate add",
        {"inmate_id": "1001", "name": "Kim", "pin": "9753"},
        "has an inmate 1001 already",
    ),
    "an ID too long": ("inmate add", {"inmate_id": "10030", "name": "K", "pin": "9753"}, "has not 4 digits"),
    "a short PIN": (
        "inmate add",
        {"inmate_id": "1003", "name": "Kim", "pin": "12"},
        "pin: expected 4 to 12 digits",
    ),
    "no such unit": ("inmate move", {"inmate_id": "1001", "unit": "b"}, "there is no unit b, but unit-a"),
    "no such inmate": ("inmate release", {"inmate_id": "9999"}, "has no inmate 9999"),
    "times out of order": (
        "inmate suspend",
        {"inmate_id": "1001", "suspended_to": "2026-11-23T11:00"},
        "over before it begins",
    ),
    "times out of all order": (
        "inmate suspend",
        {"inmate_id": "1001", "suspended_to": "9999-12-31"},
        "suspended_to: expected a year from 2000 to 2100, not 9999",
    ),
    "no number": ("number allow", {"inmate_id": "1001", "number": "911"}, "emergency_number"),
    "a speed dial of another": (
        "number allow",
        {"inmate_id": "1001", "number": UNLISTED, "speed_dial": "1"},
        r"speed_dial: 1 is that of \+12175550101",
    ),
    "a number that is not listed": (
        "number disallow",
        {"inmate_id": "1001", "number": UNLISTED},
        "is not in the list of inmate 1001",
    ),
    "a block of nothing": ("number block", {}, r"^type: expected exactly one of number, prefix, type$"),
    "a block of two things": ("number block", {"number": LISTED, "prefix": "900"}, "exactly one of"),
    "a block that there is not": ("number unblock", {"number": LISTED}, "no such block"),
    "no reason": ("number block", {"number": LISTED, "note": "  "}, "note: expected 3 letters or more"),
    "a request that there is not": ("requests approve", {"request": 7}, "has no request 7"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_can_not_be_done_is_told_and_nothing_is_changed(world: World, what: str) -> None:
    change, given, told = WRONG[what]
    with pytest.raises(StaffError, match=told):
        does(world, change, **given)
    assert world.database.read_now(changes_shown, Wanted()) == []


def test_a_list_takes_no_more_than_its_maximum(world: World) -> None:
    loads(world, ("pan_maximum = 20", "pan_maximum = 8"))
    with pytest.raises(StaffError, match="the list is full"):
        does(world, "number allow", inmate_id="1001", number=UNLISTED)
    does(world, "number allow", inmate_id="1001", number=LISTED, relation="Sister")


def test_the_log_of_a_facility_that_there_is_not_is_refused(world: World) -> None:
    with pytest.raises(StaffError, match="there is no facility nope"):
        world.database.read_now(changes_shown, Wanted("nope"))


def test_the_log_tells_who_changed_what_when_and_why(world: World) -> None:
    does(world, "inmate suspend", inmate_id="1001", note="Fight in the yard")
    does(world, "number block", number=LISTED, author="bob", note="Threats")
    newest, oldest = world.database.read_now(changes_shown, Wanted())
    assert newest == {
        "at": "2026-11-23 12:00",
        "author": "bob",
        "facility": JAIL,
        "change": "number block",
        "about": f"number {LISTED}",
        "told": f"number {LISTED}: blocked (facility)",
        "note": "Threats",
        "deed": "change",
        "role": "administrator",
        "login": None,
    }
    day = world.at.date()
    assert world.database.read_now(changes_shown, Wanted(author="amy")) == [oldest]
    assert world.database.read_now(changes_shown, Wanted(JAIL, since=day, until=day, most=1)) == [newest]
    assert world.database.read_now(changes_shown, Wanted(until=day.replace(day=22))) == []


def test_an_inmate_is_shown_whole(world: World) -> None:
    loads(world, ('name = "Alex Example"', 'name = "Alex Example"\nlimit = [{ calls = 3, each = "day" }]'))
    does(world, "number allow", inmate_id="1001", number=UNLISTED, relation="Aunt", payer="prepaid")
    does(world, "number block", number=BLOCKED, inmate_id="1001", note="Threats")
    does(world, "inmate suspend", inmate_id="1001", suspended_to="2026-12-01")
    shown = world.database.read_now(inmate_shown, None, "1001")
    assert (shown["state"], shown["suspended_to"], shown["kept_by_staff"]) == (
        "suspended",
        "2026-12-01 00:00",
        "state",
    )
    assert [each["number"] for each in shown["list"]][-1:] == ["+16175550104"]
    assert {"calls 3"} == {each["limit"] for each in shown["limits"]}
    assert [(each["what"], each["note"]) for each in shown["blocks"]] == [(f"number {BLOCKED}", "Threats")]
    assert [each["author"] for each in shown["changes"]] == ["amy", "amy", "amy"]
    with pytest.raises(StaffError, match="has no inmate 9999"):
        world.database.read_now(inmate_shown, JAIL, "9999")


def test_the_commands_do_it_and_show_it(
    ivr: Ivr, world: World, on_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = ("--note", "As ordered")
    monkeypatch.setattr(sys, "stdin", io.StringIO("975311\n"))
    said = ivr("inmate", "add", "1003", "--name", "Kim", "--unit", "unit-a", "--pin-stdin", *why)
    assert (said.status, said.out) == (0, "inmate 1003: added in unit-a\n")
    made = ivr("inmate", "pin", "1003", *why).out.splitlines()[1]
    assert made.startswith("PIN: ")
    assert made.split()[1].isdecimal()
    for words in (
        "inmate suspend 1003 --from 2030-01-01T08:00 --to 2030-01-02",
        "inmate unsuspend 1003",
        "inmate move 1003 unit-a",
        "number allow 2175550150 --inmate 1003 --relation Aunt --speed-dial 1 --payer prepaid --no-record",
        "number disallow 2175550150 --inmate 1003",
        "number block --type international --cause security",
        "number unblock --type international",
        "inmate transfer 1003",
        "inmate release 1003",
    ):
        done = ivr(*words.split(), *why)
        assert (done.status, done.err) == (0, ""), words
    shown = ivr("inmate", "show", "1003")
    assert "state           released" in shown.out
    assert json.loads(ivr("inmate", "show", "1003", "--json").out)["inmate"] == "1003"
    table = ivr("changes").out
    assert "unblocked (security)" in table
    assert max(map(len, table.splitlines())) <= 80
    assert len(ivr("changes", "--json", "--author", "nobody").out.splitlines()) == 0
    assert ivr("changes", "--author", "nobody").out == "No changes.\n"
    assert json.loads(ivr("changes", "--json", "--most", "1").out)["told"] == "inmate 1003: released"
    assert is_one_line(ivr("inmate", "release", "9999", *why), "has no inmate 9999")
    assert ivr("inmate", "release", "1003").status == 2  # a note is needed
