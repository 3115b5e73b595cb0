"""Two real controllers on one PostgreSQL and one Redis: what is asked of one, or beside them, reaches calls of both."""

import asyncio
import shutil
import time

from sqlalchemy import Connection, select

from accounts.db import Database
from ivr.config import Settings
from ivr.control import ask
from ivr.records.tables import call
from ivr.sharing.interface import Stage, read
from tests.controller.serving import Served, instance, prepare, serving
from tests.controller.test_facility_file import TEXT
from tests.database import only_postgresql
from tests.fakes.asterisk import PhoneCall, Result
from tests.redis_server import RedisServer

KEYS = ["1", "10012468#", "1#", "2"]
NO_FAREWELL = b"Response: Error\r\nActionID: {id}\r\nMessage: Not here\r\n\r\n"  # so that both are hung up
#: Where nobody is told, each looks at what was done every five seconds; a start of Python comes on top.
BY_ITSELF_SECONDS = 7.5


def joins(settings: Settings, first: Settings) -> None:
    """It has the first node's keys."""
    shutil.copytree(first.state_dir / "secrets", settings.state_dir / "secrets")


def in_progress(database: Database, node: str) -> list[str]:
    talks = select(call.c.id).where(
        call.c.sealed_at.is_(None), call.c.node == node, call.c.last_seen_at.is_not(None)
    )
    return list(database.read_now(lambda conn: conn.scalars(talks).all()))


def seen_by(on: Served) -> dict[str, dict[str, Stage]]:
    """What its controller knows of calls of all nodes."""
    told = ask(on.settings.control_socket, "seen")
    return {node: {each.call_id: each.stage for each in read(calls)} for node, calls in told.items()}


async def reason_of(database: Database, call_id: str) -> str:
    """As soon as it is settled."""
    async with asyncio.timeout(5):
        while not (reason := database.read_now(_reason, call_id)):  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.02)
    return reason


def _reason(conn: Connection, call_id: str) -> str | None:
    return conn.scalar(select(call.c.reason).where(call.c.id == call_id))


async def talk(on: Served, database: Database, node: str) -> tuple[str, asyncio.Task[Result]]:
    """Somebody talks, for a minute if nobody ends it."""
    going = asyncio.create_task(on.asterisk.call(PhoneCall("demo-a1", KEYS, [["", "1"]], talk_s=60)))
    async with asyncio.timeout(10):
        while not (found := in_progress(database, node)):  # noqa: ASYNC110 - the database announces nothing
            await asyncio.sleep(0.02)
    return found[0], going


@only_postgresql
def test_commands_reach_calls_of_the_other_node(database_url: str, redis_server: RedisServer) -> None:
    asyncio.run(commands_reach_calls_of_the_other_node(database_url, redis_server))


async def commands_reach_calls_of_the_other_node(database_url: str, redis_server: RedisServer) -> None:
    with (
        instance(database_url, redis_url=redis_server.url) as first,
        instance(database_url, redis_url=redis_server.url, node="second") as second,
        instance(database_url, redis_url=redis_server.url, node="third") as nobodys,
        Database.open(database_url) as database,
    ):
        prepare(first, TEXT.replace("records = true", "records = false"))  # Asterisk is played
        joins(second, first)
        joins(nobodys, first)
        async with serving(first) as one, serving(second) as two:
            for on in (one, two):
                on.ami.users["switch"] = on.keyring.ami("switch")
                on.ami.raw_answers["Redirect"] = NO_FAREWELL
            alone = Served(nobodys, one.keyring, one.ami, one.asterisk)
            for asked, of, node in ((one, two, "second"), (alone, one, "main")):
                call_id, going = await talk(of, database, node)
                async with asyncio.timeout(5):
                    while (seen := await asyncio.to_thread(seen_by, one))[node] != {call_id: Stage.TALKING}:  # noqa: ASYNC110 - nobody announces it
                        await asyncio.sleep(0.05)
                assert sorted(seen) == ["main", "second"]
                status, out, err = await asked.ivr("cut", call_id[:8], "--reason", "threats")
                began = time.monotonic()
                assert (status, err) == (0, ""), of.log
                assert f"call {call_id[:8]}: cut off" in out
                await asyncio.wait_for(going, 2)
                assert time.monotonic() - began < 1
                assert await reason_of(database, call_id) == "cut_off"
            off = ("off", "station", "demo-a1", "--let", "now", "--note", "search")
            call_id, going = await talk(two, database, "second")
            assert (await one.ivr(*off))[0] == 0
            await asyncio.wait_for(going, 2)
            assert await reason_of(database, call_id) == "limit_reached"
            await two.ami.until(lambda: "/switch/station/demo-a1" in two.ami.database)
            assert "/switch/station/demo-a1" in one.ami.database
            assert (await two.ivr("on", "station", "demo-a1", "--note", "over"))[0] == 0
            await one.ami.until(lambda: "/switch/station/demo-a1" not in one.ami.database)
            redis_server.end()
            call_id, going = await talk(two, database, "second")
            assert (await one.ivr("cut", call_id[:8], "--reason", "threats"))[0] == 0
            await asyncio.wait_for(going, BY_ITSELF_SECONDS)
            assert await reason_of(database, call_id) == "cut_off"
            _, told, _ = await one.ivr("status", "--json")
            assert '"part": "redis", "name": "", "is_well": false' in told
            assert '"part": "node", "name": "second", "is_well": true' in told
