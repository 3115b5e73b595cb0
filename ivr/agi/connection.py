"""One socket from Asterisk: one command out at a time, and the hang-up known at once."""

import asyncio
from collections.abc import Mapping
from typing import Protocol, cast

from ivr.agi.errors import AgiError, AgiTimeout, CallerGone
from ivr.agi.protocol import AgiParser, Hangup, Opened, Reply


class Owner(Protocol):
    """Who is told of a connection's life; called from the event loop, must not raise."""

    def connected(self, connection: "AgiConnection") -> None:
        """Asterisk, or somebody, has connected."""

    def opened(self, connection: "AgiConnection", env: Mapping[str, str]) -> None:
        """The environment is whole; commands may be sent."""

    def closed(self, connection: "AgiConnection", why: AgiError | CallerGone) -> None:
        """The socket is gone, and `why` was the first cause."""


class AgiConnection(asyncio.Protocol):
    """Carries commands and their replies.

    `gone` is set as soon as the dialogue is over, whatever ended it, also while no command is out.
    """

    def __init__(self, owner: Owner) -> None:
        self.gone = asyncio.Event()
        self._owner = owner
        self._parser = AgiParser()
        self._reply: asyncio.Future[Reply] | None = None
        self._transport: asyncio.Transport | None = None
        self._over: AgiError | CallerGone | None = None

    async def request(self, line: bytes, deadline_s: float) -> Reply:
        """Send one command and wait for its reply.

        Raises CallerGone, AgiError or AgiTimeout; RuntimeError when a command is out already, since a
        second one would abort the first and shift every later reply. Cancelling it ends the connection, for
        the same reason.
        """
        if self._reply is not None:
            raise RuntimeError("an AGI command is out already")
        if self._over is not None:
            raise _again(self._over)
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Reply] = loop.create_future()
        self._reply = reply
        cast("asyncio.Transport", self._transport).write(line)
        deadline = loop.call_later(deadline_s, self.end, AgiTimeout("a command's deadline passed"))
        try:
            return await reply
        except asyncio.CancelledError:
            self.end(AgiError("a command was abandoned"))
            raise
        finally:
            deadline.cancel()
            self._reply = None

    def end(self, why: AgiError | CallerGone) -> None:
        """Close the socket; whoever waits for a reply, now or later, gets `why`."""
        if self._over is not None:
            return
        self._over = why
        self.gone.set()
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(_again(why))
        if self._transport is None:
            return
        if isinstance(why, CallerGone):
            self._transport.close()
        else:
            self._transport.abort()  # a peer that does not read would keep an orderly close waiting for ever

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)
        self._owner.connected(self)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._over is not None:
            return
        try:
            self._parser.receive_data(data)
            while self._over is None and (event := self._parser.next_event()) is not None:
                self._take(event)
        except AgiError as violation:
            self.end(violation)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - end and reset mean the same here
        """See asyncio.Protocol."""
        self.end(CallerGone())
        self._owner.closed(self, self._over or CallerGone())

    def _take(self, event: Opened | Reply | Hangup) -> None:
        match event:
            case Reply():
                if self._reply is None or self._reply.done():
                    raise AgiError("a reply came that no command had asked for")
                self._reply.set_result(event)
            case Hangup():
                self.end(CallerGone())
            case Opened(env):
                self._owner.opened(self, env)


def _again(why: AgiError | CallerGone) -> AgiError | CallerGone:
    """A fresh exception of the same kind: one instance raised twice would grow its traceback."""
    return type(why)(*why.args)
