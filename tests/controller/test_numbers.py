"""Blocks, lists and states as a facility's file sets them, and what calls make of them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row, insert, select

from accounts.db import Database
from ivr.controls import Grant, Refused
from ivr.controls.called_party import block_number
from ivr.controls.settlement import Ending, settle
from ivr.facility.file import FacilityFileError
from ivr.facility.tables import allowed_number, blocked_number
from ivr.loading import load
from ivr.policy.reasons import Denial, Outcome
from ivr.policy.request import BlockCause
from ivr.policy.talk import Evidence, Kind
from tests.controller import steps
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, World, demonstration

NUMBER = "+12175550102"
DIALLED = '{ number = "+1 217 555 0102", speed_dial = "2"'
OVERRIDDEN = (DIALLED, f'{DIALLED}, override_note = "By order of the court"')


def blocked(says: str) -> tuple[str, str]:
    return "[[prepaid]]", f'[[blocked]]\n{says}\nnote = "because"\n\n[[prepaid]]'


def world_with(database: Database, tmp_path: Path, *changes: tuple[str, str]) -> World:
    return World(database, tmp_path, demonstration(*changes))


async def refusal(world: World, keys: str = steps.PAID) -> Denial | None:
    outcome = await steps.answer(world, keys)
    return outcome.reason if isinstance(outcome, Refused) else None


COVERING = {
    "number": ('number = "217 555 0102"', True),
    "another number": ('number = "217 555 0109"', False),
    "area code": ('prefix = "217"', True),
    "area code with its 1": ('prefix = "1 217"', True),
    "exchange": ('prefix = "+1 217 555"', True),
    "another area code": ('prefix = "312"', False),
    "another country": ('prefix = "+44"', False),
    "type": ('type = "international"', False),
}


@pytest.mark.parametrize("what", COVERING)
@in_loop
async def test_a_block_covers_a_number_all_with_a_prefix_or_a_type(
    database: Database, tmp_path: Path, what: str
) -> None:
    says, covers = COVERING[what]
    world = world_with(database, tmp_path, blocked(says))
    assert await refusal(world) is (Denial.NUMBER_BLOCKED if covers else None)


@in_loop
async def test_a_block_of_international_numbers_covers_them(database: Database, tmp_path: Path) -> None:
    world = world_with(database, tmp_path, blocked('type = "international"'))
    assert await refusal(world, "011442079460123") is Denial.NUMBER_BLOCKED


@pytest.mark.parametrize("cause", ["facility", "security", "agent"])
@in_loop
async def test_the_cause_of_a_block_is_kept_in_the_record(
    database: Database, tmp_path: Path, cause: str
) -> None:
    world = world_with(database, tmp_path, blocked(f'prefix = "217"\ncause = "{cause}"'))
    call_id, outcome = await steps.decided(world, steps.PAID)
    assert outcome == Refused(Denial.NUMBER_BLOCKED, {})
    assert steps.record(world, call_id).blocked_by == cause


@in_loop
async def test_a_block_is_overridden_for_one_inmate(database: Database, tmp_path: Path) -> None:
    world = world_with(database, tmp_path, blocked('prefix = "217"'), OVERRIDDEN)
    call_id = await steps.accepted(world)
    assert steps.record(world, call_id).blocked_by is None
    (other,) = steps.crowd(world, 1)
    assert (await steps.answer(world, "6", who=other)) == Refused(Denial.NUMBER_BLOCKED, {})


@in_loop
async def test_a_called_partys_block_is_kept_beside_the_facilitys_and_is_not_overridden(
    database: Database, tmp_path: Path
) -> None:
    world = world_with(database, tmp_path, blocked('number = "217 555 0102"'), OVERRIDDEN)
    assert await refusal(world) is None
    for _ in range(2):
        database.transact_now(block_number, "example-county-jail", NUMBER, "0" * 32, world.node)
    causes = [row.cause for row in database.read_now(live_blocks) if row.number == NUMBER]
    assert sorted(causes) == ["called_party", "facility"]
    assert await refusal(world) is Denial.BLOCKED_BY_CALLED_PARTY


def live_blocks(conn: Connection) -> list[Row[Any]]:
    return list(conn.execute(select(blocked_number).where(blocked_number.c.lifted_at.is_(None))))


PROTECTED = '[[no_contact]]\nnumber = "217 555 0102"\nnote = "Protective order"\n\n[[prepaid]]'


@pytest.mark.parametrize(
    "change",
    [
        ("[[prepaid]]", PROTECTED),
        (
            'name = "Alex Example"',
            'name = "Alex Example"\nno_contact = [{ number = "2175550102", note = "Order" }]',
        ),
    ],
)
@in_loop
async def test_who_is_not_to_be_called_is_refused_like_any_block_and_the_cause_is_kept(
    database: Database, tmp_path: Path, change: tuple[str, str]
) -> None:
    world = world_with(database, tmp_path, change, OVERRIDDEN)
    call_id, outcome = await steps.decided(world, steps.PAID)
    assert outcome == Refused(Denial.NUMBER_BLOCKED, {})
    assert steps.record(world, call_id).blocked_by == "no_contact"


SINCE = {
    "an area code": ({"covers": "prefix", "number": "+1217"}, False),
    "another area code": ({"covers": "prefix", "number": "+1312"}, True),
    "a number that begins it": ({"number": "+1217555010"}, True),
    "for this inmate": ({"scope": "inmate/{}", "number": NUMBER}, False),
    "for another inmate": ({"scope": "inmate/999", "number": NUMBER}, True),
}


@pytest.mark.parametrize("overridden", [False, True])
@pytest.mark.parametrize("since", SINCE)
@in_loop
async def test_what_was_blocked_since_the_offer_is_not_accepted(
    database: Database, tmp_path: Path, since: str, overridden: bool
) -> None:
    world = world_with(database, tmp_path, *([OVERRIDDEN] if overridden else []))
    called = await steps.offered(world)
    row, accepted = SINCE[since]
    inmate = steps.record(world, called.call_id).inmate
    values = {
        "facility_id": "example-county-jail",
        "covers": "number",
        "cause": BlockCause.SECURITY,
        "note": "since",
        "author": "staff",
        "blocked_at": world.at,
        **row,
        "scope": row.get("scope", "facility").format(inmate),
    }
    database.transact_now(lambda conn: conn.execute(insert(blocked_number).values(values)))
    assert (await called.accept("1", "en") is not None) == (accepted or overridden)


def test_a_load_lifts_only_what_a_file_has_blocked(database: Database, tmp_path: Path) -> None:
    world = world_with(database, tmp_path, blocked('prefix = "217"'))
    staff = {
        "facility_id": "example-county-jail",
        "scope": "facility",
        "covers": "number",
        "number": NUMBER,
        "cause": "security",
        "note": "cut off",
        "author": "sergeant",
        "blocked_at": world.at,
    }
    database.transact_now(lambda conn: conn.execute(insert(blocked_number).values(staff)))
    assert database.transact_now(load, demonstration(), KEY, world.at) == [
        "block of prefix +1217 (facility): lifted"
    ]
    assert {(row.number, row.author) for row in database.read_now(live_blocks)} == {
        (NUMBER, "sergeant"),
        ("+12175550105", "facility file"),
    }


# -- lists

PAID_TOO = ('numbers = [\n    "+1 217', 'numbers = [\n    "+1 217 555 0120",\n    "+1 217')
LEARNS = (
    '"enforced"                  # or "self_learning", "open"\npan_maximum = 20',
    '"self_learning"\npan_maximum = 9',
)


def talk(world: World, call_id: str, seconds: float) -> None:
    seen = [Evidence(Kind.TALK_FROM, world.at), Evidence(Kind.TALK_TO, world.at + timedelta(seconds=seconds))]
    ended = Ending(Outcome.SYSTEM_FAULT)
    world.database.transact_now(settle, call_id, ended, at=world.at, version="test", seen=seen)


def listed(conn: Connection) -> list[str]:
    return list(conn.scalars(select(allowed_number.c.number).where(allowed_number.c.learned)))


@in_loop
async def test_a_completed_call_adds_its_number_until_the_list_is_full(
    database: Database, tmp_path: Path
) -> None:
    world = world_with(database, tmp_path, LEARNS, PAID_TOO)
    for seconds, learned in ((0.5, []), (30, ["+12175550120"]), (30, ["+12175550120"])):
        talk(world, await steps.accepted(world, "2175550120"), seconds)
        assert database.read_now(listed) == learned
    assert await refusal(world, "2175550121") is Denial.NUMBER_NOT_ALLOWED
    assert isinstance(await steps.answer(world, "2175550120"), Grant)
    same = demonstration(LEARNS)
    assert not [line for line in database.transact_now(load, same, KEY, world.at) if "allowed" in line]
    assert database.read_now(listed) == ["+12175550120"]


@in_loop
async def test_an_enforced_list_learns_nothing(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    talk(world, await steps.accepted(world, steps.PRIVILEGED), 30)
    assert database.read_now(listed) == []
    assert await refusal(world, "2175550120") is Denial.NUMBER_NOT_ALLOWED


@in_loop
async def test_with_open_lists_every_number_may_be_called(database: Database, tmp_path: Path) -> None:
    change = ('pan_mode = "enforced"', 'pan_mode = "open"')
    world = world_with(database, tmp_path, change, PAID_TOO)
    assert isinstance(await steps.answer(world, "2175550120"), Grant)


# -- states


@in_loop
async def test_a_suspension_ends_at_its_hour(database: Database, tmp_path: Path) -> None:
    dates = 'state = "suspended"\nsuspended_from = 2026-11-23T11:00:00\nsuspended_to = 2026-11-23T13:00:00'
    world = world_with(database, tmp_path, ('name = "Alex Example"', f'name = "Alex Example"\n{dates}'))
    assert await refusal(world) is Denial.INMATE_SUSPENDED
    assert await refusal(world, steps.PRIVILEGED) is None
    world.at += timedelta(hours=1)
    assert await refusal(world) is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[[prepaid]]", '[[blocked]]\nnote = "all"\n[[prepaid]]', "exactly one of number, prefix, type"),
        (*blocked('prefix = "1"'), "expected an area code or more"),
        (*blocked('prefix = "+1"'), "expected an area code or more"),
        (*blocked('prefix = "21"'), "expected an area code or more"),
        (*blocked('prefix = "900"\ncause = "called_party"'), "cause: Input should be 'facility'"),
        (DIALLED, f'{DIALLED}, override_note = ""', "override_note: String should have at least 3"),
        (
            "pan_maximum = 20",
            "pan_maximum = 7",
            "inmate 1001: 8 numbers, facility.pan_maximum is 7",
        ),
        (
            'name = "Alex Example"',
            'name = "A"\nsuspended_to = 2026-11-23T13:00:00',
            "belong to the state suspended",
        ),
    ],
)
def test_mistakes_in_lists_are_named(old: str, new: str, told: str) -> None:
    with pytest.raises(FacilityFileError, match=told):
        demonstration((old, new))
