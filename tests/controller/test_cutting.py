"""Staff cut calls off: nobody is connected after it, only the talk before it is paid, and the number may be blocked."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from ivr.cdr import in_progress
from ivr.controls.settlement import Ending, settle
from ivr.facility.audit import audit
from ivr.policy.hotline import HotlineKind
from ivr.policy.reasons import Outcome
from ivr.policy.talk import Evidence, Kind
from ivr.records import calls, notes
from ivr.staff import changes
from ivr.staff.desk import StaffError
from ivr.story import story
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_switches import settled
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World


def cuts(world: World, call_id: str, **given: Any) -> str:
    asked = changes.read("cut", {"call_id": call_id, "note": "threats", "author": "amy", **given})
    return world.database.transact_now(changes.do, "cut", asked, KEY, world.at)


@in_loop
async def test_only_the_talk_until_the_cut_is_paid(world: World) -> None:
    call_id = await steps.accepted(world)
    assert cuts(world, call_id[:8]) == f"call {call_id[:8]}: cut off"
    assert world.database.read_now(calls.cut_ones) == [call_id]
    assert cuts(world, call_id[:8]) == f"call {call_id[:8]}: was cut off already"
    row = settled(world, call_id, -120.0, 30.0)  # Asterisk was late
    assert (row.reason, row.ended_by, row.cut_off_by) == (Outcome.CUT_OFF, "staff", None)
    assert (row.talk_ms, row.charge, row.dropped_by) == (120_000, 120_000, None)
    steps.assert_books_are_right(world)
    with pytest.raises(StaffError, match="no call in progress begins with"):
        cuts(world, call_id)
    [noted] = [what for at, what in world.database.read_now(story, call_id) if at == "note"]
    assert noted.endswith("by amy: cut off: threats")
    logged = world.database.read_now(lambda conn: conn.execute(select(audit)).all())
    assert {(row.about, row.facility_id) for row in logged} == {(f"call {call_id}", "example-county-jail")}


@in_loop
async def test_whoever_hung_up_before_the_cut_has_ended_the_call(world: World) -> None:
    call_id = await steps.accepted(world)
    cuts(world, call_id)
    row = settled(world, call_id, -120.0, -20.0)
    assert (row.reason, row.talk_ms) == (Outcome.COMPLETED, 100_000)


@in_loop
async def test_who_is_asked_can_not_accept_a_call_that_was_cut_off(world: World) -> None:
    called = await steps.offered(world)
    cuts(world, called.call_id)
    assert await called.accept("1", "en") is None
    row = settled(world, called.call_id)
    assert (row.reason, row.ended_by, row.charge, row.accepted_at) == (Outcome.CUT_OFF, "staff", 0, None)
    steps.assert_books_are_right(world)


@in_loop
async def test_the_number_is_blocked_with_a_note_of_its_own(world: World) -> None:
    called = await steps.offered(world)
    number = steps.record(world, called.call_id).number
    told = cuts(world, called.call_id, block=True, block_note="Threats to a witness")
    assert told == f"call {called.call_id[:8]}: cut off; number {number}: blocked (security)"


@pytest.mark.usefixtures("on_database")
@in_loop
async def test_a_cut_of_an_anonymous_call_keeps_the_hour_and_blocks_nothing(world: World, ivr: Ivr) -> None:
    call_id = await steps.accepted(world)
    anonymous = {"hotline_kind": HotlineKind.PREA, "inmate": None, "station_id": "-"}
    world.database.transact_now(lambda conn: calls.set_values(conn, call_id, **anonymous))
    with pytest.raises(StaffError, match="its number is not one to block; nothing was done"):
        cuts(world, call_id, block=True)
    assert world.database.read_now(calls.cut_ones) == []
    said = ivr("cut", call_id, "--reason", "for a test", "--note", "why")
    assert "--note is for --block" in said.err
    cuts(world, call_id)
    seen = [Evidence(kind, world.at) for kind in (Kind.TALK_FROM, Kind.TALK_TO)]
    ended = Ending(Outcome.SYSTEM_FAULT, "ANSWER")
    at = world.at + timedelta(minutes=1)
    world.database.transact_now(settle, call_id, ended, at=at, version="test", seen=seen)
    row = steps.record(world, call_id)
    assert (row.cut_at.minute, row.cut_at.second) == (0, 0)
    assert world.database.read_now(in_progress, hidden=True) == []
    assert world.database.read_now(notes.of_call, call_id) == []
