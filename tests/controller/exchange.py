"""The controller's inside in one event loop: its FastAGI server and its watch, with an Asterisk played on sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ivr.agi import AgiServer, serve
from ivr.ami.client import AmiClient, Timing
from ivr.live import LiveCall
from ivr.runner import EXPRESSIONS, Runner
from ivr.watch import Watch
from tests.controller import steps
from tests.fakes.ami_server import FakeAmi
from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.channel import FakeChannel
from tests.transcripts.play import VOICES, World

TOKEN = "demonstration"
QUICK = Timing(retry_first_s=0.01, retry_most_s=0.01)
PATIENCE_S = 10.0


class SteppedWatch(Watch):
    """A watch that tells of the end of each resync."""

    def __init__(self, world: World, ami: AmiClient) -> None:
        super().__init__(world.node, ami, "clock")
        self.in_step = asyncio.Event()

    async def _resync(self) -> None:
        await super()._resync()
        self.in_step.set()


@dataclass(slots=True)
class Watched:
    """A watch that is in step with its Asterisk."""

    world: World
    asterisk: FakeAmi
    ami: AmiClient
    watch: SteppedWatch

    def live(self, call_id: str) -> LiveCall:
        """The call in progress."""
        found = self.world.node.live.get(call_id)
        assert found is not None
        return found

    def push(self, call_id: str, event: str, **headers: str) -> None:
        """An event of the dialplan about a call."""
        self.asterisk.push("UserEvent", UserEvent=event, Call=call_id, **headers)

    def talks(self, call_id: str) -> None:
        """The two are connected."""
        self.push(call_id, "TalkFrom", At=self.now)

    @property
    def now(self) -> str:
        """This moment as the dialplan stamps it."""
        return f"{self.world.at.timestamp():.6f}"

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what shows in the database or in memory, which nobody announces."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - no event tells of a commit
                await asyncio.sleep(0.002)

    async def sealed(self, call_id: str) -> None:
        """Wait until the call is settled."""
        await self.until(lambda: steps.record(self.world, call_id).sealed_at is not None)

    async def in_step(self) -> None:
        """Wait until a resync is done."""
        await self.watch.in_step.wait()
        self.watch.in_step.clear()


@asynccontextmanager
async def watching(world: World, asterisk: FakeAmi | None = None) -> AsyncIterator[Watched]:
    """A watch on an AMI server, its first resync done."""
    async with (
        asterisk or FakeAmi() as ami_server,
        AmiClient("127.0.0.1", ami_server.port, "controller", "demonstration", timing=QUICK) as ami,
    ):
        watch = SteppedWatch(world, ami)
        watched = Watched(world, ami_server, ami, watch)
        running = asyncio.create_task(watch.run())
        try:
            await watched.in_step()
            yield watched
        finally:
            await watch.close()
            running.cancel()
            await asyncio.wait([running])


@dataclass(slots=True)
class Exchange:
    """Everything that serves calls, and an Asterisk that makes some."""

    watched: Watched
    asterisk: FakeAsterisk
    agi: AgiServer

    async def quiet(self) -> None:
        """Wait until no dialogue runs, every call is sealed and every session closed."""
        database = self.watched.world.database

        def nothing_open() -> bool:
            return not self.agi.sessions and not database.read_now(steps.unfinished)

        await self.watched.until(nothing_open)
        await self.watched.watch.close()

    def channel(self, name: str = "demo-a1", **known: str) -> FakeChannel:
        """A channel of its own, for a script alone."""
        channel = FakeChannel(f"PJSIP/{name}-{self.watched.world.node.new_id()}")
        channel.variables |= {"IVR_TOKEN": TOKEN, "CHANNEL(endpoint)": name, **known}
        return channel


@asynccontextmanager
async def exchange(
    world: World, made: Callable[[str, int, FakeAmi], FakeAsterisk] = FakeAsterisk
) -> AsyncIterator[Exchange]:
    """Serve calls while the block runs."""
    async with watching(world) as watched:
        runner = Runner(world.node, VOICES)
        agi = await serve(runner, port=0, token=TOKEN, expressions=EXPRESSIONS)
        try:
            yield Exchange(watched, made(TOKEN, agi.port, watched.asterisk), agi)
        finally:
            await agi.close(0)
