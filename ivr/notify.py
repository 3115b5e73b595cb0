"""What a supervisor and the controller tell each other: systemd's sd_notify(3) and sd_listen_fds(3) protocols.

The same datagrams are understood by systemd (Type=notify, WatchdogSec=) and by `ivr run`.
"""

import asyncio
import os
import socket

_FIRST_HANDED_OVER = 3  # SD_LISTEN_FDS_START


def listening_socket() -> socket.socket | None:
    """FastAGI's socket, if systemd holds it for us: then a restart of the controller refuses no call."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    return socket.socket(fileno=_FIRST_HANDED_OVER)


class Notifier:
    """Speaks to the socket that the supervisor named in NOTIFY_SOCKET; silent when there is none."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET")
        self._interval = int(os.environ.get("WATCHDOG_USEC", "0")) / 2_000_000

    def ready(self) -> None:
        """Calls can be taken now."""
        self._send("READY=1")

    def stopping(self) -> None:
        """No more calls are taken."""
        self._send("STOPPING=1")

    async def stay_alive(self) -> None:
        """Say twice in each watchdog time that the event loop still runs; for ever."""
        while self._interval:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self._interval)

    def _send(self, state: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            try:
                sock.sendto(state.encode(), address)
            except (BlockingIOError, ConnectionRefusedError, FileNotFoundError):
                return  # a supervisor that isn't listening will find out by the silence
