"""One AMI action by pyst2, synchronously: for verbs that must work while the controller is down.

pyst2's parser dies of one header and its calls have no deadline, so its queues are replaced by ones that see to both,
its socket is our own, and nothing but the answer to our own ActionID is believed.
"""

import contextlib
import queue
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

from asterisk.manager import Manager, ManagerException

from ivr.ami.action import checked
from ivr.ami.errors import AmiDown, AmiError, AmiTimeout

_UNANSWERABLE = frozenset(
    {"command", "status", "login", "logoff"}
)  # pyst2 garbles their answers, or sends them itself
_JOIN_S = 1.0


class _Deadline:
    """So many seconds from now, for everything together."""

    def __init__(self, deadline_s: float) -> None:
        self._at = time.monotonic() + deadline_s

    def left_s(self) -> float:
        """Seconds left; raises AmiTimeout when there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise AmiTimeout("no answer in time")
        return left


class _Answers(queue.Queue[Any]):
    """pyst2's queue of answers, which waits no longer than the deadline."""

    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ARG002
        """The next answer; raises AmiTimeout."""
        try:
            return super().get(timeout=self._deadline.left_s())
        except queue.Empty:
            raise AmiTimeout("no answer in time") from None


class _Messages(queue.Queue[Any]):
    """pyst2's queue of messages, each a list of lines, without the headers that its parser dies of."""

    def put(self, item: list[str] | None, block: bool = True, timeout: float | None = None) -> None:
        """Queue a message, or None for the end of the connection."""
        lines = item and [line for line in item if "ChanVariable" not in line.partition(":")[0]]
        super().put(lines, block, timeout)


class _OneShot(Manager):  # type: ignore[misc] # pyst2 has no types
    """pyst2's client on a socket of ours, which can be shut down under its reader."""

    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._response_queue = _Answers(deadline)
        self._message_queue = _Messages()
        self._deadline = deadline
        self._socket: socket.socket | None = None

    def __del__(self) -> None:
        """pyst2 would log off here, and wait for the answer."""

    def connect(self, host: str, port: int = 5038) -> Any:
        """Connect and wait for the greeting."""
        self._socket = socket.create_connection((host, port), timeout=self._deadline.left_s())
        self._sock = self._socket.makefile(mode="rwb", buffering=0)
        # Nothing is buffered; a flush after a refusal would only find that the reader has closed the file.
        self._sock.flush = lambda: None  # type: ignore[method-assign]
        self._connected.set()
        self._running.set()
        self.message_thread.start()
        self.event_dispatch_thread.start()
        return self._response_queue.get()

    def close(self) -> None:
        """Shut the socket down and let pyst2's threads end."""
        self._running.clear()
        self._connected.clear()
        if self._socket is None:
            return
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._message_queue.put(None)
        self._event_queue.put(None)
        for thread in (self.message_thread, self.event_dispatch_thread):
            thread.join(_JOIN_S)
        self._sock.close()
        self._socket.close()


class _List:
    """Collects the entries of a list until its end; called in a thread that an exception would end."""

    def __init__(self, action_id: str) -> None:
        self.entries: list[dict[str, str]] = []
        self.complete = threading.Event()
        self._action_id = action_id

    def take(self, event: Any, _manager: Any) -> None:
        """Keep an event that belongs to our action."""
        headers = dict(event.headers)
        if headers.get("ActionID") != self._action_id:
            return
        self.entries.append(headers)
        if headers.get("EventList") in {"Complete", "cancelled"}:
            self.complete.set()


def one_shot(
    action: str,
    headers: Mapping[str, str | int],
    *,
    host: str,
    port: int,
    username: str,
    secret: str,
    deadline_s: float,
) -> list[dict[str, str]]:
    """Log in, do one action and return its answer's headers, followed by the list's entries if there are any.

    Of a repeated header only the last value is returned. Raises AmiTimeout when all of it together takes
    longer than `deadline_s`, AmiDown without a connection, AmiError when Asterisk refuses the user or the
    action, ValueError for headers that no line can carry and for actions whose answers pyst2 cannot read.
    """
    login = checked("Login", {"Username": username, "Secret": secret, "Events": "off"})
    message = checked(action, headers)
    if action.lower() in _UNANSWERABLE:
        raise ValueError(f"{action} is not for one-shot use")
    deadline = _Deadline(deadline_s)
    manager = _OneShot(deadline)
    try:
        manager.connect(host, port)
        _ask(manager, login, deadline)
        return _ask(manager, message, deadline)
    except (
        ManagerException,
        OSError,
        ValueError,
    ) as error:  # ValueError: its reader closed the file under it
        raise AmiDown(f"no connection: {getattr(error, 'strerror', None) or type(error).__name__}") from None
    finally:
        manager.close()


def _ask(manager: _OneShot, message: Mapping[str, str], deadline: _Deadline) -> list[dict[str, str]]:
    action_id = secrets.token_hex(8)
    listed = _List(action_id)
    manager.register_event("*", listed.take)
    answer = dict(manager.send_action({**message, "ActionID": action_id}).headers)
    if answer.get("ActionID") != action_id:
        raise AmiError(f"the answer to {message['Action']} belongs to another action")
    if answer.get("Response") != "Success":
        raise AmiError(f"Asterisk refused {message['Action']}: {answer.get('Message', '')}")
    if answer.get("EventList") == "start" and not listed.complete.wait(deadline.left_s()):
        raise AmiTimeout(f"the list of {message['Action']} did not end in time")
    return [answer, *listed.entries]
