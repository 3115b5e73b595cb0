"""One channel of a pretended Asterisk: its variables, the person on it, and its FastAGI sessions over real sockets."""

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

HANGS_UP = "hangs up"  # among the keys of a person who leaves at that prompt

_DEAD_SAFE = {"GET", "SET", "DATABASE", "EXEC", "NOOP", "VERBOSE"}
_VARIABLE = re.compile(r"\$\{([^${}]*)\}")
_BAD_COMMAND = b"510 Invalid or unknown command\n"
_DEAD_CHANNEL = b"511 Command Not Permitted on a dead channel or intercept routine\n"


def words_of(line: str) -> list[str]:
    """Take a command line apart as Asterisk's parse_args does (res/res_agi.c)."""
    words: list[list[str]] = []
    quoted = escaped = False
    blank = True
    for letter in line:
        if letter == '"' and not escaped:
            quoted = not quoted
            if quoted and blank:
                words.append([])
                blank = False
        elif letter in " \t" and not quoted and not escaped:
            blank = True
        elif letter == "\\" and not escaped:
            escaped = True
        else:
            if blank:
                words.append([])
                blank = False
            words[-1].append(letter)
            escaped = False
    return ["".join(word) for word in words]


@dataclass(slots=True, eq=False)
class FakeChannel:
    """What Asterisk knows of a channel, and what the person on it will do.

    `keys` has one entry for each prompt that takes keys: "" is silence, HANGS_UP leaves; when there are no
    more, the person leaves; they also do, by `leave`, at the first command that begins with `leaves_at`.
    `raw_replies` are sent instead of the proper answer to a command that starts with those words.
    """

    name: str = "PJSIP/demo-a1-00000001"
    variables: dict[str, str] = field(default_factory=dict)
    keys: deque[str] = field(default_factory=deque)
    database: dict[str, str] = field(default_factory=dict)
    exit_on_hangup: bool = True
    leaves_at: str | None = None
    leave: "Callable[[FakeChannel], None]" = lambda channel: channel.hang_up()
    missing: frozenset[str] = frozenset()
    raw_replies: dict[str, bytes] = field(default_factory=dict)
    piece_bytes: int | None = None
    prompt_s: float = 0.0
    heard: list[str] = field(default_factory=list)
    commands: list[list[str]] = field(default_factory=list)
    commands_at: list[float] = field(default_factory=list)  # when each came, by time.perf_counter
    recordings: list[str] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    session: "AgiSession | None" = None

    def hang_up(self) -> None:
        """The person leaves, or somebody ends the call; an AGI session is told as Asterisk would tell it."""
        if self.gone.is_set():
            return
        self.gone.set()
        if self.session is not None:
            self.session.tell_hangup()

    def evaluate(self, expression: str) -> str:
        """Replace every `${…}`, the inner ones first."""
        while "${" in expression and _VARIABLE.search(expression):
            expression = _VARIABLE.sub(lambda found: self._value(found[1]), expression)
        return expression

    def _value(self, name: str) -> str:
        if name.startswith("DB("):
            return self.database.get("/" + name[3:-1], "")
        return self.variables.get(name, "")

    def answer(self, words: Sequence[str]) -> bytes:
        """The proper reply to a command, and its effect; empty where none follows."""
        if words[0] in {"GET", "SET", "DATABASE", "RECORD"} and len(words) > 1:
            name, arguments = f"{words[0]} {words[1]}", words[2:]
            if name == "GET FULL" and len(words) > 2:
                name, arguments = "GET FULL VARIABLE", words[3:]
        else:
            name, arguments = words[0], words[1:]
        if self.gone.is_set() and words[0] not in _DEAD_SAFE:
            return _DEAD_CHANNEL
        reply = _REPLIES.get(name)
        if reply is None:
            return _BAD_COMMAND
        try:
            return reply(self, arguments)
        except (IndexError, ValueError):
            return b"520-Invalid command syntax.  Proper usage follows:\nUsage: ...\n\n520 End of proper usage.\n"

    def keyed(self, most: int) -> tuple[str, bool] | None:
        """What the person keys at a prompt, and whether they let it time out; None if they leave."""
        entry = self.keys.popleft() if self.keys else HANGS_UP
        if entry == HANGS_UP:
            self.hang_up()
            return None
        value, pound, _ = entry.partition("#")
        return value[:most], not pound and len(value) < most


def _reply(result: object, text: str | None = None) -> bytes:
    return f"200 result={result}{'' if text is None else f' ({text})'}\n".encode()


def _hangup(channel: FakeChannel, _arguments: Sequence[str]) -> bytes:
    channel.gone.set()
    return _reply(1)


def _set_variable(channel: FakeChannel, arguments: Sequence[str]) -> bytes:
    channel.variables[arguments[0]] = arguments[1]
    return _reply(1)


def _get_variable(channel: FakeChannel, arguments: Sequence[str]) -> bytes:
    value = channel.variables.get(arguments[0])
    return _reply(0) if value is None else _reply(1, value)


def _get_full_variable(channel: FakeChannel, arguments: Sequence[str]) -> bytes:
    return _reply(1, channel.evaluate(arguments[0]))


def _get_data(channel: FakeChannel, arguments: Sequence[str]) -> bytes:
    channel.heard.append(arguments[0])
    entry = channel.keyed(int(arguments[2]))
    if entry is None:
        return _reply(-1)
    return _reply(entry[0], "timeout" if entry[1] else None)


def _exec(channel: FakeChannel, arguments: Sequence[str]) -> bytes:
    options = arguments[1].split(",")
    match arguments[0]:
        case "Playback":
            files = options[0].split("&")
            channel.heard += files
            channel.variables["PLAYBACKSTATUS"] = (
                "FAILED" if channel.missing.intersection(files) else "SUCCESS"
            )
        case "Read":
            channel.heard += options[1].split("&")
            entry = channel.keyed(int(options[2]))
            keys, timed_out = entry or ("", False)
            channel.variables[options[0]] = keys
            channel.variables["READSTATUS"] = "HANGUP" if entry is None else "TIMEOUT" if timed_out else "OK"
        case "MSet":
            for name, _, value in (pair.partition("=") for pair in options):
                channel.variables[name] = value
        case "MixMonitor":
            channel.recordings.append(options[0])
        case _:
            return _reply(-2)
    return _reply(0)


def _record_file(channel: FakeChannel, arguments: Sequence[str]) -> bytes:
    channel.recordings.append(f"{arguments[0]}.{arguments[1]}")
    entry = channel.keyed(1)
    if entry is None:
        return b"200 result=-1 (hangup) endpos=800\n"
    if entry[0] and entry[0] in arguments[2]:
        return f"200 result={ord(entry[0])} (dtmf) endpos=16000\n".encode()
    return b"200 result=0 (timeout) endpos=16000\n"


def _database_put(channel: FakeChannel, arguments: Sequence[str]) -> bytes:
    channel.database[f"/{arguments[0]}/{arguments[1]}"] = arguments[2]
    return _reply(1)


def _database_get(channel: FakeChannel, arguments: Sequence[str]) -> bytes:
    value = channel.database.get(f"/{arguments[0]}/{arguments[1]}")
    return _reply(0) if value is None else _reply(1, value)


def _database_del(channel: FakeChannel, arguments: Sequence[str]) -> bytes:
    channel.database.pop(f"/{arguments[0]}/{arguments[1]}", None)
    return _reply(1)  # whether or not there was one (seen on 22.10.1)


_REPLIES: Mapping[str, Callable[[FakeChannel, Sequence[str]], bytes]] = {
    "ANSWER": lambda _channel, _arguments: _reply(0),
    "NOOP": lambda _channel, _arguments: _reply(0),
    "VERBOSE": lambda _channel, _arguments: _reply(1),
    "HANGUP": _hangup,
    "SET VARIABLE": _set_variable,
    "GET VARIABLE": _get_variable,
    "GET FULL VARIABLE": _get_full_variable,
    "GET DATA": _get_data,
    "EXEC": _exec,
    "RECORD FILE": _record_file,
    "DATABASE PUT": _database_put,
    "DATABASE GET": _database_get,
    "DATABASE DEL": _database_del,
}
_PLAYING = {"EXEC", "GET", "RECORD"}


class AgiSession(asyncio.Protocol):
    """Asterisk's end of one FastAGI session."""

    def __init__(self, channel: FakeChannel, env: bytes) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._channel = channel
        self._env = env
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._channel.session = self
        self.send(self._env)
        if self._channel.gone.is_set():
            self.tell_hangup()

    def connection_lost(self, exc: Exception | None) -> None:
        self._channel.session = None
        if not self.ended.done():
            self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._take(line.decode())

    def send(self, data: bytes) -> None:
        """Send bytes, in pieces if the channel wants it so."""
        size = self._channel.piece_bytes
        if size is None:
            self.transport.write(data)
            return
        for start in range(0, len(data), size):
            self.transport.write(data[start : start + size])

    def tell_hangup(self) -> None:
        """The line HANGUP, and with AGIEXITONHANGUP the end of the session."""
        self.send(b"HANGUP\n")
        if self._channel.exit_on_hangup:
            self.transport.close()

    def _take(self, line: str) -> None:
        channel, words = self._channel, words_of(line)
        channel.commands.append(words)
        channel.commands_at.append(time.perf_counter())
        if channel.leaves_at is not None and line.startswith(channel.leaves_at):
            channel.leaves_at = None
            channel.leave(channel)
            if self.transport.is_closing():
                return
        raw = next((raw for start, raw in channel.raw_replies.items() if line.startswith(start)), None)
        if raw is not None:
            self.send(raw)
        elif channel.prompt_s and words[0] in _PLAYING and words[:2] != ["GET", "FULL"]:
            asyncio.get_running_loop().call_later(channel.prompt_s, self._reply, words)
        else:
            self._reply(words)

    def _reply(self, words: Sequence[str]) -> None:
        was_gone = self._channel.gone.is_set()
        reply = self._channel.answer(words)
        if self.transport.is_closing():
            return
        self.send(reply)
        if words[0] == "HANGUP" and not was_gone:
            self.tell_hangup()


def env_of(channel: FakeChannel, host: str, script: str, args: Iterable[str] = ()) -> bytes:
    """The lines that Asterisk sends first, in its order."""
    lines = {
        "network": "yes",
        "network_script": script,
        "request": f"agi://{host}/{script}",
        "channel": channel.name,
        "language": channel.variables.get("CHANNEL(language)", "en"),
        "type": "PJSIP",
        "uniqueid": "1700000000.1",
        "version": "22.10.1",
        "callerid": "unknown",
        "calleridname": "unknown",
        "callingpres": "0",
        "callingani2": "0",
        "callington": "0",
        "callingtns": "0",
        "dnid": "unknown",
        "rdnis": "unknown",
        "context": "inmate",
        "extension": "off-hook",
        "priority": "8",
        "enhanced": "0.0",
        "accountcode": "",
        "threadid": "140000000000000",
        **{f"arg_{number}": value for number, value in enumerate(args, 1)},
    }
    return "".join(f"agi_{name}: {value}\n" for name, value in lines.items()).encode() + b"\n"


async def run_agi(channel: FakeChannel, host: str, port: int, script: str, args: Sequence[str] = ()) -> bool:
    """The dialplan's AGI(): one session to its end; False where nobody listened."""
    loop = asyncio.get_running_loop()
    env = env_of(channel, host, script, args)
    try:
        _, session = await loop.create_connection(lambda: AgiSession(channel, env), host, port)
    except OSError:
        return False
    try:
        await session.ended
    finally:
        session.transport.abort()
    return True
