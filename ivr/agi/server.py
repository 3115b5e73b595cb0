"""The FastAGI server: who may connect, how many, and for how long."""

import asyncio
import dataclasses
import hmac
import secrets
import socket
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

import structlog

from ivr.agi.connection import AgiConnection
from ivr.agi.errors import AgiError, AgiTimeout, CallerGone
from ivr.agi.protocol import encode
from ivr.agi.session import Session

Handler = Callable[[Session], Awaitable[None]]

_TOKEN = "${IVR_TOKEN}"  # noqa: S105 - the name of a dialplan variable
_CLEAN_UP_S = 5.0  # what cancelled handlers have left for their `finally`
_BACKLOG = 128  # with a full backlog Asterisk waits 2 s for each call; asyncio accepts so many in one go

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one server takes on.

    A stranger is a connection that has not shown the token yet: when there are too many, the oldest goes, so that a
    flood of them cannot keep Asterisk out, which needs a few milliseconds. Those that have sent their environment are
    counted apart from those that are silent.
    """

    sessions: int = 1_000
    strangers: int = 512
    env_s: float = 2.0
    token_s: float = 2.0


@dataclass(slots=True)
class Counts:
    """What became of all connections so far."""

    connections: int = 0
    sessions: int = 0
    wrong_token: int = 0
    too_many_sessions: int = 0
    too_many_strangers: int = 0
    too_slow: int = 0
    violations: int = 0  # of strangers; a session's own are in failed_sessions
    failed_sessions: int = 0


@dataclass(frozen=True, slots=True)
class _Question:
    """Asks for the token and all variables in one round trip.

    The values are parted by a word drawn at each start of the server, so that nobody can put it into a
    value.
    """

    token: bytes = field(repr=False)
    names: tuple[str, ...]
    separator: str
    line: bytes

    def variables(self, answer: str) -> dict[str, str] | None:
        """The variables, or None if the token in the answer is not ours."""
        token, *values = answer.split(self.separator)
        ours = hmac.compare_digest(token.encode(), self.token)
        return dict(zip(self.names, values, strict=True)) if ours and len(values) == len(self.names) else None


class AgiServer:
    """A running server; `serve` makes it."""

    def __init__(self, handler: Handler, question: _Question, limits: Limits) -> None:
        self.counts = Counts()
        self.sessions: set[Session] = set()
        self._handler = handler
        self._question = question
        self._limits = limits
        self._listener: asyncio.Server | None = None
        self._silent: dict[AgiConnection, asyncio.TimerHandle] = {}  # oldest first
        self._asked: dict[AgiConnection, None] = {}  # for the token; oldest first
        self._tasks: set[asyncio.Task[None]] = set()
        self._warn_again_at = 0.0

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        if self._listener is None or not self._listener.sockets:
            raise RuntimeError("the server is not listening")
        return int(self._listener.sockets[0].getsockname()[1])

    async def listen(self, host: str, port: int, sock: socket.socket | None) -> None:
        """Start to accept connections, on `sock` where one is given."""
        loop = asyncio.get_running_loop()
        if sock is None:
            listener = await loop.create_server(lambda: AgiConnection(self), host, port, backlog=_BACKLOG)
        else:
            listener = await loop.create_server(lambda: AgiConnection(self), sock=sock, backlog=_BACKLOG)
        self._listener = listener

    async def close(self, grace_s: float = 10.0) -> None:
        """Accept nothing more, let running handlers finish for `grace_s`, then cancel them."""
        if self._listener is not None:
            self._listener.close()
        for stranger in (*self._silent, *self._asked):
            self._turn_away(stranger, "the server is closing")
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=grace_s)
        finally:
            for task in self._tasks:
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLEAN_UP_S)

    def connected(self, connection: AgiConnection) -> None:
        """See connection.Owner."""
        self.counts.connections += 1
        self._make_room(self._silent)
        loop = asyncio.get_running_loop()
        too_slow = AgiTimeout("no environment in time")
        self._silent[connection] = loop.call_later(self._limits.env_s, connection.end, too_slow)

    def opened(self, connection: AgiConnection, env: Mapping[str, str]) -> None:
        """See connection.Owner."""
        self._silent.pop(connection).cancel()
        self._make_room(self._asked)
        self._asked[connection] = None
        task = asyncio.get_running_loop().create_task(self._serve(connection, env))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def closed(self, connection: AgiConnection, why: AgiError | CallerGone) -> None:
        """See connection.Owner."""
        if connection not in self._silent and connection not in self._asked:
            return
        self._forget(connection)
        if isinstance(why, AgiTimeout):
            self.counts.too_slow += 1
        elif isinstance(why, AgiError):
            self.counts.violations += 1

    async def _serve(self, connection: AgiConnection, env: Mapping[str, str]) -> None:
        try:
            session = await self._admitted(connection, env)
            if session is not None:
                await self._run(session)
        finally:
            connection.end(CallerGone())

    async def _admitted(self, connection: AgiConnection, env: Mapping[str, str]) -> Session | None:
        """The session, once its peer has shown the token and while there is room."""
        try:
            reply = await connection.request(self._question.line, self._limits.token_s)
        except (CallerGone, AgiError):
            return None
        self._forget(connection)
        variables = self._question.variables(reply.text or "")
        if variables is None:
            self.counts.wrong_token += 1
            self._warn("agi_wrong_token")
        elif len(self.sessions) >= self._limits.sessions:
            self.counts.too_many_sessions += 1
            self._warn("agi_too_many_sessions")
        else:
            return Session(connection, env, variables)
        return None

    async def _run(self, session: Session) -> None:
        self.counts.sessions += 1
        self.sessions.add(session)
        try:
            await self._handler(session)
        except CallerGone:
            log.debug("agi_caller_gone", script=session.script)
        except AgiError as failure:
            self.counts.failed_sessions += 1
            log.warning("agi_session_failed", script=session.script, why=str(failure))
        except Exception as fault:  # one caller's fault must not end the others' calls
            self.counts.failed_sessions += 1
            log.error("agi_handler_failed", script=session.script, **_told(fault))
        finally:
            self.sessions.discard(session)

    def _make_room(self, strangers: Mapping[AgiConnection, object]) -> None:
        if len(strangers) >= self._limits.strangers:
            self.counts.too_many_strangers += 1
            self._turn_away(next(iter(strangers)), "too many strangers")

    def _turn_away(self, connection: AgiConnection, why: str) -> None:
        self._forget(connection)
        connection.end(AgiError(why))

    def _forget(self, connection: AgiConnection) -> None:
        """It is a stranger no more."""
        self._asked.pop(connection, None)
        if (timer := self._silent.pop(connection, None)) is not None:
            timer.cancel()

    def _warn(self, event: str) -> None:
        """Log at most one warning a second: a flood must not fill the disk."""
        now = asyncio.get_running_loop().time()
        if now >= self._warn_again_at:
            self._warn_again_at = now + 1.0
            log.warning(event, counts=dataclasses.asdict(self.counts))


def _told(fault: Exception) -> dict[str, object]:
    """Its type and where it was raised; never its message or locals, which may hold what was keyed."""
    places = [
        f"{PurePath(frame.f_code.co_filename).name}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(fault.__traceback__)
    ]
    return {"raised": type(fault).__name__, "places": places}


async def serve(
    handler: Handler,
    *,
    token: str,
    expressions: Mapping[str, str],
    host: str = "127.0.0.1",
    port: int = 4573,
    sock: socket.socket | None = None,
    limits: Limits = Limits(),
) -> AgiServer:
    """Listen for Asterisk and run `handler` for each session whose channel knows the token.

    Before the handler runs, one command fetches the dialplan's variable IVR_TOKEN, which is compared with
    `token`, and the value of every expression, which the handler finds by its name in `session.variables`.
    A handler may raise anything: that ends its own session only. It is logged by type and place, without
    its message.
    """
    if not token:
        raise ValueError("an empty token would let everybody in")
    server = AgiServer(handler, _question(token, expressions), limits)
    await server.listen(host, port, sock)
    return server


def _question(token: str, expressions: Mapping[str, str]) -> _Question:
    separator = f"|{secrets.token_hex(8)}|"
    joined = separator.join([_TOKEN, *expressions.values()])
    return _Question(token.encode(), tuple(expressions), separator, encode("GET FULL VARIABLE", joined))
