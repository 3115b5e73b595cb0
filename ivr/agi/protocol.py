"""AGI as bytes and events; no sockets here (Asterisk 22: res/res_agi.c)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ivr.agi.errors import AgiError

MAX_ENV_BYTES = 8 * 1024
MAX_ENV_LINES = 128
MAX_REPLY_BYTES = 32 * 1024
MAX_COMMAND_BYTES = 1_500  # Asterisk runs what is left of an over-long line as another command

_COMMAND = re.compile(r"[A-Z]+( [A-Z]+)*")
_FORBIDDEN = re.compile(r"[\r\n\0]")
_STATUS = re.compile(rb"(\d{3})(?:[ -]|\Z)")
_RESULT = re.compile(r"200 result=(\S*)(?: (.*))?", re.DOTALL)
_DETAIL = re.compile(r"(?:\((?P<text>.*)\))?(?: ?endpos=(?P<endpos>-?[0-9]{1,18}))?", re.DOTALL)
_OPENS_TEXT = re.compile(rb"200 result=\S* \(")
_CLOSES_TEXT = re.compile(rb"\)(?: endpos=-?\d{1,18})?\Z")


@dataclass(frozen=True, slots=True)
class Opened:
    """Asterisk has sent the session's environment, the `agi_…` lines, whole."""

    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one command.

    `text` is what stood in brackets. Neither it nor `result` is shown by `repr`: they may be keyed digits.
    """

    code: int
    result: str = field(default="", repr=False)
    text: str | None = field(default=None, repr=False)
    endpos: int | None = None


@dataclass(frozen=True, slots=True)
class Hangup:
    """The line HANGUP, which Asterisk sends at any time, between replies too."""


Event = Opened | Reply | Hangup


class AgiParser:
    """Turns bytes from Asterisk into events; the caller owns the socket.

    Raises AgiError for whatever is not AGI, and for anything over the limits; the stream is of no use after
    that.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._env: dict[str, str] | None = {}
        self._env_bytes = 0
        self._usage_bytes: int | None = None
        self._open_reply: list[bytes] = []
        self._open_reply_bytes = 0

    def receive_data(self, data: bytes) -> None:
        """Take in bytes as they arrive; `next_event` says what they mean."""
        self._buffer += data

    def next_event(self) -> Event | None:
        """The next event, or None when more bytes are needed."""
        while (line := self._next_line()) is not None:
            if (event := self._take(line)) is not None:
                return event
        return None

    def _next_line(self) -> bytes | None:
        longest = MAX_REPLY_BYTES if self._env is None else MAX_ENV_BYTES
        end = self._buffer.find(b"\n", self._searched)
        if (len(self._buffer) if end < 0 else end) > longest:
            raise AgiError("a line is too long")
        if end < 0:
            self._searched = len(self._buffer)
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line

    def _take(self, line: bytes) -> Event | None:
        if self._env is not None:
            return self._take_env(self._env, line)
        if self._open_reply:
            return self._take_more_text(line)
        if line == b"HANGUP":
            return Hangup()
        if self._usage_bytes is not None:
            return self._take_usage(self._usage_bytes, line)
        return self._take_reply(line)

    def _take_env(self, env: dict[str, str], line: bytes) -> Opened | None:
        if not line:
            self._env = None
            return Opened(MappingProxyType(env))
        self._env_bytes += len(line) + 1
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if self._env_bytes > MAX_ENV_BYTES or len(env) >= MAX_ENV_LINES:
            raise AgiError("the environment is too large")
        if not colon or not name.startswith("agi_") or name in env:
            raise AgiError("the environment is malformed")
        env[name] = value.removeprefix(" ")
        return None

    def _take_reply(self, line: bytes) -> Reply | None:
        if line.startswith(
            b"520-"
        ):  # lines of usage follow; without its XML documentation Asterisk sends none
            self._usage_bytes = 0
            return None
        if _OPENS_TEXT.match(line) and not _CLOSES_TEXT.search(line):
            self._open_reply, self._open_reply_bytes = [line], len(line)
            return None
        return _reply(line)

    def _take_more_text(self, line: bytes) -> Reply | None:
        """A variable's value is sent raw, with the line breaks that it holds."""
        self._open_reply.append(line)
        self._open_reply_bytes += len(line) + 1
        if self._open_reply_bytes > MAX_REPLY_BYTES:
            raise AgiError("a reply is too long")
        if not _CLOSES_TEXT.search(line):
            return None
        whole, self._open_reply = b"\n".join(self._open_reply), []
        return _reply(whole)

    def _take_usage(self, seen_bytes: int, line: bytes) -> Reply | None:
        if line.startswith(b"520 "):
            self._usage_bytes = None
            return Reply(520)
        self._usage_bytes = seen_bytes + len(line) + 1
        if self._usage_bytes > MAX_REPLY_BYTES:
            raise AgiError("a reply is too long")
        return None


def _reply(line: bytes) -> Reply:
    status = _STATUS.match(line)
    if status is None:
        raise AgiError("a line is not a reply")
    code = int(status[1])
    if code != 200:
        return Reply(code)
    answer = _RESULT.fullmatch(line.decode("utf-8", "replace"))
    if answer is None:
        raise AgiError("a reply has no result")
    result, rest = answer[1], answer[2]
    detail = _DETAIL.fullmatch(rest) if rest else None
    if detail is None:
        return Reply(code, result)
    endpos = detail["endpos"]
    return Reply(code, result, detail["text"], None if endpos is None else int(endpos))


def encode(command: str, *args: str | int) -> bytes:
    """One command as a line: every argument quoted here and nowhere else.

    Raises ValueError for a line break or NUL, which would start a second command, and for lines over 1,500
    bytes; the message does not repeat the argument.
    """
    if not _COMMAND.fullmatch(command):
        raise ValueError("an AGI command is upper-case words")
    words = [command, *(_quoted(str(arg)) for arg in args)]
    line = " ".join(words).encode() + b"\n"
    if len(line) > MAX_COMMAND_BYTES:
        raise ValueError("an AGI line is too long")
    return line


def _quoted(argument: str) -> str:
    if _FORBIDDEN.search(argument):
        raise ValueError("an AGI argument has a line break or NUL in it")
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'
