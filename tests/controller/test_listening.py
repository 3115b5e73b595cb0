"""Who may listen to which call: refusals are logged and told by an alert, and every listening is a row."""

from typing import Any

import pytest
from sqlalchemy import select

from ivr.facility import operators
from ivr.facility.audit import Deed, audit
from ivr.policy.hotline import HotlineKind
from ivr.policy.request import CallClass
from ivr.policy.roles import Role
from ivr.records import calls, listening
from ivr.records.alerts import open_alerts
from ivr.staff import changes
from ivr.staff.authority import NotAllowed
from ivr.staff.desk import Alarm, StaffError
from tests.controller import steps
from tests.controller.test_list_in_doubt import lost
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World


def listens(world: World, call_id: str, author: str = "ida", verb: str = "listen") -> str | StaffError:
    given = {"call_id": call_id, "phone": "staff-desk", "listening_id": "a" * 32, "note": "Case 17"}
    asked = changes.read(verb, {**given, "author": author})
    return world.database.transact_now(changes.attempt, verb, asked, KEY, world.at)


def refused(world: World) -> list[str]:
    rows = world.database.read_now(lambda conn: conn.execute(select(audit)).all())
    return [row.told for row in rows if row.deed == Deed.REFUSED]


@in_loop
async def test_an_investigator_listens_to_a_talk_and_an_operator_does_not(world: World) -> None:
    call_id = await steps.accepted(world)
    for name, role in (("ida", Role.INVESTIGATOR), ("bob", Role.OPERATOR)):
        world.database.transact_now(operators.add, name, role, login=name, at=world.at)
    assert (
        listens(world, call_id[:8])
        == f"call {call_id[:8]}: staff-desk is rung, and hears it when it is answered"
    )
    told = listens(world, call_id[:8], "bob")
    assert isinstance(told, NotAllowed)
    assert refused(world) == ["bob is an operator: `ivr listen` needs an investigator or administrator"]
    [row] = world.database.read_now(listening.open_ones)
    assert (row.author, row.note, row.phone, row.may_be_heard, row.goes_on) == (
        "ida",
        "Case 17",
        "staff-desk",
        True,
        True,
    )
    with pytest.raises(StaffError, match=f"staff-desk listens already, to call {call_id[:8]}"):
        listens(world, call_id, verb="cut-in")  # who talks would be told of somebody who does not come
    world.database.transact_now(listening.ended, row.id, world.at)
    assert world.database.read_now(listening.open_ones) == []
    rows = world.database.read_now(lambda conn: conn.execute(select(audit)).all())
    about = [(row.about, row.facility_id) for row in rows]
    assert about == [(f"call {call_id}", "example-county-jail")] * 2  # whatever was typed


@in_loop
async def test_nobody_listens_before_the_two_talk(world: World) -> None:
    called = await steps.offered(world)
    with pytest.raises(StaffError, match="nobody talks in a call that begins with"):
        listens(world, called.call_id)


@in_loop
async def test_staff_join_a_talk_and_no_relays(world: World) -> None:
    call_id = await steps.accepted(world)
    begins = f"call {call_id[:8]}"
    assert listens(world, call_id, verb="cut-in") == (
        f"{begins}: both are told, staff-desk is rung, and they hear it when it is answered"
    )
    [row] = world.database.read_now(listening.open_ones)
    assert (row.speaks, row.inmate_language, row.called_language) == (True, "en", "en")
    world.database.transact_now(lambda conn: calls.set_values(conn, call_id, call_class=CallClass.TRS))
    with pytest.raises(StaffError, match=f"{begins} is over a relay, into which nothing is spoken"):
        listens(world, call_id, verb="cut-in")


@pytest.mark.parametrize("verb", ["listen", "cut-in"])
@pytest.mark.parametrize("why", ["privileged", "unknown", "anonymous", "list in doubt"])
@in_loop
async def test_a_talk_that_nobody_may_hear_is_refused_logged_and_told(
    world: World, why: str, verb: str
) -> None:
    call_id = await steps.accepted(world)
    set_so: dict[str, dict[str, Any]] = {
        "privileged": {"privileged": True},
        "unknown": {"privileged": None},
        "anonymous": {"hotline_kind": HotlineKind.PREA, "inmate": None},
    }
    values = set_so.get(why)
    if values:
        world.database.transact_now(lambda conn: calls.set_values(conn, call_id, **values))
    else:
        world.database.transact_now(lost)
    assert isinstance(listens(world, call_id, verb=verb), Alarm)
    [told] = refused(world)
    assert told.startswith("ida was refused to listen to")
    assert told in {each.text for each in world.database.read_now(open_alerts)}
    assert world.database.read_now(listening.open_ones) == []
