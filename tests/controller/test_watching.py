"""Staff are told of watched calls as they are accepted; never of one that nobody may hear."""

from typing import Any

import pytest
from sqlalchemy import select

from accounts.payment_tables import notice
from ivr.records import calls, listening, watched
from ivr.staff import changes
from ivr.staff.desk import StaffError
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World

WHOM = {"sms": "+12175550190", "email": "desk@jail.example", "phone": "staff-desk"}


def does(world: World, change: str, **given: Any) -> str:
    asked = changes.read(change, {"author": "ida", "note": "Case 18", **given})
    return world.database.transact_now(changes.do, change, asked, KEY, world.at)


def told(world: World) -> list[tuple[str, str]]:
    rows = world.database.read_now(lambda conn: conn.execute(select(notice)).all())
    return sorted((row.channel, row.recipient) for row in rows if row.kind == "watched_call")


@pytest.mark.usefixtures("on_database")
@in_loop
async def test_who_watches_an_inmate_is_told_once_and_rung_until_it_ends(world: World, ivr: Ivr) -> None:
    added = does(world, "watch add", inmate_id="1001", **WHOM)
    [standing] = world.database.read_now(watched.standing)
    assert added == f"inmate 1001: watched ({standing.id})"
    call_id = await steps.accepted(world)
    assert told(world) == [("email", WHOM["email"]), ("sms", WHOM["sms"])]
    [row] = world.database.read_now(listening.of_call, call_id)
    assert (row.author, row.phone, row.note) == ("ida", "staff-desk", "watched: Case 18")
    for verb in (("changes",), ("inmate", "show", "1001")):  # a viewer may see both
        assert "watched" not in ivr(*verb).out
    assert f"watched ({standing.id})" in ivr("audit", "show", "--verb", "watch add").out
    assert does(world, "watch end", watched_id=standing.id) == f"watched {standing.id}: watched no longer"
    assert world.database.read_now(watched.standing) == []
    with pytest.raises(StaffError, match=f"nothing is watched as {standing.id}"):
        does(world, "watch end", watched_id=standing.id)


@in_loop
async def test_nobody_is_told_of_a_privileged_call(world: World) -> None:
    does(world, "watch add", inmate_id="1001", **WHOM)
    called = await steps.offered(world)
    world.database.transact_now(lambda conn: calls.set_values(conn, called.call_id, privileged=True))
    assert await called.accept("1", "en") is not None
    assert told(world) == []
    assert world.database.read_now(listening.of_call, called.call_id) == []


def test_what_is_watched_and_who_is_told_has_to_be_said(world: World) -> None:
    for given, expected in (
        ({"sms": WHOM["sms"]}, "expected an inmate or a number"),
        ({"inmate_id": "1001", "number": "+12175550102", **WHOM}, "expected an inmate or a number"),
        ({"inmate_id": "1001"}, "expected at least one of sms, email, phone"),
        ({"inmate_id": "9999", **WHOM}, "has no inmate 9999"),
    ):
        with pytest.raises(StaffError, match=expected):
            does(world, "watch add", **given)
