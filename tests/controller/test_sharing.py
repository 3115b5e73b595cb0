"""What nodes tell each other, in one process and through Redis alike; and what a Redis that is gone does to them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from redis import Redis

from ivr.records import alerts
from ivr.sharing import in_redis, keeping
from ivr.sharing.in_process import InProcess
from ivr.sharing.in_redis import InRedis
from ivr.sharing.interface import FORGOTTEN_SECONDS, Lost, Seen, Shared, Stage
from ivr.sharing.keeping import keep_sharing, say_changed
from tests.controller import steps
from tests.controller.beside import beside
from tests.controller.exchange import watching
from tests.database import only_postgresql
from tests.fakes.loop import in_loop
from tests.redis_server import RedisServer
from tests.transcripts.play import World

NOON = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
RINGS = Seen("1" * 32, Stage.RINGING, NOON)
TALKS = Seen("2" * 32, Stage.TALKING, NOON, NOON + timedelta(minutes=15))
ACCEPTS = Seen("3" * 32, Stage.ACCEPTING, None)

Opened = Callable[[], AbstractAsyncContextManager[tuple[Shared, Shared]]]


@pytest.fixture(params=["in_process", "redis"])
def two(request: pytest.FixtureRequest) -> Opened:
    """Two controllers' ways to each other."""

    @asynccontextmanager
    async def one_process() -> AsyncIterator[tuple[Shared, Shared]]:
        shared = InProcess(time.monotonic)
        yield shared, shared

    @asynccontextmanager
    async def through_redis() -> AsyncIterator[tuple[Shared, Shared]]:
        server: RedisServer = request.getfixturevalue("redis_server")
        async with opened(server) as first, opened(server) as second:
            yield first, second

    return one_process if request.param == "in_process" else through_redis


@asynccontextmanager
async def opened(server: RedisServer) -> AsyncIterator[InRedis]:
    shared = InRedis(server.url)
    try:
        yield shared
    finally:
        await shared.close()


@in_loop
async def test_each_node_sees_the_calls_of_all(two: Opened) -> None:
    async with two() as (first, second), first.join("main") as main, second.join("second") as other:
        assert await first.everybody() == {}
        await main.tell([RINGS, ACCEPTS])
        await other.tell([TALKS])
        both = {"main": (RINGS, ACCEPTS), "second": (TALKS,)}
        assert await first.everybody() == await second.everybody() == both
        await main.tell([])
        assert await second.everybody() == {"main": (), "second": (TALKS,)}


@in_loop
async def test_a_change_is_heard_once_by_every_node(two: Opened) -> None:
    async with two() as (first, second), first.join("main") as main, second.join("second") as other:
        assert not await other.changed(0.01)
        began = time.monotonic()
        waiting = asyncio.create_task(other.changed(5))
        for _ in range(3):
            await first.say_changed()
        assert await waiting
        assert time.monotonic() - began < 1
        assert await main.changed(1)
        await other.changed(0.05)  # those that came while it was on its way
        assert not await other.changed(0.01)
        assert not await main.changed(0.01)


@in_loop
async def test_what_a_node_has_told_is_forgotten_unless_it_goes_on(redis_server: RedisServer) -> None:
    now = [0.0]
    shared = InProcess(lambda: now[0])
    async with shared.join("main") as main:
        await main.tell([TALKS])
        now[0] = FORGOTTEN_SECONDS - 1
        assert await shared.everybody() == {"main": (TALKS,)}
        now[0] = FORGOTTEN_SECONDS
        assert await shared.everybody() == {}
    async with opened(redis_server) as through:
        async with through.join("main") as main:
            await main.tell([TALKS])
        with Redis.from_url(redis_server.url) as client:
            assert FORGOTTEN_SECONDS - 1 <= client.ttl("ivr:calls:main") <= FORGOTTEN_SECONDS
            client.delete("ivr:calls:main")
        assert await through.everybody() == {}


@in_loop
async def test_a_redis_that_is_gone_or_frozen_is_lost_within_a_moment(redis_server: RedisServer) -> None:
    async with opened(redis_server) as shared, shared.join("main") as joined:
        redis_server.freeze()
        asked = (lambda: joined.tell([]), shared.say_changed, shared.everybody)
        for ask in asked:
            began = time.monotonic()
            with pytest.raises(Lost):
                await ask()
            assert time.monotonic() - began < 1
        redis_server.freeze(frozen=False)
        await shared.say_changed()
        redis_server.end()
        for ask in asked:
            with pytest.raises(Lost):
                await ask()
        with pytest.raises(Lost):
            await joined.changed(1)
        for tell in (in_redis.say_changed, in_redis.answers):
            began = time.monotonic()
            with pytest.raises(Lost, match=r"^Redis: ConnectionError$"):
                tell(redis_server.url)
            assert time.monotonic() - began < 1


@only_postgresql
@in_loop
async def test_calls_go_on_without_redis_which_is_told_once_and_found_again(
    world: World, redis_server: RedisServer
) -> None:
    def told() -> list[str]:
        return [row.kind for row in world.database.read_now(alerts.open_alerts)]

    second = beside(world)
    with mock.patch.multiple(keeping, EVERY_SECONDS=0.05, AGAIN_SECONDS=0.05):
        async with opened(redis_server) as shared, opened(redis_server) as theirs, watching(world) as on:
            kept = asyncio.gather(keep_sharing(world.node, shared), keep_sharing(second.node, theirs))
            call_id = await steps.accepted(world)
            on.talks(call_id)
            await on.until(lambda: on.live(call_id).talking)
            await eventually(lambda: call_ids(theirs), [call_id])
            second.node.changed.clear()
            await say_changed(world.node, shared)
            assert world.node.changed.is_set()
            async with asyncio.timeout(1):
                await second.node.changed.wait()
            redis_server.end()
            await on.until(lambda: told() == ["redis lost"])
            await say_changed(world.node, shared)  # fails nothing
            assert on.live(call_id).talking
            refused = await steps.decided(world, "5")
            assert steps.record(world, refused[0]).sealed_at is not None
            second.node.changed.clear()
            redis_server.start()
            async with asyncio.timeout(5):
                await second.node.changed.wait()  # whatever was said meanwhile
            await eventually(lambda: call_ids(theirs), [call_id])
            assert told() == ["redis lost"]
            kept.cancel()
            await asyncio.wait([kept])
    steps.assert_books_are_right(world)


@only_postgresql
@in_loop
async def test_calls_that_keep_no_trace_are_not_told_of(world: World) -> None:
    call_id = await steps.accepted(world)
    [live] = world.node.live
    live.called_channel, live.switched_off_at = "PJSIP/carrier-1", world.at + timedelta(minutes=1)
    assert keeping.seen_by(world.node) == [Seen(call_id, Stage.ACCEPTING, None)]
    live.talking, live.talk_from = True, world.at
    assert keeping.seen_by(world.node) == [Seen(call_id, Stage.TALKING, world.at, live.switched_off_at)]
    live.anonymous = True
    assert keeping.seen_by(world.node) == []


async def call_ids(shared: Shared) -> list[str]:
    try:
        return [each.call_id for seen in (await shared.everybody()).values() for each in seen]
    except Lost:
        return []


async def eventually(ask: Callable[[], Awaitable[object]], answer: object) -> None:
    async with asyncio.timeout(5):
        while await ask() != answer:  # noqa: ASYNC110 - Redis announces nothing
            await asyncio.sleep(0.01)
