"""Wrong PINs: a pause at one telephone, then a lock everywhere, never told apart from a wrong PIN."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row, select

from accounts.db import Database
from ivr.controls import InmateControls, UnfitPin
from ivr.facility.audit import audit
from ivr.facility.file import FacilityFileError
from ivr.facility.tables import inmate, wrong_pin
from ivr.loading import load
from ivr.policy.identity import PAUSE, PAUSES_OF_STATION, TRIES_BEFORE_LOCK, TRIES_BEFORE_PAUSE
from ivr.records.tables import session
from ivr.staff import changes
from ivr.staff.desk import StaffError
from tests.controller import steps
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World, demonstration

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


def unlocked(world: World, verb: str = "unlock", /, **given: object) -> str:
    asked = changes.read(verb, {"author": "sergeant", **given})
    return world.database.transact_now(changes.do, verb, asked, KEY, world.at)


def unlocks(conn: Connection) -> list[Row[Any]]:
    return list(conn.execute(select(audit)))


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
        ({"inmate_id": "1001", "note": " "}, "note: expected 3 letters or more"),
        ({}, "inmate_id: Field required"),
    ],
)
def test_what_cant_be_unlocked_is_told(world: World, given: dict[str, object], told: str) -> None:
    with pytest.raises(StaffError, match=told):
        unlocked(world, **{"note": "because", **given})


BY_PIN = ('identify_by = "id_and_pin"', 'identify_by = "pin"')
ALEX_PIN, SAM_PIN, NOBODYS = "2468", "1357", "8642"


@pytest.fixture
def pin_world(database: Database, tmp_path: Path) -> World:
    """The demonstration facility, where a PIN is keyed alone."""
    return World(database, tmp_path, demonstration(BY_PIN))


@in_loop
async def test_a_pin_alone_tells_who_calls(pin_world: World) -> None:
    controls = InmateControls(pin_world.node, "demo-a1", "PJSIP/demo-a1-1")
    await controls.open_session()
    assert await controls.identify(ALEX_PIN)
    assert not await controls.identify(steps.ALEX)
    assert not await controls.identify("")


@in_loop
async def test_wrong_pins_without_an_id_pause_their_telephone_longer_each_time(pin_world: World) -> None:
    for pause in (*PAUSES_OF_STATION, PAUSES_OF_STATION[-1]):
        await tried(pin_world, NOBODYS, TRIES_BEFORE_PAUSE)
        assert not await tried(pin_world, ALEX_PIN)
        assert await tried(pin_world, SAM_PIN, station="demo-a2")
        pin_world.at += pause - timedelta(seconds=1)
        assert not await tried(pin_world, ALEX_PIN)
        pin_world.at += timedelta(seconds=1)
    assert await tried(pin_world, ALEX_PIN)
    assert pin_world.database.read_now(counted) == {}


@in_loop
async def test_staff_end_the_pause_of_one_telephone(pin_world: World) -> None:
    for station in ("demo-a1", "demo-a2"):
        await tried(pin_world, NOBODYS, TRIES_BEFORE_PAUSE, station)
    here: dict[str, Any] = {"station": "demo-a1", "note": "A new man tried his ID"}
    assert unlocked(pin_world, "unlock-station", **here) == "station demo-a1: unlocked"
    assert await tried(pin_world, ALEX_PIN)
    assert not await tried(pin_world, ALEX_PIN, station="demo-a2")
    (kept,) = pin_world.database.read_now(unlocks)
    assert (kept.verb, kept.about, kept.note, kept.author) == (
        *("unlock-station", "station demo-a1"),
        *("A new man tried his ID", "sergeant"),
    )
    assert unlocked(pin_world, "unlock-station", **here).endswith("no wrong PINs were counted")
    with pytest.raises(StaffError, match="example-county-jail has no station demo-a9"):
        unlocked(pin_world, "unlock-station", station="demo-a9", note="Whichever")


def test_no_station_is_unlocked_where_an_id_is_what_is_paused(world: World) -> None:
    with pytest.raises(StaffError, match="pauses no station, but an inmate's ID: `ivr inmate unlock`"):
        unlocked(world, "unlock-station", station="demo-a1", note="Whichever")


@in_loop
async def test_a_right_and_a_wrong_pin_alone_cost_the_same_statements_in_a_pause(pin_world: World) -> None:
    async def statements(entry: str) -> int:
        controls = InmateControls(pin_world.node, "demo-a1", "PJSIP/demo-a1-1")
        await controls.open_session()
        before = pin_world.database.counts().statements
        await controls.identify(entry)
        return pin_world.database.counts().statements - before

    first = await statements(NOBODYS)
    assert await statements(NOBODYS) == first
    await tried(pin_world, NOBODYS, TRIES_BEFORE_PAUSE)
    assert await statements(NOBODYS) == await statements(ALEX_PIN) == first


def test_a_pin_that_two_would_key_alone_is_refused_without_telling_it(pin_world: World) -> None:
    same = ('pin = "1357"', 'pin = "2468"')
    with pytest.raises(FacilityFileError, match="inmate 1002: pin: inmate 1001 has the same one") as told:
        demonstration(BY_PIN, same)
    assert "2468" not in str(told.value)
    kept = demonstration(BY_PIN, ('pin = "2468"\n', ""), ('pin = "1357"', 'pin = "2468"'))
    with pytest.raises(FacilityFileError, match="inmate 1002: pin: inmate 1001 has the same one"):
        pin_world.database.transact_now(load, kept, KEY, pin_world.at)


@in_loop
async def test_two_may_swap_their_pins_in_one_load(pin_world: World) -> None:
    swapped = demonstration(
        BY_PIN, ('pin = "1357"', 'pin = "x"'), ('pin = "2468"', 'pin = "1357"'), ('pin = "x"', 'pin = "2468"')
    )
    pin_world.database.transact_now(load, swapped, KEY, pin_world.at)
    controls = InmateControls(pin_world.node, "demo-a1", "PJSIP/demo-a1-1")
    await controls.open_session()
    assert await controls.identify(ALEX_PIN)
    assert pin_world.database.read_now(whose, controls.session_id) == "1002"


def whose(conn: Connection, session_id: str) -> str | None:
    found: str | None = conn.scalar(
        select(inmate.c.inmate_id)
        .join(session, session.c.inmate == inmate.c.id)
        .where(session.c.id == session_id)
    )
    return found


def test_a_facility_that_changes_to_pins_alone_needs_every_pin_anew(world: World) -> None:
    without = demonstration(BY_PIN, ('pin = "2468"\n', ""))
    with pytest.raises(FacilityFileError, match="identify_by changes, so a pin is expected for inmate 1001"):
        world.database.transact_now(load, without, KEY, world.at)
    world.database.transact_now(load, demonstration(BY_PIN), KEY, world.at)


@pytest.mark.parametrize(
    ("digits", "told"),
    [
        ("6", r"inmate 1001: pin: .*says 6 digits"),
        ('"5-8"', r"says 5 to 8 digits"),
        ('"3-8"', "expected 4 to 12"),
    ],
)
def test_a_pin_of_another_length_is_refused(digits: str, told: str) -> None:
    with pytest.raises(FacilityFileError, match=told) as refused:
        demonstration(('pin_digits = "4-12"', f"pin_digits = {digits}"))
    assert "2468" not in str(refused.value)


async def chosen(world: World, entry: str, pin: str) -> UnfitPin | None:
    """What comes of a PIN that the inmate of this entry chooses by phone."""
    controls = InmateControls(world.node, "demo-a1", "PJSIP/demo-a1-1")
    await controls.open_session()
    assert await controls.identify(entry)
    return await controls.change_pin(pin)


@pytest.mark.parametrize(
    ("pin", "unfit"),
    [
        ("123", UnfitPin.TOO_SHORT),
        ("1234567890123", UnfitPin.TOO_LONG),
        ("7777", UnfitPin.TOO_EASY),
        ("3456", UnfitPin.TOO_EASY),
        ("9876", UnfitPin.TOO_EASY),
        ("1001", UnfitPin.TOO_EASY),  # the ID
        ("2468", UnfitPin.TOO_EASY),  # the old one
        ("24*8", UnfitPin.TOO_EASY),
        ("8024", None),
    ],
)
@in_loop
async def test_a_pin_that_is_easily_guessed_is_not_taken(
    world: World, pin: str, unfit: UnfitPin | None
) -> None:
    assert await chosen(world, steps.ALEX, pin) is unfit
    assert await tried(world, "1001" + (pin if unfit is None else "2468"))
    assert await tried(world, "10012468") is (unfit is not None)


@in_loop
async def test_anothers_pin_is_refused_like_an_easy_one_and_cant_be_looked_for(pin_world: World) -> None:
    for _ in range(TRIES_BEFORE_PAUSE):
        assert await chosen(pin_world, ALEX_PIN, SAM_PIN) is UnfitPin.TOO_EASY
    assert await chosen(pin_world, ALEX_PIN, "8024") is UnfitPin.TOO_EASY
    pin_world.at += PAUSE
    assert await chosen(pin_world, ALEX_PIN, "8024") is None
    assert await tried(pin_world, "8024")


@in_loop
async def test_a_pin_set_by_phone_goes_with_the_way_of_identifying_it_was_for(world: World) -> None:
    assert await chosen(world, steps.ALEX, "8024") is None
    world.database.transact_now(load, demonstration(), KEY, world.at)
    assert await tried(world, "10018024")  # kept from the next load
    world.database.transact_now(load, demonstration(BY_PIN), KEY, world.at)
    assert await tried(world, "2468")
