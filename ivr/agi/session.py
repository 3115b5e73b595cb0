"""The verbs of one AGI dialogue, typed; every one of them may raise CallerGone."""

import asyncio
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ivr.agi.connection import AgiConnection
from ivr.agi.errors import AgiError, CallerGone, PlaybackFailed
from ivr.agi.protocol import Reply, encode

QUICK_S = 5.0  # commands that only read or set something
PLAYING_S = 300.0  # commands that play: how long the audio is is not known here
LONGEST_ENTRY = 32  # Asterisk does not check its buffer: `max_digits` always goes with the command

_KEYS_VARIABLE = "AGI_KEYS"
_FILE = re.compile(
    r"/?[A-Za-z0-9_][A-Za-z0-9_./-]*"
)  # nothing that a list, an argument or `${…}` could be read into
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_PLAIN = re.compile(r"[A-Za-z0-9_.+-]*")
_OPTIONS = re.compile(r"[A-Za-z0-9_()]*")


@dataclass(frozen=True, slots=True)
class Digits:
    """What was keyed; `value` may be empty, and `repr` does not show it."""

    value: str = field(repr=False)
    timed_out: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """How a recording ended: by `key`, an escape digit, or, with `key` empty, by silence or its time limit.

    `samples` is its length in samples of the file's format.
    """

    key: str = field(repr=False)
    samples: int


class Session:
    """One channel under the controller's hand.

    `script` and `args` are what the dialplan named in its agi:// address; `variables` are the values of the
    expressions given to `serve`; `gone` is set as soon as the caller hangs up or the dialogue is over for
    another cause.
    """

    def __init__(
        self, connection: AgiConnection, env: Mapping[str, str], variables: Mapping[str, str]
    ) -> None:
        self.env = env
        self.script = env.get("agi_network_script", "").partition("?")[0]
        self.args = _arguments(env)
        self.variables: Mapping[str, str] = MappingProxyType(dict(variables))
        self._connection = connection

    @property
    def gone(self) -> asyncio.Event:
        """Set once no further command is possible; await it to release what a caller holds."""
        return self._connection.gone

    async def command(self, command: str, *args: str | int, deadline_s: float = QUICK_S) -> Reply:
        """Send one command and return its 200 reply.

        Raises CallerGone for a hang-up in any form (HANGUP, 511, end of the connection, result -1),
        AgiTimeout after `deadline_s`, AgiError when Asterisk refuses the command, ValueError for arguments
        that no line can carry.
        """
        reply = await self._ask(command, *args, deadline_s=deadline_s)
        if reply.result == "-1":
            raise CallerGone
        return reply

    async def answer(self) -> None:
        """Answer the channel."""
        await self.command("ANSWER")

    async def hangup(self) -> None:
        """Hang the channel up; `gone` follows."""
        await self.command("HANGUP")

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable, or a function such as CHANNEL(language); the value is taken as it is."""
        await self.command("SET VARIABLE", name, value)

    async def set_variables(self, values: Mapping[str, str]) -> None:
        """Set several channel variables in one command, in order; ValueError for what a list can't carry."""
        for name, value in values.items():
            if not _VARIABLE.fullmatch(name) or not _PLAIN.fullmatch(value):
                raise ValueError("this variable can't be set in a list")
        pairs = ",".join(f"{name}={value}" for name, value in values.items())
        await self._execute("MSet", pairs, deadline_s=QUICK_S)

    async def get_variable(self, name: str) -> str | None:
        """The channel variable's value, or None where it is not set."""
        reply = await self.command("GET VARIABLE", name)
        return reply.text if reply.result == "1" else None

    async def get_full_variable(self, expression: str) -> str:
        """The expression with every `${…}` in it replaced."""
        reply = await self.command("GET FULL VARIABLE", expression)
        return reply.text or ""

    async def playback(self, files: Sequence[str]) -> None:
        """Play files one after another; keys do not cut them.

        Raises PlaybackFailed if one could not be played (the others were).
        """
        await self._execute("Playback", _joined(files), deadline_s=PLAYING_S)
        if await self.get_variable("PLAYBACKSTATUS") != "SUCCESS":
            raise PlaybackFailed("a file could not be played")

    async def get_data(self, file: str, timeout_s: float, max_digits: int) -> Digits:
        """Play a file and take keys, which cut it, up to `#`, `max_digits` (1 to 32) or `timeout_s` of none.

        The verb for secrets: Asterisk neither prints nor keeps what is keyed here.
        """
        timeout_ms, most = _entry_limits(timeout_s, max_digits)
        arguments = (_checked_file(file), timeout_ms, most)
        reply = await self.command("GET DATA", *arguments, deadline_s=PLAYING_S + timeout_s * max_digits)
        return Digits(reply.result, timed_out=reply.text == "timeout")

    async def read(self, files: Sequence[str], max_digits: int, timeout_s: float) -> str:
        """Play files and take keys, which cut them; empty when nothing was keyed in `timeout_s`.

        Raises AgiError when the last file could not be played; another that is missing is skipped by Asterisk.
        Never for secrets: Asterisk prints the keys on its console and leaves them in a channel variable.
        """
        timeout_ms, most = _entry_limits(timeout_s, max_digits)
        options = f"{_KEYS_VARIABLE},{_joined(files)},{most},,1,{timeout_ms / 1000:g}"
        await self._execute("Read", options, deadline_s=PLAYING_S + timeout_s * max_digits)
        keyed = await self.get_full_variable(f"${{READSTATUS}}:${{{_KEYS_VARIABLE}}}")
        status, _, keys = keyed.partition(":")
        if status == "HANGUP":
            raise CallerGone
        if status not in {"OK", "TIMEOUT"}:
            raise AgiError("Read did not work")
        return keys

    async def record_file(
        self,
        path: str,
        file_format: str,
        escape_digits: str,
        timeout_ms: int,
        *,
        beep: bool,
        silence_s: int | None = None,
    ) -> Recorded:
        """Record into `path.file_format` until an escape digit, `timeout_ms` or `silence_s` of silence.

        A key pressed during the beep ends it with 0 samples. Raises AgiError if the file could not be
        written.
        """
        arguments: list[str | int] = [_checked_file(path), _checked_file(file_format)]
        arguments += [escape_digits, timeout_ms, *(["beep"] if beep else [])]
        arguments += [] if silence_s is None else [f"s={silence_s}"]
        reply = await self._ask("RECORD FILE", *arguments, deadline_s=timeout_ms / 1000 + 15)
        if reply.text == "writefile":
            raise AgiError("a recording could not be written")
        if reply.result == "-1":
            raise CallerGone
        code = int(reply.result) if reply.result.isascii() and reply.result.isdigit() else 0
        return Recorded(chr(code) if code in _KEY_CODES else "", reply.endpos or 0)

    async def mix_monitor(self, path: str, options: str) -> None:
        """Start recording the channel into `path`; MixMonitor's shell command is never given."""
        if not _OPTIONS.fullmatch(options):
            raise ValueError("these MixMonitor options are not allowed")
        await self._execute("MixMonitor", f"{_checked_file(path)},{options}", deadline_s=QUICK_S)

    async def stop_mix_monitor(self) -> None:
        """End every recording of the channel."""
        await self._execute("StopMixMonitor", "", deadline_s=QUICK_S)

    async def database_put(self, family: str, key: str, value: str) -> None:
        """Write an entry of AstDB; raises AgiError if Asterisk could not."""
        reply = await self.command("DATABASE PUT", family, key, value)
        if reply.result != "1":
            raise AgiError("AstDB was not written")

    async def database_get(self, family: str, key: str) -> str | None:
        """The value of an AstDB entry, or None where there is none."""
        reply = await self.command("DATABASE GET", family, key)
        return reply.text or "" if reply.result == "1" else None

    async def database_del(self, family: str, key: str) -> None:
        """Delete an AstDB entry, if there is one: Asterisk gives the same answer either way."""
        await self.command("DATABASE DEL", family, key)

    async def verbose(self, text: str) -> None:
        """Show a line on Asterisk's console."""
        await self.command("VERBOSE", text, 1)

    async def _execute(self, application: str, options: str, *, deadline_s: float) -> None:
        reply = await self.command("EXEC", application, options, deadline_s=deadline_s)
        if reply.result == "-2":
            raise AgiError(f"Asterisk has no application {application}")

    async def _ask(self, command: str, *args: str | int, deadline_s: float) -> Reply:
        reply = await self._connection.request(encode(command, *args), deadline_s)
        if reply.code == 511:
            raise CallerGone
        if reply.code != 200:
            raise AgiError(f"Asterisk refused {command} with {reply.code}")
        return reply


_KEY_CODES = frozenset(map(ord, "0123456789*#ABCD"))


def _arguments(env: Mapping[str, str]) -> tuple[str, ...]:
    names = itertools.takewhile(env.__contains__, (f"agi_arg_{n}" for n in itertools.count(1)))
    return tuple(env[name] for name in names)


def _joined(files: Sequence[str]) -> str:
    if not files:
        raise ValueError("no file to play")
    return "&".join(map(_checked_file, files))


def _checked_file(name: str) -> str:
    if not _FILE.fullmatch(name) or ".." in name:
        raise ValueError("this file name is not allowed")
    return name


def _entry_limits(timeout_s: float, max_digits: int) -> tuple[int, int]:
    if not 1 <= max_digits <= LONGEST_ENTRY:
        raise ValueError(f"an entry has 1 to {LONGEST_ENTRY} digits")
    if timeout_s <= 0:
        raise ValueError("an entry needs a time limit")
    return max(1, round(timeout_s * 1000)), max_digits
