"""One connection to Asterisk by panoramisk, without that library's reconnecting, resending and logging.

A link is used once: when it is lost, the client makes another.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from ivr.ami.errors import AmiDown, AmiError, AmiTimeout

MAX_MESSAGE_CHARACTERS = 256 * 1024

Headers = dict[str, str]

_NEVER_S = 10**7  # panoramisk's own pings do not look at the answers: ours do
_WIRE_ENCODING = (
    "latin-1"  # one character a byte: a letter cut in two by TCP is put together again in `_text`
)

# panoramisk writes whole actions, with secrets and values in them, to its log: nothing of it is kept.
_silent = logging.Logger("ivr.ami.panoramisk")  # not in the tree of loggers, on purpose
_silent.disabled = True


class _Everything:
    """Contains every action's name: what panoramisk may forget it does not send again after a reconnect."""

    def __contains__(self, name: object) -> bool:
        return True


class _Wire(AMIProtocol):  # type: ignore[misc] # panoramisk has no types
    """Survives messages that panoramisk cannot digest, and bounds what it keeps of an unfinished one."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.log = _silent

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.queue and len(self.queue[0]) > MAX_MESSAGE_CHARACTERS:
            self.transport.abort()

    def handle_message(self, message: Any) -> None:
        try:
            super().handle_message(message)
        except Exception:
            self.factory.undigested += 1


class _Manager(Manager):  # type: ignore[misc] # panoramisk has no types
    """Hands events and the loss of the connection to the link, and does nothing more about either."""

    def __init__(self, link: "Link") -> None:
        super().__init__(
            loop=asyncio.get_running_loop(),
            log=_silent,
            encoding=_WIRE_ENCODING,
            forgetable_actions=_Everything(),
            ping_delay=_NEVER_S,
            ping_interval=_NEVER_S,
        )
        self.undigested = 0
        self._link = link

    def dispatch(self, event: Any) -> None:
        self._link.took(_headers(event))

    def connection_lost(self, exc: object) -> None:  # noqa: ARG002 - panoramisk's signature
        self._link.abort()


class Link:
    """Sends actions and waits for their answers, each with a deadline; `lost` is set at its end."""

    def __init__(self, on_event: Callable[["Link", Headers], None]) -> None:
        self.lost = asyncio.Event()
        self.booted = asyncio.Event()
        self._on_event = on_event
        self._manager = _Manager(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: set[asyncio.Future[Any]] = set()
        self._prefix = f"{secrets.token_hex(8)}-"
        self._numbers = count(1)

    @property
    def undigested(self) -> int:
        """How many messages made no sense to the parser."""
        return int(self._manager.undigested)

    async def open(self, host: str, port: int, deadline_s: float) -> None:
        """Connect; raises AmiDown or AmiTimeout."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(deadline_s):
                transport, wire = await loop.create_connection(_Wire, host, port)
        except TimeoutError:
            raise AmiTimeout("no connection in time") from None
        except OSError as error:
            raise AmiDown(f"no connection: {error.strerror or type(error).__name__}") from None
        self._transport = transport
        opened = loop.create_future()
        opened.set_result((transport, wire))
        self._manager.connection_made(opened)

    async def ask(self, action: Mapping[str, str], deadline_s: float) -> list[Headers]:
        """Send a checked action once and return its answer, and the list that follows it if there is one.

        Raises AmiDown when the link is or gets lost, AmiTimeout, and AmiError for a refusal.
        """
        if self.lost.is_set():
            raise AmiDown("the connection was lost")
        sent = self._send(action)
        self._waiting.add(sent.future)
        try:
            async with asyncio.timeout(deadline_s):
                answer = await sent.future
        except TimeoutError:
            raise AmiTimeout(f"no answer to {action['Action']} in time") from None
        finally:
            self._waiting.discard(sent.future)
            self._manager.responses.pop(sent.id, None)
        messages = [_headers(message) for message in (answer if isinstance(answer, list) else [answer])]
        if messages[0].get("Response") != "Success":
            raise AmiError(f"Asterisk refused {action['Action']}: {messages[0].get('Message', '')}")
        return messages

    def took(self, headers: Headers) -> None:
        """An event came; late answers to actions that nobody waits for any more are none."""
        if headers.get("ActionID", "").startswith(self._prefix):
            return
        if headers.get("Event") == "FullyBooted":
            self.booted.set()
        self._on_event(self, headers)

    def abort(self) -> None:
        """Close at once and fail every action that is out."""
        if self.lost.is_set():
            return
        self.lost.set()
        self.booted.set()  # nobody needs to wait for it any more
        for future in self._waiting:
            if not future.done():
                future.set_exception(AmiDown("the connection was lost before the answer"))
        self._manager.close()
        if self._transport is not None:
            self._transport.abort()  # an orderly close would wait for a peer that does not read

    def _send(self, action: Mapping[str, str]) -> Any:
        headers = {
            **{name: value.encode().decode(_WIRE_ENCODING) for name, value in action.items()},
            "ActionID": f"{self._prefix}{next(self._numbers)}",
            "Async": "true",  # without it panoramisk fails on every answer that says "successfully queued"
        }
        sent = Action(headers)
        self._manager.send_action(sent)
        return sent


def _headers(message: Any) -> Headers:
    """A message's headers; a repeated one holds its values on lines of their own."""
    return {name: _text(value) for name, value in message.items() if name != "content"}


def _text(value: str | list[str]) -> str:
    whole = value if isinstance(value, str) else "\n".join(value)
    if whole.isascii():  # as nearly all are
        return whole
    return whole.encode(_WIRE_ENCODING).decode("utf-8", "replace")
