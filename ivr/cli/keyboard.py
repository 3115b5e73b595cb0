"""Keys of a terminal one by one, which is afterwards as it was."""

import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

#: What terminals send for keys that have no character.
NAMED = {
    b"\x1b[A": "up",
    b"\x1bOA": "up",
    b"\x1b[B": "down",
    b"\x1bOB": "down",
    b"\x1b": "escape",
    b"\r": "enter",
    b"\n": "enter",
    b"\x7f": "backspace",
    b"\x08": "backspace",
}
_MOST = 4096


@contextmanager
def keyboard() -> Iterator["Keyboard"]:
    """Read keys while the block runs; Ctrl-C still interrupts, Ctrl-Z does nothing."""
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        ours = termios.tcgetattr(fd)
        ours[6][termios.VSUSP] = b"\x00"
        termios.tcsetattr(fd, termios.TCSANOW, ours)
        yield Keyboard(fd)
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


class Keyboard:
    """Where keys are read from."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def within(self, seconds: float) -> list[str]:
        """The keys that come, as soon as one does; none after so many seconds. Raises EOFError when it is gone."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return []
        read = os.read(self._fd, _MOST)
        if not read:
            raise EOFError
        return list(keys_of(read))


def keys_of(read: bytes) -> Iterator[str]:
    """What was pressed: a character, or the name of a key; other keys are left out."""
    while read:
        name = next((each for each in NAMED if len(each) > 1 and read.startswith(each)), None)
        if name is None and read.startswith((b"\x1b[", b"\x1bO")) and len(read) > 2:
            read = _after_sequence(read)
            continue
        if name is None and read[:1] in NAMED:
            name = read[:1]
        if name is not None:
            yield NAMED[name]
            read = read[len(name) :]
            continue
        text = read.decode("utf-8", "ignore")
        if text:
            yield text[0]
        read = read[len(text[0].encode()) if text else 1 :]


def _after_sequence(read: bytes) -> bytes:
    """Behind a sequence that stands for some other key: its last byte is a letter or a tilde."""
    end = next((n for n, byte in enumerate(read[2:], 2) if 0x40 <= byte <= 0x7E), len(read) - 1)
    return read[end + 1 :]
