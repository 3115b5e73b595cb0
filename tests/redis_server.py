"""A Redis of the tests' own, on a Unix socket in its own folder; it can be ended, frozen and started again."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

NEEDED = "Redis is not installed: `apt-get install redis-server` (tests of several nodes run on it)"
START_SECONDS = 10


class RedisServer:
    """One server; what it knows is gone when it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{folder / 'redis.sock'}"

    def start(self) -> None:
        """Return when it answers."""
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail(NEEDED)
        options = ("--port", "0", "--unixsocket", "redis.sock", "--save", "", "--appendonly", "no")
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([program, *options], cwd=self._folder, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                with redis.Redis.from_url(self.url) as client:
                    client.ping()
            except redis.ConnectionError:
                time.sleep(0.01)  # there is nothing to wait on but the socket's appearance
            else:
                return
        pytest.fail(f"Redis did not start:\n{(self._folder / 'log').read_text()}")

    def end(self) -> None:
        """It is gone at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self, *, frozen: bool = True) -> None:
        """It takes connections and answers nothing, or goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """One that runs while the block does."""
    with tempfile.TemporaryDirectory(prefix="ivr-redis-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.end()


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A running one, for one test."""
    with running_redis() as server:
        yield server
