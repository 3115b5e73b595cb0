"""Acceptance is one conditional update: anything that speaks against it since the offer means no connection."""

import asyncio
from collections import deque
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, insert, update

from accounts import ledger
from ivr.call import Call, SessionEnded
from ivr.controls import Accepted, CalledPartyControls
from ivr.controls.called_party import block_number
from ivr.controls.settlement import Ending, settle_call
from ivr.facility import privileged
from ivr.facility.tables import allowed_number, blocked_number, facility
from ivr.flows.accept import accept
from ivr.policy.privilege import PrivilegeKind, PrivilegeSource
from ivr.policy.reasons import Outcome
from ivr.policy.request import BlockCause
from ivr.records import calls
from ivr.records.states import CallState, Leg
from tests.controller import steps
from tests.fakes.loop import in_loop
from tests.transcripts.play import NOON, VOICES, ScriptedLine, World

FACILITY = "example-county-jail"
NUMBER = "+12175550102"


def block(conn: Connection, world: World, cause: BlockCause) -> None:
    row = {"facility_id": FACILITY, "number": NUMBER, "cause": cause, "note": "since", "author": "staff"}
    covered = {"scope": "facility", "covers": "number"}
    conn.execute(insert(blocked_number).values(**row, **covered, blocked_at=world.at))


def block_its_type(conn: Connection, world: World, call_id: str) -> None:
    calls.set_values(conn, call_id, call_type="international")
    row = {"facility_id": FACILITY, "number": "international", "cause": BlockCause.SECURITY, "note": "since"}
    covered = {"author": "staff", "scope": "facility", "covers": "type"}
    conn.execute(insert(blocked_number).values(**row, **covered, blocked_at=world.at))


def make_privileged(conn: Connection, number: str = NUMBER) -> None:
    with privileged.changing(conn, FACILITY) as listed:
        listed.add(
            scope="facility",
            number=number,
            kind=PrivilegeKind.ATTORNEY,
            source=PrivilegeSource.STAFF,
            note="attorney",
            author="staff",
            at=NOON,
        )


def release_hold(conn: Connection, world: World, call_id: str) -> None:
    ledger.release(conn, transfer_id="staff/release", hold_id=f"call/{call_id}/hold", at=world.at)


Since = Callable[[Connection, World, str], object]
SINCE: dict[str, Since] = {
    "blocked by the facility": lambda conn, world, _: block(conn, world, BlockCause.FACILITY),
    "blocked by the called party": lambda conn, world, call_id: block_number(
        conn, FACILITY, NUMBER, call_id, world.node
    ),
    "blocked by the type of its number": block_its_type,
    "privileged": lambda conn, _world, _: make_privileged(conn),
    "its hold released": release_hold,
    "refused": lambda conn, _world, call_id: calls.decline(conn, call_id, Outcome.REFUSED, "en"),
    "accepted": lambda conn, world, call_id: calls.accept(conn, call_id, key="1", language="en", at=world.at),
    "settled": lambda conn, world, call_id: calls.seal(conn, call_id, {"reason": "busy"}, world.at),
}


@pytest.mark.parametrize("since", SINCE.values(), ids=SINCE.keys())
@in_loop
async def test_a_call_that_changed_since_the_offer_is_not_accepted(world: World, since: Since) -> None:
    called = await steps.offered(world)
    world.database.transact_now(since, world, called.call_id)
    before = steps.record(world, called.call_id)
    assert await called.accept("1", "en") is None
    assert steps.record(world, called.call_id) == before
    assert steps.recordings_of(world, called.call_id) == 0


@in_loop
async def test_a_call_that_nobody_has_answered_is_not_accepted(world: World) -> None:
    dialled = await steps.dialled(world)
    world.record_names(None)  # who has no recorded name yet has an open record before the decision
    for caller in (dialled, await steps.keyed(world)):
        called = CalledPartyControls(world.node, caller.call_id, "PJSIP/carrier-1")
        assert await called.accept("1", "en") is None
        assert steps.record(world, caller.call_id).state in (CallState.KEYED, CallState.ALLOWED)
    assert await CalledPartyControls(world.node, "f" * 32, "PJSIP/carrier-1").accept("1", "en") is None


@in_loop
async def test_a_block_that_was_lifted_before_is_none(world: World) -> None:
    called = await steps.offered(world)
    world.database.transact_now(block, world, BlockCause.FACILITY)
    world.database.transact_now(lambda conn: conn.execute(update(blocked_number).values(lifted_at=world.at)))
    assert isinstance(await called.accept("1", "en"), Accepted)


def test_of_acceptances_that_race_one_wins(world: World) -> None:
    for _ in range(3):
        called = asyncio.run(steps.offered(world))

        def press_one(called: CalledPartyControls = called) -> Accepted | None:
            return asyncio.run(called.accept("1", "en"))

        outcomes = steps.at_once([press_one] * 8)
        assert len([each for each in outcomes if each is not None]) == 1
        assert steps.recordings_of(world, called.call_id) == 1
        asyncio.run(settle_call(world.node, called.call_id, Ending(Outcome.SYSTEM_FAULT)))


def test_an_acceptance_and_a_settlement_that_race_leave_a_sealed_call(world: World) -> None:
    for _ in range(5):
        called = asyncio.run(steps.offered(world))

        def press_one(called: CalledPartyControls = called) -> None:
            asyncio.run(called.accept("1", "en"))

        def hang_up(call_id: str = called.call_id) -> None:
            asyncio.run(settle_call(world.node, call_id, Ending(Outcome.CALLER_HUNG_UP)))

        both: list[Callable[[], None]] = [press_one, hang_up]
        steps.at_once(both)
        row = steps.record(world, called.call_id)
        assert (row.state, row.charge, row.reason) == (CallState.SEALED, 0, Outcome.CALLER_HUNG_UP)
    steps.assert_books_are_right(world)


async def accepting(world: World, keys: str) -> tuple[str, Accepted]:
    called = await steps.offered(world, keys)
    acceptance = await called.accept("1", "en")
    assert acceptance is not None
    return called.call_id, acceptance


@in_loop
async def test_a_recording_is_begun_where_nobody_forbids_it(world: World) -> None:
    call_id, acceptance = await accepting(world, steps.PAID)
    assert acceptance.recording_file is not None
    assert call_id not in acceptance.recording_file
    assert acceptance.recording_file.rpartition("/")[0] == str(world.node.recordings)
    assert steps.recordings_of(world, call_id) == 1


NOT_RECORDED = {
    "privileged": (steps.PRIVILEGED, None),
    "facility": (steps.PAID, update(facility).values(records=False)),
    "number": (steps.PAID, update(allowed_number).values(records=False)),
}


@pytest.mark.parametrize("why", NOT_RECORDED)
@in_loop
async def test_no_recording_is_begun_where_somebody_forbids_it(world: World, why: str) -> None:
    keys, change = NOT_RECORDED[why]
    if change is not None:
        world.database.transact_now(lambda conn: conn.execute(change))
    call_id, acceptance = await accepting(world, keys)
    assert acceptance.recording_file is None
    assert steps.recordings_of(world, call_id) == 0
    assert steps.record(world, call_id).not_recorded == why


def called_party(world: World, called: CalledPartyControls, *keys: str) -> ScriptedLine:
    """The whole dialogue of one who presses these keys."""
    line = ScriptedLine(deque(keys))

    async def dialogue() -> None:
        await accept(Call(line, VOICES), called)
        await called.close()

    asyncio.run(dialogue())
    return line


def test_a_number_made_privileged_while_it_rings_is_not_connected(world: World) -> None:
    caller = asyncio.run(steps.dialled(world))
    world.database.transact_now(make_privileged)
    line = called_party(world, CalledPartyControls(world.node, caller.call_id, "PJSIP/carrier-1"), "", "1")
    assert line.heard[-1] == "cannot_connect"
    assert "ACCEPTED" not in line.variables
    assert line.recording is None
    assert steps.recordings_of(world, caller.call_id) == 0


def test_a_call_whose_caller_has_gone_is_not_offered(world: World) -> None:
    caller = asyncio.run(steps.dialled(world))
    live = world.node.live.get(caller.call_id)
    assert live is not None
    live.hangs_up(Leg.INMATE)
    with pytest.raises(SessionEnded, match=Outcome.CALLER_HUNG_UP):
        called_party(world, CalledPartyControls(world.node, caller.call_id, "PJSIP/carrier-1"))
    assert steps.record(world, caller.call_id).state == CallState.ALLOWED


@pytest.mark.parametrize(
    ("leg", "declined"),
    [(Leg.CALLED_PARTY, Outcome.REFUSED), (None, Outcome.NOT_ACCEPTED), (Leg.INMATE, None)],
    ids=["hung up", "time was over", "nobody calls any more"],
)
@in_loop
async def test_a_dialogue_that_ended_says_who_ended_it(
    world: World, leg: Leg | None, declined: Outcome | None
) -> None:
    called = await steps.offered(world)
    live = world.node.live.get(called.call_id)
    assert live is not None
    if leg:
        live.hangs_up(leg)
    await called.gone("en")
    assert steps.record(world, called.call_id).declined == declined


def test_a_second_dialogue_for_one_call_ends_at_once(world: World) -> None:
    called = asyncio.run(steps.offered(world))
    with pytest.raises(SessionEnded, match=Outcome.SYSTEM_FAULT):
        called_party(world, called)


def test_nothing_of_the_recorded_name_stays_in_the_spool(world: World) -> None:
    caller = asyncio.run(steps.dialled(world))
    called_party(world, CalledPartyControls(world.node, caller.call_id, "PJSIP/carrier-1"), "", "2")
    assert list(world.node.names.glob("*.ulaw")) == []
