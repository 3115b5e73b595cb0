"""A client with its server, for tests."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from ivr.ami.client import AmiClient, Connected, Disconnected, Event, Timing
from tests.fakes.ami_server import FakeAmi

HOST = "127.0.0.1"
SECRET = "demonstration"  # what FakeAmi takes
QUICK = Timing(
    connect_s=1,
    boot_s=1,
    action_s=2,
    ping_every_s=60,
    retry_first_s=0.01,
    retry_most_s=0.05,
    refused_pause_s=0.05,
)
HASTY = replace(QUICK, action_s=0.05)
WATCHFUL = replace(QUICK, ping_every_s=0.02, action_s=0.05)


class Linked:
    """A client with its server, and what the client has told so far."""

    def __init__(self, ami: FakeAmi, client: AmiClient) -> None:
        self.ami = ami
        self.client = client
        self._events = client.events()

    async def next(self) -> Event | Connected | Disconnected:
        """The next thing told."""
        return await anext(self._events)

    async def until(self, kind: type[Connected | Disconnected]) -> list[Event]:
        """All events before the next marker of that kind."""
        events: list[Event] = []
        while not isinstance(told := await self.next(), kind):
            assert isinstance(told, Event)
            events.append(told)
        return events


@contextlib.asynccontextmanager
async def linked(
    timing: Timing = QUICK, capacity: int = 10_000, ami: FakeAmi | None = None
) -> AsyncIterator[Linked]:
    async with (
        ami or FakeAmi() as server,
        AmiClient(HOST, server.port, "controller", SECRET, timing=timing, capacity=capacity) as client,
    ):
        link = Linked(server, client)
        assert isinstance(await link.next(), Connected)
        yield link
