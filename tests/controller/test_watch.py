"""What Asterisk's events do to calls in progress, on a played AMI: ends, limits, gaps and faults."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs

from accounts.db import Database, DatabaseBusy
from ivr import watch as watch_module
from ivr.controls import settlement
from ivr.controls.node import Node
from ivr.controls.settlement import Ending, Settled
from ivr.live import LiveCalls
from ivr.policy.reasons import Outcome
from ivr.records import calls, evidence, sessions
from ivr.records.states import Leg
from ivr.watch import Watch
from tests.controller import steps
from tests.controller.exchange import Watched, watching
from tests.fakes.ami_server import FakeAmi
from tests.fakes.loop import in_loop
from tests.transcripts.play import World, demonstration


def session_ended(world: World, call_id: str) -> bool:
    session_id = steps.record(world, call_id).session_id
    return session_id not in world.database.read_now(steps.unfinished)


@in_loop
async def test_an_inmate_who_leaves_in_the_acceptance_ends_the_called_partys_dialogue(world: World) -> None:
    async with watching(world) as on:
        called = await steps.offered(world)
        inmate = on.live(called.call_id).inmate_channel
        on.asterisk.push("HangupRequest", Channel=inmate)
        assert (await on.asterisk.seen("Hangup"))["Channel"] == called.channel
        on.asterisk.push("Hangup", Channel=inmate)
        await on.sealed(called.call_id)
        row = steps.record(world, called.call_id)
        assert (row.reason, row.ended_by) == (Outcome.CALLER_HUNG_UP, Leg.INMATE)
        await on.until(lambda: session_ended(world, called.call_id))
    steps.assert_books_are_right(world)


@in_loop
async def test_the_record_tells_who_carried_a_call_or_who_refused_it_last(world: World) -> None:
    async with watching(world) as on:
        call_id = await steps.accepted(world)
        assert steps.record(world, call_id).carrier == "first.example:5060"
        on.talks(call_id)
        await on.until(lambda: on.live(call_id).talking)
        on.push(call_id, "TalkTo", At=on.now, From=on.now, Cause="16")
        await on.sealed(call_id)
        assert steps.record(world, call_id).carrier == "first.example:5060"
        refused = await steps.dialled(world)
        for endpoint in ("carrier", "carrier-2"):
            on.push(refused.call_id, "Carrier", Carrier=endpoint)
        await on.until(lambda: on.live(refused.call_id).carrier == "carrier-2")
        on.asterisk.push("Hangup", Channel=refused.channel)
        await on.sealed(refused.call_id)
        row = steps.record(world, refused.call_id)
        assert (row.carrier, row.answered_at) == ("second.example:5060", None)


@in_loop
async def test_an_inmate_who_leaves_in_the_talk_is_settled_by_the_called_legs_report(world: World) -> None:
    async with watching(world) as on:
        call_id = await steps.accepted(world)
        inmate = on.live(call_id).inmate_channel
        on.talks(call_id)
        await on.until(lambda: on.live(call_id).talking)
        on.asterisk.push("HangupRequest", Channel=inmate)
        began = on.now
        with at_later(on, 61):
            on.push(call_id, "TalkTo", At=on.now, From=began, Cause="16")
            await on.sealed(call_id)
        assert not session_ended(world, call_id)
        on.asterisk.push("Hangup", Channel=inmate)
        await on.until(lambda: session_ended(world, call_id))
        row = steps.record(world, call_id)
        assert (row.reason, row.ended_by, row.talk_flagged) == (Outcome.COMPLETED, Leg.INMATE, True)
        assert [each for each in on.asterisk.received if each["Action"] == "Hangup"] == []


@contextmanager
def at_later(on: Watched, seconds: float) -> Iterator[None]:
    on.world.at += timedelta(seconds=seconds)
    yield


@in_loop
async def test_a_talk_whose_report_never_comes_is_settled_by_its_note(world: World) -> None:
    with mock.patch.object(watch_module, "REPORT_SECONDS", 0.01):
        async with watching(world) as on:
            call_id = await steps.accepted(world)
            on.talks(call_id)
            await on.until(lambda: on.live(call_id).talking)
            ended = f"{(world.at + timedelta(seconds=90)).timestamp():.6f}"
            on.asterisk.database[f"/talk/{call_id}"] = f"{on.now} {ended} 16"
            on.asterisk.push("Hangup", Channel=on.live(call_id).inmate_channel)
            await on.sealed(call_id)
            assert steps.record(world, call_id).charge == 90_000


@in_loop
async def test_a_lost_start_is_known_from_the_report_of_the_end(world: World) -> None:
    async with watching(world) as on:
        call_id = await steps.accepted(world)
        began = on.now
        with at_later(on, 75):
            on.push(call_id, "TalkTo", From=began, At=on.now, Cause="16")
            await on.sealed(call_id)
        row = steps.record(world, call_id)
        assert (row.talk_ms, row.charge, row.cause) == (75_000, 75_000, 16)


@pytest.mark.parametrize("moved", [False, True], ids=["Asterisk does not cut", "the wall clock was set back"])
@in_loop
async def test_the_second_limit_cuts_both_legs(world: World, moved: bool) -> None:
    announcement_s = 3_600.0 if moved else 0.01
    with (
        mock.patch.object(watch_module, "SECOND_LIMIT_SECONDS", 0.01),
        mock.patch.object(watch_module, "ANNOUNCEMENT_SECONDS", announcement_s),
    ):
        async with watching(world) as on:
            call_id = await steps.accepted(world)
            live = on.live(call_id)
            live.limit_ms = 50
            on.talks(call_id)
            await on.until(lambda: live.cutter is not None)
            world.at -= timedelta(days=moved)
            cut = {(await on.asterisk.seen("Hangup", times))["Channel"] for times in (1, 2)}
            assert cut == {live.inmate_channel, live.called_channel}


@in_loop
async def test_a_repeated_start_or_a_gap_does_not_put_the_second_limit_off(world: World) -> None:
    async with watching(world) as on:
        call_id = await steps.accepted(world)
        live = on.live(call_id)
        on.talks(call_id)
        await on.until(lambda: live.cutter is not None)
        cutter = live.cutter
        on.talks(call_id)
        await on.until(lambda: len(world.database.read_now(evidence.of_call, call_id)) == 2)
        on.asterisk.channels |= channels_of(on, call_id)
        on.asterisk.database[f"/talk/{call_id}"] = on.now
        on.asterisk.cut()
        await on.in_step()
        assert live.cutter is cutter


def channels_of(on: Watched, call_id: str) -> dict[str, dict[str, str]]:
    live = on.live(call_id)
    legs = [live.inmate_channel, live.called_channel]
    return {leg: {"AccountCode": call_id} for leg in legs if leg is not None}


@in_loop
async def test_a_new_controller_adopts_what_lives_and_settles_what_does_not(world: World) -> None:
    began, ended = world.at, world.at + timedelta(seconds=30)
    async with watching(world) as old:
        talking, gone, ringing = [await steps.accepted(world, who=who) for who in steps.crowd(world, 3)]
        living = channels_of(old, talking)
        legs = dict(zip(("inmate", "called"), living, strict=True))
    world.at += timedelta(minutes=1)
    object.__setattr__(world.node, "live", LiveCalls())  # the old controller has died
    asterisk = FakeAmi()
    asterisk.channels = living
    notes = {talking: f"{began.timestamp():.6f}", gone: f"{began.timestamp():.6f} {ended.timestamp():.6f} 16"}
    asterisk.database = {f"/talk/{call_id}": note for call_id, note in {**notes, "0" * 32: "1.0"}.items()}
    async with watching(world, asterisk) as new:
        live = new.live(talking)
        assert (live.inmate_channel, live.called_channel) == (legs["inmate"], legs["called"])
        assert live.talking
        assert live.cutter is not None
        left = live.cutter.when() - asyncio.get_running_loop().time()
        assert 900 - 60 - 10 < left < 900 - 60 + 1
        assert steps.record(world, gone).charge == 60_000  # 30 s, the first minute is whole
        assert steps.record(world, ringing).reason == Outcome.SYSTEM_FAULT
        assert session_ended(world, gone) is session_ended(world, ringing) is False  # their station is in use
        assert set(world.node.live.notes_done) == {gone, "0" * 32}
        new.push(talking, "TalkTo", From=notes[talking], At=new.now, Cause="16")
        await new.sealed(talking)
        assert steps.record(world, talking).talk_ms == 60_000
    steps.assert_books_are_right(world)


@in_loop
async def test_sessions_that_a_dead_controller_left_are_closed(world: World) -> None:
    call_id = await steps.accepted(world)
    object.__setattr__(world.node, "live", LiveCalls())
    world.at += timedelta(minutes=1)
    async with watching(world):
        assert session_ended(world, call_id)
        assert steps.record(world, call_id).sealed_at is not None


@in_loop
async def test_a_gap_leaves_running_dialogues_and_new_sessions_alone(world: World) -> None:
    async with watching(world) as on:
        caller = await steps.keyed(world, station="demo-a2")
        await caller.authorise()
        world.at += timedelta(seconds=1)
        on.asterisk.channels["PJSIP/demo-a2-00000001"] = {"AccountCode": ""}
        on.asterisk.cut()
        await on.in_step()
        assert steps.record(world, caller.call_id).sealed_at is None
        assert not session_ended(world, caller.call_id)


def test_a_session_that_began_after_asterisk_was_asked_is_not_forgotten(world: World) -> None:
    asked_at = world.at
    world.at += timedelta(seconds=1)
    caller = asyncio.run(steps.dialled(world))
    world.database.transact_now(sessions.close_forgotten, [], asked_at, world.at)
    assert not session_ended(world, caller.call_id)
    world.database.transact_now(sessions.close_forgotten, [], world.at + timedelta(seconds=1), world.at)
    assert session_ended(world, caller.call_id)


@in_loop
async def test_a_talk_is_taken_to_its_farewell_when_calling_hours_end(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path, demonstration(('closes = "24:00"', 'closes = "12:05"')))
    async with watching(world) as on:
        call_id = await steps.accepted(world)
        live = on.live(call_id)
        assert live.ends_by == world.at + timedelta(minutes=5)
        world.at = live.ends_by  # as long as that it rang, and the called party thought
        on.talks(call_id)
        await on.until(lambda: any(action.get("Action") == "Redirect" for action in on.asterisk.received))
        (action,) = (each for each in on.asterisk.received if each.get("Action") == "Redirect")
        taken = {name: action[name] for name in ("Channel", "Context", "ExtraChannel", "ExtraContext")}
        assert taken == {
            "Channel": live.inmate_channel,
            "Context": "inmate-farewell",
            "ExtraChannel": live.called_channel,
            "ExtraContext": "called-farewell",
        }
        assert action["Exten"] == action["ExtraExten"] == "ended.schedule"
        on.push(call_id, "TalkTo", From=on.now, At=on.now)
        await on.sealed(call_id)
        row = steps.record(world, call_id)
        assert (row.reason, row.cut_off_by) == (Outcome.LIMIT_REACHED, "schedule")


@in_loop
async def test_who_accepts_after_calling_hours_is_not_connected(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, demonstration(('closes = "24:00"', 'closes = "12:05"')))
    called = await steps.offered(world)
    world.at += timedelta(minutes=5)
    assert await called.accept("1", "en") is None


@in_loop
async def test_calls_are_seen_alive_only_while_asterisk_is_connected(world: World) -> None:
    with mock.patch.object(watch_module, "HEARTBEAT_SECONDS", 0.001):
        async with watching(world) as on:
            call_id = await steps.accepted(world)
            on.talks(call_id)
            await on.until(lambda: steps.record(world, call_id).last_seen_at is not None)
            beating = asyncio.create_task(on.watch.beat())
            world.at += timedelta(minutes=1)
            await on.until(lambda: steps.record(world, call_id).last_seen_at == world.at)
            seen_at = world.at
            on.asterisk.shut()
            await on.until(lambda: not on.ami.connected)
            commits = world.database.counts().commits
            await on.until(lambda: world.database.counts().commits == commits)
            world.at += timedelta(minutes=1)
            await asyncio.sleep(0.05)  # fifty beats that must not come
            assert steps.record(world, call_id).last_seen_at == seen_at
            beating.cancel()


@in_loop
async def test_calls_are_seen_alive_only_while_asterisk_answers(world: World) -> None:
    """A frozen Asterisk stays connected until its silence is noticed: nobody pays for that."""
    with mock.patch.object(watch_module, "HEARTBEAT_SECONDS", 0.001):
        async with watching(world) as on:
            call_id = await steps.accepted(world)
            on.talks(call_id)
            await on.until(lambda: on.live(call_id).talking)
            beating = asyncio.create_task(on.watch.beat())
            world.at += timedelta(minutes=1)
            await on.until(lambda: steps.record(world, call_id).last_seen_at == world.at)
            seen_at = world.at
            on.asterisk.silent_to.add("Ping")
            world.at += timedelta(minutes=1)
            await asyncio.sleep(0.05)  # fifty beats that must not come
            assert on.ami.connected
            assert steps.record(world, call_id).last_seen_at == seen_at
            beating.cancel()


@in_loop
async def test_a_heartbeat_that_fails_is_not_the_last(world: World) -> None:
    with mock.patch.object(watch_module, "HEARTBEAT_SECONDS", 0.001):
        async with watching(world) as on:
            call_id = await steps.accepted(world)
            on.live(call_id).talking = True
            failing = mock.patch.object(
                calls, "still_alive", side_effect=DatabaseBusy("somebody else writes")
            )
            with capture_logs() as told, failing as failed:
                beating = asyncio.create_task(on.watch.beat())
                await on.until(lambda: failed.call_count >= 2)
            await on.until(lambda: steps.record(world, call_id).last_seen_at is not None)
            beating.cancel()
    assert {each["event"] for each in told} == {"heartbeat failed"}


@in_loop
async def test_an_event_that_cant_be_handled_does_not_stop_the_next_and_is_made_good(world: World) -> None:
    with mock.patch.object(watch_module, "HEARTBEAT_SECONDS", 0.001):
        async with watching(world) as on:
            lost, next_one = [await steps.accepted(world, who=who) for who in steps.crowd(world, 2)]
            began, ended = on.now, f"{(world.at + timedelta(seconds=90)).timestamp():.6f}"
            on.asterisk.channels |= channels_of(on, next_one)
            on.asterisk.database[f"/talk/{lost}"] = f"{began} {ended} 16"
            add = evidence.add
            failing = mock.Mock(side_effect=[DatabaseBusy("somebody else writes")])
            with mock.patch.object(evidence, "add", failing), capture_logs() as told:
                on.push(lost, "TalkTo", From=began, At=ended, Cause="16")
                await on.until(lambda: bool(told))
                failing.side_effect = add
                on.talks(next_one)
                await on.until(lambda: on.live(next_one).talking)
            assert [each["event"] for each in told] == ["event not handled"]
            assert steps.record(world, lost).sealed_at is None
            beating = asyncio.create_task(on.watch.beat())
            await on.sealed(lost)
            assert steps.record(world, lost).charge == 90_000
            assert steps.record(world, next_one).sealed_at is None
            beating.cancel()


@in_loop
async def test_a_call_that_cant_be_settled_leaves_the_others_alone_and_is_tried_again(world: World) -> None:
    bad, good = [await steps.accepted(world, who=who) for who in steps.crowd(world, 2)]
    broken = {bad}
    settle_call = settlement.settle_call

    async def settle_some(node: Node, call_id: str, ending: Ending, **seen: Any) -> Settled | None:
        if call_id in broken:
            raise DatabaseBusy("somebody else writes")
        return await settle_call(node, call_id, ending, **seen)

    with (
        mock.patch.object(watch_module, "HEARTBEAT_SECONDS", 0.001),
        mock.patch.object(watch_module, "settle_call", settle_some),
    ):
        async with watching(world) as on:
            await on.sealed(good)
            assert steps.record(world, bad).sealed_at is None
            broken.clear()
            beating = asyncio.create_task(on.watch.beat())
            await on.sealed(bad)
            beating.cancel()


@in_loop
async def test_events_that_make_no_sense_change_nothing(world: World) -> None:
    async with watching(world) as on:
        call_id = await steps.accepted(world)
        before = dict(steps.record(world, call_id)._mapping)
        with capture_logs() as told:
            on.push(call_id, "TalkFrom", At="yesterday")
            on.push(call_id, "TalkTo", At="")
            on.push(call_id, "LegQuality", Leg="nobody", Quality="rxcount=1")
            on.push("f" * 32, "LegQuality", Leg="inmate", Quality="rxcount=1")
            on.push("f" * 32, "TalkFrom", At=on.now)
            on.asterisk.push("HangupRequest")
            on.asterisk.push("Hangup", Channel="PJSIP/nobody-1")
            on.push(
                call_id, "LegQuality", Leg="inmate", Quality="rxcount=500;lp=3;rtt=0.02;rxjitter=nonsense"
            )
            on.talks(call_id)
            await on.until(lambda: on.live(call_id).talking)
        assert [each for each in told if each["log_level"] == "error"] == []
        assert {**steps.record(world, call_id)._mapping, "last_seen_at": None} == before


@in_loop
async def test_every_line_about_a_call_names_it(world: World) -> None:
    seen: list[str] = []

    async def fail(self: Watch, event: object) -> None:
        seen.append(get_contextvars().get("call_id", ""))

    async with watching(world) as on:
        call_id = await steps.accepted(world)
        with mock.patch.object(Watch, "_take", fail):
            on.talks(call_id)
            on.asterisk.push("HangupRequest", Channel=on.live(call_id).inmate_channel)
            on.asterisk.push("Newchannel", Channel="PJSIP/other-1")
            await on.until(lambda: len(seen) == 3)
    assert sorted(seen) == ["", call_id, call_id]
