"""A number that is privileged for one inmate is so, too, while nobody knows who calls: they may be that inmate."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection

from accounts.db import Database
from ivr.controls import Accepted, CalledPartyControls, Grant
from ivr.facility import lookup, privileged, scopes
from ivr.policy.privilege import PrivilegeKind, PrivilegeSource
from ivr.policy.reasons import NotRecorded
from ivr.staff.privileged_report import privileged_report
from tests.controller import steps
from tests.controller.test_nobody_pays import BY_CODE, CODE, LOCAL, ON_A_BOOKING, authorised, world_of
from tests.controller.test_privileged import JAIL, add
from tests.transcripts.play import World

HOTLINE = "2175550114"
WHO = pytest.mark.parametrize(
    ("whose", "keys", "number"),
    [(ON_A_BOOKING, LOCAL, LOCAL), (BY_CODE, CODE, HOTLINE)],
    ids=["booking", "hotline"],
)


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return world_of(database, tmp_path)


def called(world: World, whose: tuple[str, str], keys: str) -> CalledPartyControls:
    """A call that was answered, and would be recorded if nothing were privileged."""

    async def call() -> CalledPartyControls:
        call_id, grant = await authorised(world, *whose, keys)
        assert isinstance(grant, Grant)
        controls = CalledPartyControls(world.node, call_id, f"PJSIP/carrier-{call_id}")
        await controls.offer()
        return controls

    return asyncio.run(call())


@WHO
@pytest.mark.parametrize("is_privileged", [False, True])
def test_it_is_neither_recorded_nor_spoken_into_and_its_keys_pass(
    world: World, whose: tuple[str, str], keys: str, number: str, *, is_privileged: bool
) -> None:
    if is_privileged:
        add(world, number=number, inmate_id="1002", untimed=True)
    controls = called(world, whose, keys)
    accepted = asyncio.run(controls.accept("1", "en"))
    assert isinstance(accepted, Accepted)
    row = steps.record(world, controls.call_id)
    assert (row.privileged, accepted.recording_file is None) == (is_privileged, is_privileged)
    assert row.not_recorded == (NotRecorded.PRIVILEGED if is_privileged else None)
    assert row.limit_ms == 900_000  # another's number makes no unknown caller's call untimed
    assert ("OVERLAY" in accepted.in_talk, "KEYS" in accepted.in_talk) == (not is_privileged, is_privileged)


def behind_the_seal(conn: Connection, world: World, number: str) -> None:
    """The number becomes privileged for one inmate, and nothing is sealed yet."""
    other = lookup.inmate_by_id(conn, JAIL, "1002")
    assert other is not None
    with privileged.changing(conn, JAIL) as listed:
        listed.add(
            scope=scopes.inmate(other.id),
            number=f"+1{number}",
            kind=PrivilegeKind.ATTORNEY,
            source=PrivilegeSource.STAFF,
            note="between the offer and the key",
            author="anna",
            at=world.at,
        )


@WHO
def test_no_acceptance_stands_on_what_was_decided_before_it_became_privileged(
    world: World, whose: tuple[str, str], keys: str, number: str
) -> None:
    controls = called(world, whose, keys)
    world.database.transact_now(behind_the_seal, world, number)
    assert asyncio.run(controls.accept("1", "en")) is None


@WHO
def test_what_was_recorded_before_is_sealed_and_the_call_goes_on_privileged(
    world: World, whose: tuple[str, str], keys: str, number: str
) -> None:
    controls = called(world, whose, keys)
    asyncio.run(controls.accept("1", "en"))
    assert "recordings sealed: 1" in add(world, number=number, inmate_id="1002")
    row = steps.record(world, controls.call_id)
    assert (row.privileged, row.not_recorded) == (True, NotRecorded.PRIVILEGED)


@WHO
def test_a_recording_of_a_call_that_is_over_is_sealed_and_stands_in_the_report(
    world: World, whose: tuple[str, str], keys: str, number: str
) -> None:
    controls = called(world, whose, keys)
    asyncio.run(controls.accept("1", "en"))
    asyncio.run(steps.settle_unanswered(world, controls.call_id))
    assert "recordings sealed: 1" in add(world, number=number, inmate_id="1002")
    today = world.at.date()
    [told] = world.database.read_now(privileged_report, None, today, today).calls
    assert controls.call_id.startswith(str(told["call"]))
    assert told["privileged"] is False  # as it was decided then
