"""Two nodes share a PostgreSQL database: each settles its own calls, sees what was asked of the other, and minds it."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import Connection

from accounts.db import Database, WriterLock, WriterLocked
from ivr import entitlements
from ivr.config import Settings
from ivr.facility import switches
from ivr.instance import places_of
from ivr.jobs import run_round, standing
from ivr.listening import Listening
from ivr.neighbours import EVERY_SECONDS, TOLD_AFTER, Neighbours
from ivr.policy.gone import BEFORE_TALK, DOUBT, GONE_AFTER
from ivr.policy.reasons import Denial, Outcome
from ivr.policy.talk import Evidence, Kind
from ivr.records import alerts, calls, evidence, listening, nodes, recordings, sessions
from ivr.records.nodes import FIRST
from ivr.staff.changes import do, read
from ivr.staff.desk import StaffError
from tests.controller import steps
from tests.controller.beside import beside
from tests.controller.exchange import watching
from tests.controller.test_watch import session_ended
from tests.database import only_postgresql, only_sqlite
from tests.fakes.loop import in_loop
from tests.transcripts.play import KEY, NOON, World

LIMIT = timedelta(minutes=15)


def told(world: World) -> list[tuple[str, str]]:
    return [(row.kind, row.text) for row in world.database.read_now(alerts.open_alerts)]


@only_postgresql
@in_loop
async def test_a_node_settles_none_of_the_others_calls_when_it_starts(world: World) -> None:
    second = beside(world)
    call_id = await steps.accepted(world)
    assert steps.record(world, call_id).node == FIRST
    [who] = steps.crowd(world, 1)
    theirs = await steps.accepted(second, steps.SUBSCRIBED, who=who, station="demo-a2")
    assert steps.record(world, theirs).node == "second"
    world.at += timedelta(minutes=1)
    async with watching(second) as on:
        await on.sealed(theirs)
        assert session_ended(world, theirs)
    assert steps.record(world, call_id).sealed_at is None
    assert not session_ended(world, call_id)
    async with watching(world):
        assert steps.record(world, call_id).sealed_at is not None
        assert session_ended(world, call_id)
    steps.assert_books_are_right(world)


@only_postgresql
@in_loop
async def test_calls_of_a_node_that_is_gone_are_settled_once_they_are_over_for_certain(world: World) -> None:
    first, second = Neighbours(world.node), Neighbours(beside(world).node)
    call_id = await steps.accepted(world)
    began = Evidence(Kind.TALK_FROM, world.at)
    world.database.transact_now(evidence.add, call_id, began, source=evidence.EVENT, at=world.at)
    keyed_at = world.at
    world.at += timedelta(seconds=60)
    world.database.transact_now(calls.still_alive, [call_id], world.at)
    for each in ("main", "second"):
        world.database.transact_now(nodes.started, each, world.at)
    await first.look()
    await second.look()
    assert told(world) == []
    gone_at = world.at
    world.at += TOLD_AFTER
    await second.look()
    await second.look()
    assert told(world) == [("node gone", f"node main was not seen since {gone_at:%Y-%m-%d %H:%M:%S} UTC")]
    over_at = keyed_at + BEFORE_TALK + LIMIT + DOUBT
    for world.at in (gone_at + GONE_AFTER, over_at - timedelta(seconds=1)):
        await second.look()
        assert steps.record(world, call_id).sealed_at is None  # it may well be going on
        assert not session_ended(world, call_id)
    world.at = over_at
    await first.look()  # it was only away
    await second.look()
    assert steps.record(world, call_id).sealed_at is None
    world.at = over_at + GONE_AFTER
    again = await steps.answer(beside(world, "third"))
    assert getattr(again, "reason", None) is Denial.INMATE_ON_A_CALL
    await second.look()
    row = steps.record(world, call_id)
    assert (row.reason, row.talk_ms, row.charge) == (Outcome.COMPLETED, 60_000, 60_000)
    await second.look()
    assert session_ended(world, call_id)
    assert getattr(await steps.answer(beside(world, "third")), "limit_ms", 0) > 0
    steps.assert_books_are_right(world)


@in_loop
async def test_a_node_that_is_gone_for_good_is_forgotten_once_its_calls_are_settled(world: World) -> None:
    def forget() -> str:
        asked = read("node forget", {"name": "second", "note": "Sold", "author": "amy"})
        return world.database.transact_now(do, "node forget", asked, KEY, world.at)

    with pytest.raises(StaffError, match="there is no node second: `ivr status` lists them"):
        forget()
    second = beside(world)
    world.database.transact_now(nodes.started, "second", world.at)
    call_id = await steps.accepted(second)
    world.at += GONE_AFTER - timedelta(seconds=1)
    with pytest.raises(
        StaffError, match="node second may still run: unless it is seen, it is gone at 18:10:00"
    ):
        forget()
    world.at += timedelta(seconds=1)
    with pytest.raises(StaffError, match="has calls that are not settled yet, 1 of them"):
        forget()
    await steps.settle_unanswered(second, call_id)
    assert not session_ended(world, call_id)
    assert forget() == "node second: forgotten"
    assert [row.name for row in world.database.read_now(nodes.all_of_them)] == [FIRST]
    assert session_ended(world, call_id)
    assert steps.record(world, call_id).node == "second"
    world.database.transact_now(nodes.started, "second", world.at)  # it was not gone for good
    world.database.transact_now(nodes.stopped, "second", world.at)
    assert forget() == "node second: forgotten"


@only_postgresql
def test_what_all_nodes_see_at_once_is_told_once(database: Database) -> None:
    nodes_of_it, short = 6, "example-county-jail: unit-a: too little"
    together = threading.Barrier(nodes_of_it)

    def tell(conn: Connection, text: str, tells: Callable[[Connection, str, str, datetime], object]) -> None:
        tells(conn, "redis lost", text, NOON)

    def see(n: int) -> None:
        for tells in (alerts.alert_once, alerts.alert_unless_told):
            for round_ in range(5):
                together.wait(20)
                database.transact_now(tell, f"{tells.__name__} {round_}", tells)
        together.wait(20)
        database.transact_now(entitlements._alert_new, [short], NOON)

    with ThreadPoolExecutor(nodes_of_it) as pool:
        list(pool.map(see, range(nodes_of_it)))
    told_of = Counter(row.text for row in database.read_now(alerts.open_alerts))
    assert (len(told_of), set(told_of.values()), told_of[short]) == (11, {1}, 1)


@only_postgresql
@in_loop
async def test_what_staff_ask_of_one_node_is_seen_by_the_other(world: World) -> None:
    node = beside(world).node
    neighbours = Neighbours(node)
    await neighbours.look()
    node.changed.clear()
    await neighbours.look()
    assert not node.changed.is_set()
    world.switches_off("now")
    await neighbours.look()
    assert node.changed.is_set()
    assert world.database.read_now(switches.closing_keys)
    assert EVERY_SECONDS <= 5  # as the documentation promises


@only_postgresql
@in_loop
async def test_recordings_and_listenings_are_looked_after_by_the_node_that_has_the_call(world: World) -> None:
    second = beside(world)
    call_id = await steps.accepted(second)
    row: dict[str, Any] = {"author": "staff", "note": "why", "phone": "staff-desk", "call_id": call_id}
    world.database.transact_now(listening.begin, listening_id="1" * 32, at=world.at, **row)
    world.database.transact_now(listening.rung, "1" * 32, world.at)
    world.database.transact_now(listening.answered, "1" * 32, world.at)
    board, ami = mock.Mock(), mock.Mock(channels=mock.AsyncMock(return_value=[]))
    await Listening(board).keep(world.node, ami)
    assert len(world.database.read_now(listening.open_ones)) == 1
    await Listening(board).keep(second.node, ami)
    assert world.database.read_now(listening.open_ones) == []
    await steps.settle_unanswered(world, call_id)
    assert steps.recordings_of(world, call_id) == 1
    for of, known in ((FIRST, 0), ("second", 1), (None, 1)):
        assert len(world.database.read_now(recordings.running_of_sealed_calls, of)) == known


@only_postgresql
def test_each_node_looks_at_its_own_files_under_a_name_of_its_own(
    database: Database, database_url: str
) -> None:
    for name, row in (("main", "recording-check"), ("second", "recording-check@second")):
        places = places_of(Settings.model_validate({"node": name, "database_url": database_url}))
        assert (places.node, places.of_this_node("recording-check")) == (name, row)
        assert not run_round(database, places, "recording-check", NOON).busy
        assert row in database.read_now(standing)


@only_postgresql
def test_several_write_but_each_node_has_one_controller(database_url: str) -> None:
    with WriterLock.share(database_url, "main"), WriterLock.share(database_url, "second"):
        with WriterLock.share(database_url), pytest.raises(WriterLocked, match="controller of node second"):
            WriterLock.share(database_url, "second")
        with pytest.raises(WriterLocked, match="another process is the writer"):
            WriterLock.take(database_url)
    with WriterLock.take(database_url), pytest.raises(WriterLocked):
        WriterLock.share(database_url, "main")


@only_sqlite
@in_loop
async def test_on_sqlite_there_is_one_node_whatever_its_name(world: World, database_url: str) -> None:
    with WriterLock.share(database_url, "main"), pytest.raises(WriterLocked):
        WriterLock.share(database_url, "second")
    call_id = await steps.accepted(world)
    world.at += timedelta(seconds=1)
    async with watching(beside(world, "renamed")):
        assert steps.record(world, call_id).sealed_at is not None
    assert session_ended(world, call_id)


@only_postgresql
@in_loop
async def test_what_was_written_before_nodes_had_names_is_the_first_ones(world: World) -> None:
    call_id = await steps.accepted(world)
    world.database.transact_now(lambda conn: calls.set_values(conn, call_id, node=None))
    assert world.database.read_now(calls.unsealed, "second") == []
    assert len(world.database.read_now(calls.unsealed, FIRST)) == 1
    world.database.transact_now(nodes.started, "second", world.at)
    [first, _] = world.database.read_now(nodes.all_of_them)  # so that somebody minds what it left
    assert (first.name, first.stopped_at) == (FIRST, world.at)
    world.database.transact_now(sessions.close_of_gone, FIRST, world.at)
    assert not session_ended(world, call_id)
