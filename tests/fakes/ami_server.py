"""An AMI server that answers as Asterisk 22 does, and misbehaves when told to."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Self, cast

GREETING = b"Asterisk Call Manager/11.0.0\r\n"

Action = Mapping[str, str]


def message(*headers: tuple[str, str]) -> bytes:
    """One AMI message."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode() + b"\r\n"


class FakeAmi:
    """Users log in, send actions and get events; `received` is every action that came.

    `silent_to` names actions that get no answer, `raw_answers` bytes sent instead of the proper answer
    (`{id}` stands for the ActionID); `deaf` accepts connections and takes nothing in.
    """

    def __init__(self, username: str = "controller", secret: str = "demonstration") -> None:
        self.users = {username: secret}
        self.database: dict[str, str] = {}
        self.channels: dict[str, dict[str, str]] = {}
        self.received: list[Action] = []
        self.silent_to: set[str] = set()
        self.raw_answers: dict[str, bytes] = {}
        self.fully_booted = True
        self.deaf = False
        self.connections = 0
        self.on_hangup: Callable[[str], bool] = lambda _channel: False
        self.sessions: set[AmiSession] = set()
        self._server: asyncio.Server | None = None
        self._shut = False
        self._waiting: list[asyncio.Future[None]] = []

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.shut()
        await self.ended()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Start, or start again on the same port."""
        loop = asyncio.get_running_loop()
        self._shut = False
        self._server = await loop.create_server(lambda: AmiSession(self), host, port)

    def shut(self) -> None:
        """Asterisk has been killed."""
        assert self._server is not None
        self._server.close()
        self._shut = True
        self.cut()

    async def ended(self) -> None:
        """When the last connection of one that was shut is closed."""
        await self.until(lambda: not self.sessions)

    def cut(self) -> None:
        """Every connection is reset."""
        for session in list(self.sessions):
            session.transport.abort()

    def push(self, event: str, **headers: str) -> None:
        """An event for everybody who is logged in."""
        if self.sessions:
            self.push_raw(message(("Event", event), ("Privilege", "call,all"), *headers.items()))

    def push_raw(self, data: bytes) -> None:
        """Bytes for everybody who is logged in."""
        for session in self.sessions:
            if session.logged_in:
                session.transport.write(data)

    async def seen(self, action: str, times: int = 1) -> Action:
        """The n-th action of that name, as soon as it has come."""

        def found() -> list[Action]:
            return [each for each in self.received if each.get("Action") == action]

        await self.until(lambda: len(found()) >= times)
        return found()[times - 1]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something here has become so: a connection, its end, an action."""
        while not condition():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future

    def changed(self) -> None:
        """Wake those who wait for a condition."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class AmiSession(asyncio.Protocol):
    """One user's connection."""

    def __init__(self, server: FakeAmi) -> None:
        self.logged_in = False
        self._server = server
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._server.connections += 1
        self._server.sessions.add(self)
        self._server.changed()
        self._deaf = self._server.deaf
        if self._server._shut:  # taken in, but not yet told here, as it was shut
            self.transport.abort()
        elif not self._deaf:
            self.transport.write(GREETING)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.sessions.discard(self)
        self._server.changed()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        *messages, self._buffer = (self._buffer + data).split(b"\r\n\r\n")
        for each in messages:
            lines = (line.partition(": ") for line in each.decode().split("\r\n"))
            self._take({name: value for name, _, value in lines})

    def _take(self, action: Action) -> None:
        server, name = self._server, action.get("Action", "")
        server.received.append(action)
        server.changed()
        if name in server.silent_to:
            return
        raw = server.raw_answers.get(name)
        if raw is not None:
            self.transport.write(raw.replace(b"{id}", action.get("ActionID", "").encode()))
            return
        answer = _ANSWERS.get(name)
        if name == "Login":
            self._log_in(action)
        elif not self.logged_in:
            self._answer(action, "Error", "Permission denied")
        elif answer is None:
            self._answer(
                action,
                "Error",
                "Invalid/unknown command: Use Action: ListCommands to show available commands.",
            )
        else:
            answer(self, action)

    def _log_in(self, action: Action) -> None:
        if self._server.users.get(action.get("Username", "")) != action.get("Secret"):
            self._answer(action, "Error", "Authentication failed")
            self.transport.close()
            return
        self.logged_in = True
        self._answer(action, "Success", "Authentication accepted")
        if self._server.fully_booted and action.get("Events") != "off":
            self.transport.write(
                message(("Event", "FullyBooted"), ("Privilege", "system,all"), ("Uptime", "1"))
            )

    def _answer(self, action: Action, response: str, text: str, *more: tuple[str, str]) -> None:
        identity = [("ActionID", action["ActionID"])] if "ActionID" in action else []
        self.transport.write(message(("Response", response), *identity, *more, ("Message", text)))

    def _list(self, action: Action, entry: str, complete: str, entries: list[dict[str, str]]) -> None:
        identity = ("ActionID", action.get("ActionID", ""))
        self._answer(action, "Success", "Result will follow", ("EventList", "start"))
        for headers in entries:
            self.transport.write(message(("Event", entry), *headers.items(), identity))
        end = ("EventList", "Complete"), ("ListItems", str(len(entries)))
        self.transport.write(message(("Event", complete), identity, *end))

    def _ping(self, action: Action) -> None:
        self._answer(action, "Success", "Pong", ("Ping", "Pong"))

    def _hang_up(self, action: Action) -> None:
        known = action["Channel"] in self._server.channels
        if self._server.on_hangup(action["Channel"]) or known:
            self._answer(action, "Success", "Channel Hungup")
        else:
            self._answer(action, "Error", "No such channel")

    def _done(self, action: Action) -> None:
        self._answer(action, "Success", "Done")

    def _show_channels(self, action: Action) -> None:
        entries = [{"Channel": name, **headers} for name, headers in self._server.channels.items()]
        self._list(action, "CoreShowChannel", "CoreShowChannelsComplete", entries)

    def _database_get(self, action: Action) -> None:
        value = self._server.database.get(f"/{action['Family']}/{action['Key']}")
        if value is None:
            self._answer(action, "Error", "Database entry not found")
            return
        entry = {"Family": action["Family"], "Key": action["Key"], "Val": value}
        self._list(action, "DBGetResponse", "DBGetComplete", [entry])

    def _database_tree(self, action: Action) -> None:
        prefix = f"/{action['Family']}"
        found = [(key, value) for key, value in self._server.database.items() if key.startswith(prefix)]
        entries = [{"Key": key, "Val": value} for key, value in found]
        self._list(action, "DBGetTreeResponse", "DBGetTreeComplete", entries)

    def _database_put(self, action: Action) -> None:
        self._server.database[f"/{action['Family']}/{action['Key']}"] = action.get("Val", "")
        self._answer(action, "Success", "Updated database successfully")

    def _database_del(self, action: Action) -> None:
        if self._server.database.pop(f"/{action['Family']}/{action['Key']}", None) is None:
            self._answer(action, "Error", "Database entry could not be deleted")
        else:
            self._answer(action, "Success", "Key deleted successfully")


_ANSWERS: Mapping[str, Callable[[AmiSession, Action], None]] = {
    "Ping": AmiSession._ping,
    "Hangup": AmiSession._hang_up,
    "Redirect": AmiSession._done,
    "Originate": AmiSession._done,
    "Setvar": AmiSession._done,
    "StopMixMonitor": AmiSession._done,
    "CoreShowChannels": AmiSession._show_channels,
    "DBGet": AmiSession._database_get,
    "DBGetTree": AmiSession._database_tree,
    "DBPut": AmiSession._database_put,
    "DBDel": AmiSession._database_del,
}
