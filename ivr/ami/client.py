"""The controller's connection to Asterisk: actions with deadlines, events in order, always connected again.

Nothing is ever sent twice, and Asterisk does not repeat events: after each `Connected` the reader of
`events` asks for what it may have missed.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Self

import structlog

from ivr.ami.action import NORMAL_CLEARING, checked
from ivr.ami.errors import AmiDown, AmiError, AmiTimeout
from ivr.ami.link import Headers, Link

_STABLE_S = 10.0  # a link that lived this long starts the back-off anew

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """What Asterisk said, for example `UserEvent` with the headers of the dialplan's call."""

    name: str
    headers: Mapping[str, str]
    received_s: float  # on the monotonic clock, when it came in: handling it may have to wait


@dataclass(frozen=True, slots=True)
class Connected:
    """Logged in, and Asterisk has booted: what follows is complete until `Disconnected`."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """From here on events are missing."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the client waits for what; a silent link is noticed within `ping_every_s` + `action_s`."""

    connect_s: float = 5.0
    boot_s: float = 60.0
    action_s: float = 5.0
    ping_every_s: float = 5.0
    retry_first_s: float = 0.1
    retry_most_s: float = 2.0
    refused_pause_s: float = (
        30.0  # a wrong secret does not get right by trying; Asterisk's host may ban who tries
    )


class _LoginRefused(AmiError):  # noqa: N818
    """Asterisk does not take this user or secret."""


class AmiClient:
    """One AMI user's connection, kept up from `start` to `close`.

    The user needs `read=system` for FullyBooted, without which no link counts as connected. Of `capacity`
    events that the reader has not taken, the link is cut rather than one event dropped; it comes back when
    the reader has caught up.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        secret: str,
        *,
        timing: Timing = Timing(),
        capacity: int = 10_000,
    ) -> None:
        self._host, self._port = host, port
        self._login = checked("Login", {"Username": username, "Secret": secret})
        self._timing = timing
        self._capacity = capacity
        self._queue: asyncio.Queue[Event | Connected | Disconnected | None] = asyncio.Queue()
        self._caught_up = asyncio.Event()
        self._caught_up.set()
        self._link: Link | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        """Whether actions can be sent now."""
        return self._link is not None

    async def start(self) -> None:
        """Begin to connect; returns at once, `events` tells when it is done."""
        self._task = asyncio.create_task(self._stay_connected())
        self._task.add_done_callback(lambda _: self._queue.put_nowait(None))

    async def close(self) -> None:
        """Close the connection or give up connecting; `events` ends."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    async def events(self) -> AsyncIterator[Event | Connected | Disconnected]:
        """Every event in order, until `close`; for one reader."""
        while (event := await self._queue.get()) is not None:
            if self._queue.empty():
                self._caught_up.set()
            yield event

    async def action(
        self, name: str, *, deadline_s: float | None = None, **headers: str | int
    ) -> list[Mapping[str, str]]:
        """Send an action and return the headers of its answer, followed by its list's entries if it has any.

        Raises AmiDown when there is no connection or it is lost before the answer, AmiTimeout after
        `deadline_s` (Timing.action_s by default), AmiError when Asterisk refuses, ValueError for headers
        that no line can carry. After AmiDown and AmiTimeout it is unknown whether the action was done: it
        is not sent again.
        """
        message = checked(name, headers)
        if self._link is None:
            raise AmiDown("not connected")
        return [*await self._link.ask(message, deadline_s or self._timing.action_s)]

    async def hangup(self, channel: str, cause: int = NORMAL_CLEARING) -> None:
        """Hang one channel up; AmiError where there is no such channel. `cause` is Q.850's."""
        if channel.startswith("/"):
            raise ValueError("a pattern would hang up more than one channel")
        await self.action("Hangup", Channel=channel, Cause=cause)

    async def redirect_both(
        self,
        channel: str,
        context: str,
        other_channel: str,
        other_context: str,
        extension: str,
        *,
        other_extension: str | None = None,
    ) -> None:
        """Take two connected channels out of their bridge, each into its context; AmiError where one is gone.

        Both go to the same extension, unless another one is named for the other channel.
        """
        await self.action(
            "Redirect",
            Channel=channel,
            Context=context,
            Exten=extension,
            Priority=1,
            ExtraChannel=other_channel,
            ExtraContext=other_context,
            ExtraExten=other_extension or extension,
            ExtraPriority=1,
        )

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        """Set a channel's variable."""
        await self.action("Setvar", Channel=channel, Variable=name, Value=value)

    async def stop_mix_monitor(self, channel: str) -> None:
        """Stop every recording of a channel."""
        await self.action("StopMixMonitor", Channel=channel)

    async def channels(self) -> list[Mapping[str, str]]:
        """All channels there are now, as CoreShowChannels tells them."""
        return [
            entry
            for entry in await self.action("CoreShowChannels")
            if entry.get("Event") == "CoreShowChannel"
        ]

    async def database_tree(self, family: str) -> dict[str, str]:
        """All entries of an AstDB family, by key."""
        prefix = f"/{family}/"
        entries = await self.action("DBGetTree", Family=family)
        return {
            entry["Key"].removeprefix(prefix): entry.get("Val", "")
            for entry in entries
            if entry.get("Key", "").startswith(prefix)
        }

    async def database_get(self, family: str, key: str) -> str | None:
        """The value of an AstDB entry, or None where there is none."""
        try:
            entries = await self.action("DBGet", Family=family, Key=key)
        except AmiError as refused:
            if "not found" in str(refused):
                return None
            raise
        return next(entry.get("Val", "") for entry in entries if entry.get("Event") == "DBGetResponse")

    async def _stay_connected(self) -> None:
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            await self._caught_up.wait()
            began = loop.time()
            try:
                await self._hold_link()
            except _LoginRefused as refused:
                log.error("ami_login_refused", why=str(refused))
                await asyncio.sleep(self._timing.refused_pause_s)
                continue
            except AmiError as error:
                log.warning("ami_disconnected", why=str(error), attempt=attempt)
            attempt = 0 if loop.time() - began > _STABLE_S else attempt + 1
            await asyncio.sleep(self._pause_s(attempt))

    def _pause_s(self, attempt: int) -> float:
        longest = min(self._timing.retry_most_s, self._timing.retry_first_s * 2 ** min(attempt, 30))
        return random.uniform(longest / 2, longest)

    async def _hold_link(self) -> None:
        """Connect, log in and keep the link until it is lost; always ends with AmiError or a cancellation."""
        link = Link(self._receive)
        try:
            await link.open(self._host, self._port, self._timing.connect_s)
            await self._log_in(link)
            self._link = link
            self._queue.put_nowait(Connected())
            log.info("ami_connected")
            await self._watch(link)
        finally:
            link.abort()
            if self._link is not None:
                self._link = None
                self._queue.put_nowait(Disconnected())

    async def _log_in(self, link: Link) -> None:
        try:
            await link.ask(self._login, self._timing.connect_s)
        except (AmiDown, AmiTimeout):
            raise
        except AmiError as refused:
            raise _LoginRefused(str(refused)) from None
        try:
            async with asyncio.timeout(self._timing.boot_s):
                await link.booted.wait()
        except TimeoutError:
            raise AmiTimeout("Asterisk did not say FullyBooted") from None
        if link.lost.is_set():
            raise AmiDown("the connection was lost before Asterisk had booted")

    async def _watch(self, link: Link) -> None:
        """Ping until an answer fails to come."""
        ping = checked("Ping", {})
        while not link.lost.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._timing.ping_every_s):
                    await link.lost.wait()
            await link.ask(ping, self._timing.action_s)

    def _receive(self, link: Link, headers: Headers) -> None:
        """Called by the parser: puts into the queue and does nothing else."""
        if link is not self._link or link.lost.is_set():
            return
        if self._queue.qsize() >= self._capacity:
            log.error("ami_reader_too_slow", waiting=self._capacity)
            self._caught_up.clear()
            link.abort()
            return
        self._queue.put_nowait(Event(headers.get("Event", ""), MappingProxyType(headers), time.monotonic()))
