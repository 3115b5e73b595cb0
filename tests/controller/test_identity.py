"""Wrong PINs: a pause at one telephone, then a lock everywhere, never told apart from a wrong PIN."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Row, select

from ivr.controls import InmateControls
from ivr.facility.tables import staff_change, wrong_pin
from ivr.policy.identity import PAUSE, TRIES_BEFORE_LOCK, TRIES_BEFORE_PAUSE
from ivr.staff import changes
from ivr.staff.desk import StaffError
from tests.controller import steps
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World

WRONG, UNKNOWN = "10011111", "99992468"


async def tried(world: World, entry: str, times: int = 1, station: str = "demo-a1") -> bool:
    """Whether the last of so many entries identified somebody."""
    right = False
    for _ in range(times):
        controls = InmateControls(world.node, station, f"PJSIP/{station}-{world.node.new_id()}")
        await controls.open_session()
        right = await controls.identify(entry)
    return right


def counted(conn: Connection) -> dict[str, int]:
    return {row.station_id: row.in_row for row in conn.execute(select(wrong_pin))}


@in_loop
async def test_five_wrong_pins_pause_the_id_at_that_telephone(world: World) -> None:
    await tried(world, WRONG, TRIES_BEFORE_PAUSE)
    assert not await tried(world, steps.ALEX)
    assert await tried(world, "10021357")
    world.at += PAUSE - timedelta(seconds=1)
    assert not await tried(world, steps.ALEX)
    world.at += timedelta(seconds=1)
    assert await tried(world, steps.ALEX)
    assert world.database.read_now(counted) == {}


@in_loop
async def test_other_telephones_go_on_while_one_is_paused(world: World) -> None:
    await tried(world, WRONG, TRIES_BEFORE_PAUSE)
    assert await tried(world, steps.ALEX, station="demo-a2")


@in_loop
async def test_a_few_wrong_pins_a_day_pause_nobody(world: World) -> None:
    for _ in range(2):
        await tried(world, WRONG, TRIES_BEFORE_PAUSE - 1)
        world.at += PAUSE
    assert await tried(world, steps.ALEX)


@in_loop
async def test_what_is_keyed_in_a_pause_is_not_counted(world: World) -> None:
    await tried(world, WRONG, TRIES_BEFORE_LOCK * 2)
    assert world.database.read_now(counted) == {"demo-a1": TRIES_BEFORE_PAUSE}


async def lock(world: World) -> None:
    for station in ("demo-a1", "demo-a2"):
        await tried(world, WRONG, TRIES_BEFORE_LOCK // 2, station)


@in_loop
async def test_ten_wrong_pins_in_a_row_lock_the_id_until_staff_unlock_it(world: World) -> None:
    await lock(world)
    world.at += timedelta(days=30)
    assert not await tried(world, steps.ALEX)
    assert unlocked(world, inmate_id="1001", note="Showed his card") == "inmate 1001: unlocked"
    assert await tried(world, steps.ALEX)
    (kept,) = world.database.read_now(unlocks)
    assert (kept.facility_id, kept.about) == ("example-county-jail", "inmate 1001")
    assert (kept.note, kept.author, kept.at) == ("Showed his card", "sergeant", world.at)
    assert unlocked(world, inmate_id="1001", note="Again").endswith("no wrong PINs were counted")


def unlocked(world: World, **given: object) -> str:
    asked = changes.read("unlock", {"author": "sergeant", **given})
    return world.database.transact_now(changes.do, "unlock", asked, KEY, world.at)


def unlocks(conn: Connection) -> list[Row[Any]]:
    return list(conn.execute(select(staff_change)))


@in_loop
async def test_unknown_wrong_and_locked_cost_the_same_statements(world: World) -> None:
    async def statements(entry: str) -> int:
        controls = InmateControls(world.node, "demo-a1", "PJSIP/demo-a1-1")
        await controls.open_session()
        before = world.database.counts().statements
        assert not await controls.identify(entry)
        return world.database.counts().statements - before

    first = await statements(WRONG)
    assert [await statements(entry) for entry in (UNKNOWN, WRONG, UNKNOWN)] == [first] * 3
    await tried(world, WRONG, TRIES_BEFORE_PAUSE)
    assert await statements(WRONG) == await statements(steps.ALEX) == first


@in_loop
async def test_silence_is_no_wrong_pin(world: World) -> None:
    await tried(world, "", TRIES_BEFORE_LOCK)
    assert world.database.read_now(counted) == {}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"inmate_id": "9999"}, "example-county-jail has no inmate 9999"),
        ({"inmate_id": "1001", "facility_id": "elsewhere"}, "there is no facility elsewhere"),
        ({"inmate_id": "1001", "note": " "}, "note: expected a few words"),
        ({}, "inmate_id: Field required"),
    ],
)
def test_what_cant_be_unlocked_is_told(world: World, given: dict[str, object], told: str) -> None:
    with pytest.raises(StaffError, match=told):
        unlocked(world, **{"note": "because", **given})
