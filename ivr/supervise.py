"""Keeps Asterisk and the controller running: a dead or frozen one is replaced.

The controller tells that it lives in systemd's own words (sd_notify, WatchdogSec), so that a real installation needs
only its systemd units and none of this.
"""

import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import structlog

from dialplan.asterisk import Asterisk, AsteriskError
from ivr.config import Settings

log = structlog.get_logger(__name__)

WATCHDOG_SECONDS = 4.0
START_SECONDS = 20.0
STOP_SECONDS = 5.0
PAUSE_SECONDS = 0.5  # between an end and the next start, so that a program which cannot start does not spin


class SupervisorError(Exception):
    """Something did not start; the message is one sentence for the person who started it."""


class Controller:
    """The controller's process, and when it last said that it lives."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.log = settings.state_dir.absolute() / "controller.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._notices: socket.socket | None = None
        self._last_sign = 0.0
        self.ready = False

    @property
    def pid(self) -> int:
        """The process id, for signals in fault tests."""
        if self._process is None:
            raise SupervisorError("the controller was not started")
        return self._process.pid

    def start(self) -> None:
        """Start the process; it is ready once it says so."""
        self.ready = False
        self._notices, address = _notify_socket(self._settings.state_dir.absolute() / "notify.sock")
        environment = {
            **os.environ,
            **{f"IVR_{name.upper()}": str(value) for name, value in self._settings.model_dump().items()},
            "NOTIFY_SOCKET": address,
            "WATCHDOG_USEC": str(int(WATCHDOG_SECONDS * 1_000_000)),
        }
        with _appended(self.log) as output:
            self._process = subprocess.Popen(  # noqa: S603 - this program itself
                [*_ends_with_parent(), sys.executable, "-m", "ivr.cli", "serve"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._last_sign = time.monotonic()

    def check(self) -> str | None:
        """What is wrong with it, if anything."""
        assert self._process is not None
        self._read_notices()
        if self._process.poll() is not None:
            return f"ended with status {self._process.returncode}"
        allowed = WATCHDOG_SECONDS if self.ready else START_SECONDS
        silent = time.monotonic() - self._last_sign
        return f"gave no sign of life for {silent:.0f} s" if silent > allowed else None

    def stop(self, *, at_once: bool = False) -> None:
        """End the process, by force if it does not end in time."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL if at_once else signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._notices is not None:
            self._notices.close()

    def _read_notices(self) -> None:
        assert self._notices is not None
        while True:
            try:
                notice = self._notices.recv(256)
            except BlockingIOError:
                return
            self._last_sign = time.monotonic()
            self.ready = self.ready or b"READY=1" in notice


class Supervisor:
    """Runs Asterisk and the controller while the block runs, on a thread of its own."""

    def __init__(self, settings: Settings, asterisk: Asterisk) -> None:
        self.asterisk = asterisk
        self.controller = Controller(settings)
        self._stop = threading.Event()
        self._wanted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._started: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="supervisor")

    def __enter__(self) -> Self:
        self._thread.start()
        failure = self._started.get()
        if failure is not None:
            self._thread.join()
            raise failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def on_its_thread(self, work: Callable[[], None]) -> None:
        """Have the supervising thread do something: processes end with the thread that started them."""
        self._wanted.put(work)

    def _run(self) -> None:
        try:
            self.asterisk.start()
            self.controller.start()
            self._wait_until_ready()
        except Exception as failure:  # told to whoever entered the block
            self._end()
            self._started.put(failure)
            return
        self._started.put(None)
        while not self._stop.wait(0.05):
            self._look_after_asterisk()
            self._look_after_controller()
            while not self._wanted.empty():
                self._wanted.get()()
        self._end()

    def _wait_until_ready(self) -> None:
        while not self.controller.ready:
            if trouble := self.controller.check():
                raise SupervisorError(f"the controller {trouble}; its log is {self.controller.log}")
            time.sleep(0.02)

    def _look_after_asterisk(self) -> None:
        trouble = self.asterisk.trouble()
        if trouble is None:
            return
        log.error("starting Asterisk again", why=trouble)
        self.asterisk.kill()
        time.sleep(PAUSE_SECONDS)
        try:
            self.asterisk.start()
        except AsteriskError as failure:
            log.error("Asterisk did not start", why=str(failure))

    def _look_after_controller(self) -> None:
        if trouble := self.controller.check():
            log.error("replacing the controller", why=trouble)
            self.controller.stop(at_once=True)
            if not self.controller.ready:  # one that has served is missed by calls in progress
                time.sleep(PAUSE_SECONDS)
            try:
                self.controller.start()
            except OSError as failure:  # tried again: it gives no sign of life
                log.error("the controller did not start", why=str(failure))

    def _end(self) -> None:
        self.controller.stop()
        self.asterisk.stop()


def _notify_socket(path: Path) -> tuple[socket.socket, str]:
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.bind(str(path))
    path.chmod(0o600)
    return sock, str(path)


def _ends_with_parent() -> list[str]:
    """If this supervisor is killed, the controller must not stay behind."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def _appended(path: Path) -> IO[bytes]:
    path.touch(mode=0o600)
    return path.open("ab")
