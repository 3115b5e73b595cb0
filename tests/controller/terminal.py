"""A terminal of eighty columns with a command on it, as a person has it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

ROWS, COLUMNS = 24, 80
PATIENCE_SECONDS = 20.0
#: The terminal is the command's own, so that Ctrl-C interrupts it, also where the tests run in the background.
OWNS_IT = (
    "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "signal.signal(signal.SIGINT, signal.SIG_DFL);"
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """What the command has written, and keys for it."""

    def __init__(self, words: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self.written = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWNS_IT, "-m", "ivr.cli", *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environment, "TERM": "xterm-256color"},
            start_new_session=True,
        )

    @property
    def attributes(self) -> list[object]:
        """How the terminal takes keys now."""
        return termios.tcgetattr(self._slave)

    @property
    def page(self) -> str:
        """What stands on it: all since the last time that it was drawn from its top."""
        return SEQUENCE.sub("", self.written.rpartition("\x1b[H")[2])

    def press(self, keys: str) -> None:
        """Somebody types."""
        os.write(self._master, keys.encode())

    def until(self, text: str) -> str:
        """The page, as soon as the text stands on it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.page:
            assert time.monotonic() < deadline, f"{text} does not come:\n{self.page}"
            self._read(0.1)
        self._read(0.05)  # the rest of it
        return self.page

    def ends(self) -> int:
        """Its status, once it has ended."""
        status = self.process.wait(PATIENCE_SECONDS)
        self._read(0.1)
        return status

    def close(self) -> None:
        """Whatever still runs is gone."""
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)

    def _read(self, seconds: float) -> None:
        while select.select([self._master], [], [], seconds)[0]:
            self.written += os.read(self._master, 65536).decode()
            seconds = 0.02


@contextmanager
def on_terminal(*words: str) -> Iterator[Terminal]:
    """The command runs while the block does, in the environment of the test."""
    hidden = ("COLUMNS", "LINES", "NO_COLOR")
    terminal = Terminal(words, {name: value for name, value in os.environ.items() if name not in hidden})
    try:
        yield terminal
    finally:
        terminal.close()
