"""A list of privileged numbers that something else has changed: nothing is recorded until two operators vouch."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text, update

from ivr.controls import Accepted, CalledPartyControls, Grant
from ivr.facility import privileged
from ivr.facility.file import Sources, parse, read
from ivr.facility.tables import facility, privileged_number
from ivr.loading import load
from ivr.policy.privilege import WAITS_FOR_ANOTHER
from ivr.records.alerts import open_alerts
from ivr.staff import changes
from ivr.staff.desk import StaffError
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.transcripts.play import FACILITY, KEY, World, demonstration

JAIL = "example-county-jail"


def accepted(world: World) -> tuple[str, Accepted]:
    """A call that would be recorded, accepted now."""

    async def call() -> tuple[str, Accepted]:
        called = await steps.offered(world)
        answer = await called.accept("1", "en")
        assert isinstance(answer, Accepted)
        return called.call_id, answer

    return asyncio.run(call())


def broken(conn: Connection) -> None:
    conn.execute(text("DELETE FROM privileged_number"))


def lost(conn: Connection) -> None:
    conn.execute(text("DELETE FROM privileged_list"))


def vouched(world: World, author: str) -> str:
    asked = changes.read("number privileged vouch", {"note": "Compared with the bar's", "author": author})
    told: str = world.database.transact_now(changes.do, "number privileged vouch", asked, KEY, world.at)
    return told


@pytest.mark.parametrize("breaks", [broken, lost])
def test_nothing_is_recorded_and_one_alert_says_why(
    world: World, breaks: Callable[[Connection], None]
) -> None:
    world.database.transact_now(breaks)
    call_id, answer = accepted(world)
    assert answer.recording_file is None
    assert steps.record(world, call_id).not_recorded == "list_in_doubt"
    assert steps.recordings_of(world, call_id) == 0
    [alert] = world.database.read_now(open_alerts)
    assert (alert.kind, alert.text.startswith(f"{JAIL}: rows of the list")) == (
        "privileged list in doubt",
        True,
    )


@pytest.mark.parametrize("breaks_before", ["the decision", "the answer", "the key"])
def test_nobody_is_told_of_a_recording_that_will_not_be_and_whoever_sees_it_first_alerts(
    world: World, breaks_before: str
) -> None:
    def breaks(at: str) -> None:
        if at == breaks_before:
            world.database.transact_now(broken)

    def alerts() -> int:
        return len(world.database.read_now(open_alerts))

    async def call() -> None:
        caller = await steps.keyed(world)
        breaks("the decision")
        grant = await caller.authorise()
        assert isinstance(grant, Grant)
        assert (grant.recorded, alerts()) == ((False, 1) if breaks_before == "the decision" else (True, 0))
        await caller.dialling(grant)
        called = CalledPartyControls(world.node, caller.call_id, "PJSIP/carrier-1")
        breaks("the answer")
        offer = await called.offer()
        assert (offer.recorded, alerts()) == ((True, 0) if breaks_before == "the key" else (False, 1))
        breaks("the key")
        answer = await called.accept("1", "en")
        assert answer is not None
        assert (answer.recording_file, "OVERLAY" in answer.in_talk, alerts()) == (None, False, 1)
        assert steps.record(world, caller.call_id).not_recorded == "list_in_doubt"

    asyncio.run(call())


@pytest.mark.parametrize("breaks", [broken, lost])
def test_explain_and_the_list_say_so_and_write_nothing(
    ivr: Ivr, world: World, on_database: str, breaks: Callable[[Connection], None]
) -> None:
    words = ("explain", "--inmate", "1001", "--number", "2", "--facility", JAIL, "--json")
    before = json.loads(ivr(*words).out)
    assert (before["recorded"], before["overlay_seconds"]) == (True, 297)
    assert "in doubt" not in ivr("number", "privileged", "list").out
    world.database.transact_now(breaks)
    told = json.loads(ivr(*words).out)
    assert [told[name] for name in ("recorded", "not_recorded", "overlay_seconds")] == [
        False,
        "list_in_doubt",
        None,
    ]
    listed = ivr("number", "privileged", "list", "--facility", JAIL)
    assert f"{JAIL}: the list is in doubt" in listed.out
    assert world.database.read_now(open_alerts) == []


@pytest.mark.parametrize("whose", [None, JAIL, "other-jail"])
def test_a_facilitys_calls_go_by_its_own_list_alone(world: World, whose: str | None) -> None:
    own = read(FACILITY)
    text = own.text.replace(JAIL, "other-jail").replace('"demo-', '"other-').partition("[[prepaid]]")[0]
    world.database.transact_now(load, parse(Sources(text, own.beside), "other"), KEY, world.at)
    rows = privileged_number.delete().where(privileged_number.c.facility_id == whose)
    assert bool(world.database.transact_now(lambda conn: conn.execute(rows).rowcount)) == bool(whose)
    call_id, answer = accepted(world)
    assert (answer.recording_file is None) == (whose == JAIL)
    assert steps.record(world, call_id).not_recorded == ("list_in_doubt" if whose == JAIL else None)


def test_an_addition_does_not_make_a_broken_list_right(world: World) -> None:
    world.database.transact_now(broken)
    given = {"number": "3125550103", "kind": "attorney", "note": "Ms Example", "author": "ann"}
    asked = changes.read("number privileged add", given)
    world.database.transact_now(changes.do, "number privileged add", asked, KEY, world.at)
    assert not world.database.read_now(privileged.intact, JAIL)


def test_two_operators_and_no_fewer_take_it_for_right(world: World) -> None:
    with pytest.raises(StaffError, match="in no doubt"):
        vouched(world, "ann")
    world.database.transact_now(broken)
    assert "until another operator" in vouched(world, "ann")
    assert "until another operator" in vouched(world, "ann")
    assert not world.database.read_now(privileged.intact, JAIL)
    assert "vouched for by ann and bob" in vouched(world, "bob")
    assert world.database.read_now(privileged.intact, JAIL)
    call_id, answer = accepted(world)
    assert answer.recording_file is not None
    assert steps.recordings_of(world, call_id) == 1


def test_what_staff_do_leaves_the_list_in_no_doubt(world: World) -> None:
    for name, author in (("number privileged add", "ann"), ("number privileged confirm", "bob")):
        kind = {"kind": "clergy"} if name == "number privileged add" else {}
        asked = changes.read(name, {"number": "3125550103", "note": "The chaplain", "author": author, **kind})
        world.database.transact_now(changes.do, name, asked, KEY, world.at)
        assert world.database.read_now(privileged.intact, JAIL)


@pytest.mark.parametrize("breaks", [broken, lost])
def test_no_load_makes_a_broken_list_right(world: World, breaks: Callable[[Connection], None]) -> None:
    world.database.transact_now(breaks)
    world.at += timedelta(days=1)  # else SQLite writes the very rows again that were lost
    world.database.transact_now(load, demonstration(), KEY, world.at)
    assert not world.database.read_now(privileged.intact, JAIL)


def test_both_vouch_for_the_same_list(world: World) -> None:
    world.database.transact_now(broken)
    vouched(world, "ann")
    given = {"number": "3125550103", "kind": "attorney", "note": "Ms Example", "author": "ann"}
    asked = changes.read("number privileged add", given)
    world.database.transact_now(changes.do, "number privileged add", asked, KEY, world.at)
    assert "until another operator" in vouched(world, "bob")
    assert "vouched for by bob and ann" in vouched(world, "ann")


def test_a_first_word_for_the_list_lapses(world: World) -> None:
    world.database.transact_now(broken)
    vouched(world, "ann")
    world.at += WAITS_FOR_ANOTHER + timedelta(seconds=1)
    assert "until another operator" in vouched(world, "bob")
    assert not world.database.read_now(privileged.intact, JAIL)


@pytest.mark.parametrize("is_broken", [True, False])
def test_nothing_is_said_into_talks_meanwhile(world: World, is_broken: bool) -> None:
    world.database.transact_now(lambda conn: conn.execute(update(facility).values(overlay_seconds=60)))
    if is_broken:
        world.database.transact_now(broken)
    _, answer = accepted(world)
    assert ("OVERLAY" in answer.in_talk) is not is_broken
