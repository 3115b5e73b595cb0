"""The real `ivr serve` in a process of its own, and the commands beside it."""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import update

from accounts.db import Database
from ivr.config import Settings
from ivr.demonstration.ports import free_ports
from ivr.facility.file import read
from ivr.facility.tables import inmate
from ivr.instance import keyring_of
from ivr.keyring import Keyring
from ivr.load_file import load_facility_file
from tests.fakes.ami_server import FakeAmi
from tests.fakes.asterisk import FakeAsterisk
from tests.transcripts.play import FACILITY, SPEECH

START_SECONDS = 20


@contextmanager
def instance(url: str, **more: str) -> Iterator[Settings]:
    """Settings of an instance with a short path, since a socket's name may not be long."""
    with tempfile.TemporaryDirectory(prefix="ivr-") as folder:
        ports = {name: int(port) for name, port in free_ports().items()}
        yield Settings.model_validate({"state_dir": Path(folder), "database_url": url, **ports, **more})


def prepare(settings: Settings, facility: str) -> None:
    """Load the facility, whose inmates have said their names."""
    file = settings.state_dir / "facility.toml"
    file.write_text(facility, "utf-8")
    for name, text in read(FACILITY).beside.items():
        file.with_name(name).write_text(text, "utf-8")
    load_facility_file(settings, file)
    with Database.open(settings.url) as database:
        database.transact_now(lambda conn: conn.execute(update(inmate).values(recorded_name=SPEECH)))


def environment(settings: Settings) -> dict[str, str]:
    """The settings, as a process gets them."""
    ours = {f"IVR_{name.upper()}": str(value) for name, value in settings.model_dump().items()}
    return {**os.environ, **ours, "COLUMNS": "80"}


@dataclass(slots=True)
class Served:
    """The running controller, and the Asterisk that it serves."""

    settings: Settings
    keyring: Keyring
    ami: FakeAmi
    asterisk: FakeAsterisk

    @property
    def log(self) -> str:
        """What it has logged until now."""
        return (self.settings.state_dir / "log").read_text("utf-8")

    async def get(self, page: str) -> tuple[int, str]:
        """A page of its listener: status and body."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.settings.web_port)
        writer.write(f"GET {page} HTTP/1.0\r\n\r\n".encode())
        answer = (await reader.read()).decode()
        writer.close()
        head, _, body = answer.partition("\r\n\r\n")
        return int(head.split()[1]), body

    async def ivr(self, *words: str) -> tuple[int | None, str, str]:
        """A command: its status, and what it wrote to both outputs."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivr.cli", *words),
            env=environment(self.settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Served]:
    """Run it until the block ends; it ends in order, with status 0."""
    keyring = keyring_of(settings)
    ami = FakeAmi("controller", keyring.ami("controller"))
    await ami.listen(port=settings.ami_port)
    with (
        _notices(settings.state_dir / "ready.sock") as notices,
        (settings.state_dir / "log").open("wb") as log,
    ):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivr.cli", "serve"),
            env={**environment(settings), "NOTIFY_SOCKET": str(settings.state_dir / "ready.sock")},
            stdout=log,
            stderr=log,
        )
        served = Served(settings, keyring, ami, FakeAsterisk(keyring.agi_token, settings.agi_port, ami))
        try:
            async with asyncio.timeout(START_SECONDS):
                notice = await asyncio.get_running_loop().sock_recv(notices, 100)
                assert notice == b"READY=1", served.log
                await ami.seen("DBGetTree")
            yield served
        finally:
            ami.shut()
            if process.returncode is None:
                process.terminate()
            status = await process.wait()
            await ami.ended()
    assert status == 0, served.log


@contextmanager
def _notices(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind(str(path))
        yield sock
