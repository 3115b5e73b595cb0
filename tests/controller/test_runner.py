"""Every way out of every script is recorded: hang-ups at each command, faults, and scripts that there are not."""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import Connection, Row, select
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs

from accounts.db import DatabaseBusy
from ivr import watch
from ivr.controls import InmateControls
from ivr.flows import after_call
from ivr.policy.reasons import Denial, Outcome
from ivr.records import calls
from ivr.records.tables import call, call_back, session
from tests.controller import steps
from tests.controller.exchange import Exchange, exchange
from tests.fakes.ami_server import FakeAmi
from tests.fakes.asterisk import HANGS_UP, FakeAsterisk, PhoneCall, Result
from tests.fakes.channel import FakeChannel, run_agi
from tests.fakes.loop import in_loop
from tests.transcripts.play import World

#: Two calls in a session: the first is talked, the second refused by the called party; prices and keys are asked for.
INMATE = ("2", "10012468#", "1#", "1", "2#", "2")
CALLED = (("", "3", "1"), ("", "8", "2"))
TWO_CALLS = PhoneCall("demo-a1", INMATE, CALLED)


@dataclass(slots=True)
class Leaving:
    """Hangs a leg up at one command after another, in one call after another; `reached` when there was one."""

    leg: str
    command: int = -1
    reached: bool = False
    _left: int = 0

    def starts(self) -> None:
        """The next call begins."""
        self.command += 1
        self.reached, self._left = False, self.command

    def made(self, token: str, port: int, ami: FakeAmi) -> FakeAsterisk:
        """An Asterisk whose channels do so."""
        leaving = self

        class Hasty(FakeAsterisk):
            def _new_channel(self, endpoint: str, keys: Sequence[str], prompt_s: float) -> FakeChannel:
                channel = super()._new_channel(endpoint, keys, prompt_s)
                if endpoint == leaving.leg:
                    channel.leaves_at, channel.leave = "", leaving.count
                return channel

        return Hasty(token, port, ami)

    def count(self, channel: FakeChannel) -> None:
        """Called at each command."""
        if self._left == 0:
            self.reached = True
            channel.hang_up()
        else:
            self._left -= 1
            channel.leaves_at = ""


async def nothing_is_left(on: Exchange) -> None:
    """No dialogue, open call, open session, held money or stray file."""
    await on.quiet()
    world = on.watched.world
    assert world.database.read_now(steps.open_holds) == []
    assert list(world.node.names.glob("*.ulaw")) == []
    assert list(world.node.live) == []
    assert world.node.live.in_dialogue == set()
    steps.assert_books_are_right(world)


@in_loop
async def test_a_session_of_two_calls_goes_as_it_must(world: World) -> None:
    async with exchange(world) as on:
        result = await on.asterisk.call(TWO_CALLS)
        assert [attempt.accepted for attempt in result.attempts] == [True, False]
        await nothing_is_left(on)
        first, second = (steps.record(world, attempt.call_id) for attempt in result.attempts)
        assert (first.reason, first.payer, first.called_language) == (Outcome.COMPLETED, "subscription", "en")
        assert (second.reason, second.called_language, second.cost_heard) == (Outcome.REFUSED, "es", False)
        assert (first.inmate_language, first.cost_heard) == ("es", True)


@pytest.mark.parametrize("leg", ["demo-a1", "carrier"])
@in_loop
async def test_a_hang_up_at_any_command_leaves_nothing_open(world: World, leg: str) -> None:
    leaving = Leaving(leg)
    period = steps.period_of(world)
    async with exchange(world, leaving.made) as on:
        before = steps.available(world), steps.available(world, period)
        while True:
            leaving.starts()
            result = await on.asterisk.call(TWO_CALLS)
            await nothing_is_left(on)
            assert told_nothing_false(result)
            assert before == (steps.available(world), steps.available(world, period))
            if not leaving.reached:
                break
    assert leaving.command > 10


def told_nothing_false(result: Result) -> bool:
    """Nobody was connected who had not accepted."""
    return all(attempt.accepted or attempt.talked_s == 0 for attempt in result.attempts)


@in_loop
async def test_a_name_half_recorded_does_not_stay(world: World) -> None:
    world.record_names(None)
    async with exchange(world) as on:
        channel = on.channel()
        channel.keys.extend(["1", "10012468#", "2#", HANGS_UP])

        def record_and_leave(leaver: FakeChannel) -> None:
            path = leaver.commands[-1][2]
            (world.node.names / f"{path.rpartition('/')[2]}.ulaw").write_bytes(b"\xff" * 800)
            leaver.hang_up()

        channel.leaves_at, channel.leave = "RECORD FILE", record_and_leave
        await run_agi(channel, "127.0.0.1", on.agi.port, "outbound")
        await nothing_is_left(on)


@in_loop
async def test_a_name_that_is_never_said_is_asked_for_three_times_and_the_call_refused(world: World) -> None:
    world.record_names(None)
    async with exchange(world) as on:
        result = await on.asterisk.call(PhoneCall("demo-a1", ["1", "10012468#", "2#", "", "", "", "2"]))
        await nothing_is_left(on)
        assert len(result.inmate.recordings) == 3
        assert "en/ivr/ending.name_not_recorded" in " ".join(result.inmate.heard)


FAULTS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "before any record": lambda: mock.patch.object(
        InmateControls, "open_session", side_effect=DatabaseBusy("somebody else writes")
    ),
    "at the PIN": lambda: mock.patch.object(InmateControls, "identify", side_effect=ValueError("fault")),
    "before the decision": lambda: mock.patch.object(
        InmateControls, "authorise", side_effect=KeyError("fault")
    ),
    "after the hold": lambda: mock.patch.object(InmateControls, "dialling", side_effect=TypeError("fault")),
    "in the decision": lambda: mock.patch.object(
        calls, "set_values", side_effect=DatabaseBusy("somebody else writes")
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@in_loop
async def test_a_fault_is_told_and_gives_everything_back(world: World, fault: str) -> None:
    async with exchange(world) as on:
        with capture_logs() as told, FAULTS[fault]():
            result = await on.asterisk.call(PhoneCall("demo-a1", ["1", "10012468#", "2#"]))
            await nothing_is_left(on)
        assert "en/ivr/ending.system_fault" in " ".join(result.inmate.heard)
        assert result.inmate.variables["VERDICT"] == "END"
        assert "script failed" in [each["event"] for each in told]
        assert reasons(world) == (set() if fault == "before any record" else {str(Outcome.SYSTEM_FAULT)})


def reasons(world: World) -> set[str]:
    """How calls and sessions ended."""
    of_calls = {row.reason for row in world.database.read_now(all_calls)}
    of_sessions = world.database.read_now(lambda conn: set(conn.scalars(select(session.c.reason))))
    return {each for each in of_calls | of_sessions if each is not None}


def all_calls(conn: Connection) -> Sequence[Row[Any]]:
    return conn.execute(select(call)).all()


@in_loop
async def test_a_fault_in_the_acceptance_connects_nobody_and_gives_the_hold_back(world: World) -> None:
    async with exchange(world) as on:
        with mock.patch("ivr.controls.called_party.recordings.begin", side_effect=OSError("disk full")):
            result = await on.asterisk.call(PhoneCall("demo-a1", ["1", "10012468#", "2#", "2"], [["", "1"]]))
            await nothing_is_left(on)
        (attempt,) = result.attempts
        assert not attempt.accepted
        assert attempt.called is not None
        assert any("cannot_connect" in file for file in attempt.called.heard)
        row = steps.record(world, attempt.call_id)
        assert (row.accepted_at, row.charge) == (None, 0)


@in_loop
async def test_a_fault_after_the_call_does_not_undo_it(world: World) -> None:
    async with exchange(world) as on:
        with mock.patch.object(after_call, "speech", side_effect=RuntimeError("fault")):
            result = await on.asterisk.call(
                PhoneCall("demo-a1", ["1", "10012468#", "2#"], [["", "1"]], talk_s=0.01)
            )
            await nothing_is_left(on)
        (attempt,) = result.attempts
        assert steps.record(world, attempt.call_id).reason == Outcome.COMPLETED
        assert "en/ivr/ending.system_fault" in " ".join(result.inmate.heard)


@in_loop
async def test_a_call_that_could_not_be_settled_at_its_end_is_settled_by_the_next_beat(world: World) -> None:
    async with exchange(world) as on:
        fault = mock.patch.object(InmateControls, "dialling", side_effect=RuntimeError("fault"))
        failing = mock.patch(
            "ivr.controls.inmate.settle_call", side_effect=DatabaseBusy("somebody else writes")
        )
        with fault, failing, capture_logs() as told:
            await on.asterisk.call(PhoneCall("demo-a1", ["1", "10012468#", "2#"]))
            await on.watched.until(lambda: not on.agi.sessions)
        assert [each["event"] for each in told if each["log_level"] == "error"] == [
            "script failed",
            "session not closed",
        ]
        assert len(world.database.read_now(steps.open_holds)) == 1
        world.at += timedelta(seconds=1)
        with mock.patch.object(watch, "HEARTBEAT_SECONDS", 0.001):
            beating = asyncio.create_task(on.watched.watch.beat())
            await nothing_is_left(on)
            beating.cancel()
        assert reasons(world) == {Outcome.SYSTEM_FAULT}


@in_loop
async def test_a_script_that_there_is_not_leaves_the_caller_to_the_dialplan(world: World) -> None:
    async with exchange(world) as on:
        channel = on.channel()
        with capture_logs() as told:
            await run_agi(channel, "127.0.0.1", on.agi.port, "transfer")
        assert [each["event"] for each in told if each["log_level"] == "error"] == ["unknown script"]
        assert "VERDICT" not in channel.variables


@in_loop
async def test_a_station_that_no_facility_knows_is_told_so(world: World) -> None:
    async with exchange(world) as on:
        result = await on.asterisk.call(PhoneCall("stranger", ["1"]))
        await nothing_is_left(on)
        assert f"en/ivr/ending.{Denial.STATION_UNKNOWN}" in " ".join(result.inmate.heard)
        assert reasons(world) == {Denial.STATION_UNKNOWN}


@in_loop
async def test_an_incoming_caller_may_leave_at_any_time_and_is_called_back_once(world: World) -> None:
    called = {"CALLERID(num)": "2175550101", "CALLERID(dnid)": "12175550100"}
    async with exchange(world) as on:
        for leaves_at in (None, "ANSWER", "EXEC", "SET"):
            channel = on.channel("carrier", **called)
            channel.leaves_at, channel.keys = leaves_at, deque(["1", "1"])
            await run_agi(channel, "127.0.0.1", on.agi.port, "inbound")
            assert leaves_at or channel.variables["VERDICT"] == "END"
        assert world.node.call_backs.is_set()
        [rung] = world.database.read_now(lambda conn: conn.execute(select(call_back)).all())
        for said in (True, False):  # the second time it is answered already
            channel = on.channel("carrier")
            channel.keys = deque(["", "", ""])
            await run_agi(channel, "127.0.0.1", on.agi.port, "call_back", [rung.id])
            assert channel.variables["VERDICT"] == "END"
            assert bool(channel.heard) is said
        await nothing_is_left(on)


@in_loop
async def test_scripts_for_calls_that_there_are_not_end_without_a_trace(world: World) -> None:
    async with exchange(world) as on:
        accept = on.channel("carrier")
        await run_agi(accept, "127.0.0.1", on.agi.port, "accept", ["f" * 32])
        assert "ACCEPTED" not in accept.variables
        nameless = on.channel("carrier")
        await run_agi(nameless, "127.0.0.1", on.agi.port, "accept")
        assert "ACCEPTED" not in nameless.variables
        after = on.channel(SESSION_ID="f" * 32, CALL_ID="e" * 32, DIALSTATUS="ANSWER")
        await run_agi(after, "127.0.0.1", on.agi.port, "after_call")
        assert after.variables["VERDICT"] == "END"
        await nothing_is_left(on)


@in_loop
async def test_notes_of_settled_calls_are_deleted_by_the_next_dialogue(world: World) -> None:
    async with exchange(world) as on:
        world.node.live.notes_done.extend(f"{n:032x}" for n in range(7))
        notes = on.watched.asterisk.database
        notes |= {f"/talk/{n:032x}": "1.000000" for n in range(7)}
        for left in (2, 0):
            await on.asterisk.call(PhoneCall("demo-a1", []))
            assert len(notes) == left
        await nothing_is_left(on)


@in_loop
async def test_a_line_that_is_logged_in_a_script_names_the_call(world: World) -> None:
    seen: list[dict[str, str]] = []

    async def fail(*_: object) -> None:
        seen.append(get_contextvars())
        raise RuntimeError("fault")

    async with exchange(world) as on:
        with mock.patch.object(InmateControls, "dialling", fail):
            await on.asterisk.call(PhoneCall("demo-a1", ["1", "10012468#", "2#"]))
            await nothing_is_left(on)
    (row,) = world.database.read_now(all_calls)
    assert seen[0]["call_id"] == row.id
    assert seen[0]["station"] == "demo-a1"
    assert re.fullmatch(r"[0-9a-f]{32}", seen[0]["call_id"])
