"""A server and one caller, for tests of a single dialogue."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from ivr.agi import AgiError, AgiServer, CallerGone, Limits, Session, serve
from tests.fakes.channel import FakeChannel, run_agi

TOKEN = "a token that both sides know"
HOST = "127.0.0.1"

Handler = Callable[[Session], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(
    handler: Handler, *, expressions: Mapping[str, str] | None = None, limits: Limits | None = None
) -> AsyncIterator[AgiServer]:
    """A server on a free port, closed at the end."""
    limits = limits or Limits()
    server = await serve(
        handler, token=TOKEN, expressions=expressions or {}, host=HOST, port=0, limits=limits
    )
    try:
        yield server
    finally:
        await server.close(grace_s=5)


def channel(*keys: str, **variables: str) -> FakeChannel:
    """A channel that knows the token."""
    made = FakeChannel(variables={"IVR_TOKEN": TOKEN, **variables})
    made.keys.extend(keys)
    return made


async def outcome(caller: FakeChannel, verb: Callable[[Session], Awaitable[object]]) -> object:
    """What the verb returned or raised in a session with this caller."""
    result: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def handler(session: Session) -> None:
        try:
            result.set_result(await verb(session))
        except (CallerGone, AgiError, ValueError, RuntimeError) as error:
            result.set_result(error)

    async with serving(handler) as server:
        await run_agi(caller, HOST, server.port, "outbound")
        return await result
