"""Whether an Asterisk still does anything: a frozen one is a process like any other, but greets nobody any more."""

import socket
import time
from contextlib import suppress
from pathlib import Path

PAUSE_SECONDS = 2.0  # between a greeting and the next knock


class Pulse:
    """Knocks at Asterisk's console now and then; Asterisk greets whoever connects. It never waits for that."""

    def __init__(self, console: Path) -> None:
        self._console = console
        self._knock: socket.socket | None = None
        self._since = time.monotonic()  # the knock, or the last greeting

    def silent_seconds(self) -> float:
        """How long a knock has gone unanswered; to be called again and again."""
        if self._knock is None:
            if time.monotonic() - self._since < PAUSE_SECONDS:
                return 0.0
            self._since = time.monotonic()
            self._knock = _knocked(self._console)
        elif _answered(self._knock):
            self.close()
        return time.monotonic() - self._since if self._knock else 0.0

    def close(self) -> None:
        """Knock no more, until the next question."""
        if self._knock is not None:
            self._knock.close()
            self._knock = None
        self._since = time.monotonic()


def _knocked(console: Path) -> socket.socket:
    knock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    with suppress(OSError):  # a console that takes nobody in does not greet either
        knock.connect(str(console))
    return knock


def _answered(knock: socket.socket) -> bool:
    """Whether anything came: also an end, which a frozen process cannot make."""
    try:
        knock.recv(256)
    except OSError:
        return False
    return True
