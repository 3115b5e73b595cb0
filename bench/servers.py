"""The servers that are compared: the real controller, and the bare loop with and without a database."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from accounts import schema
from accounts.db import Database
from bench import books, facility, load
from bench.bare import CALL_ID, DIAL, Script, line_of
from ivr.config import Settings
from ivr.demonstration.ports import free_ports
from ivr.keyring import Keyring
from ivr.supervise import Controller
from tests.fakes.ami_server import FakeAmi
from tests.fakes.asterisk import FakeAsterisk, Result

_POLL_SECONDS = 0.05


class ServerFailed(Exception):  # noqa: N818 - the name says what happened
    """A server did not start, or ended."""


@dataclass(frozen=True, slots=True)
class DatabaseWork:
    """What a server has asked of its database."""

    statements: int = 0
    commits: int = 0


@dataclass(frozen=True, slots=True)
class Bare:
    """A bare loop at work."""

    asterisk: FakeAsterisk
    pid: int

    async def rest(self) -> None:
        """Nothing is left to do once its sessions are over."""

    async def database_work(self) -> DatabaseWork:
        """Not counted."""
        return DatabaseWork()


@dataclass(frozen=True, slots=True)
class Real:
    """The controller at work."""

    asterisk: FakeAsterisk
    pid: int
    web: str
    database: Database

    async def rest(self) -> None:
        """Return once every call is settled and every recording looked at."""
        while not await self.database.read(books.is_done):  # noqa: ASYNC110 - another process does the work
            await asyncio.sleep(_POLL_SECONDS)

    async def database_work(self) -> DatabaseWork:
        """As /metrics tells it; the page itself is one statement more."""
        page = await asyncio.to_thread(_get, f"{self.web}/metrics")
        samples = {
            sample.name: int(sample.value)
            for family in text_string_to_metric_families(page)
            for sample in family.samples
        }
        return DatabaseWork(samples["ivr_database_statements_total"], samples["ivr_database_commits_total"])


Server = Real | Bare


@contextlib.asynccontextmanager
async def controller(folder: Path, url: str, phones: int) -> AsyncIterator[Real]:
    """The real controller with an invented facility; its database, empty before, is empty afterwards."""
    keyring = Keyring(folder / "secrets")
    async with FakeAmi(secret=keyring.ami("controller")) as ami:
        ports = {**free_ports(), "ami_port": ami.port}
        settings = Settings.model_validate({"state_dir": folder, "database_url": url, **ports})
        await asyncio.to_thread(facility.prepare, settings.url, keyring, phones)
        process = Controller(settings)
        process.start()
        try:
            web = f"http://{settings.host}:{settings.web_port}"
            await _until_ready(process, web)
            asterisk = FakeAsterisk(keyring.agi_token, settings.agi_port, ami)
            with Database.open(settings.url) as database:
                yield Real(asterisk, process.pid, web, database)
        finally:
            process.stop()
            await asyncio.to_thread(schema.downgrade, settings.url, "base")


@contextlib.asynccontextmanager
async def bare(folder: Path, scripts: Mapping[str, Script], *, commits: bool) -> AsyncIterator[Bare]:
    """The bare loop, with these scripts."""
    port = free_ports()["agi_port"]
    database = [str(folder / "bare.sqlite")] if commits else []
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.bare", str(port), json.dumps(scripts), *database),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        if await process.stdout.readline() != b"ready\n":
            raise ServerFailed("the bare loop did not start")
        yield Bare(FakeAsterisk("", port, FakeAmi()), process.pid)
    finally:
        process.kill()
        await process.wait()


def scripts_of(result: Result) -> dict[str, Script]:
    """The commands of a real call by the scripts that sent them, for the bare loop to send again."""
    call_id = result.attempts[0].call_id
    inmate = [line_of(words).replace(call_id, CALL_ID) for words in result.inmate.commands]
    dialled = inmate.index(DIAL) + 1
    return {
        "outbound": inmate[:dialled],
        "accept": [line_of(words) for words in load.called(result).commands],
        "after_call": inmate[dialled:],
    }


async def _until_ready(process: Controller, web: str) -> None:
    while True:
        if trouble := process.check():
            raise ServerFailed(f"the controller {trouble}; its log:\n{process.log.read_text()}")
        with contextlib.suppress(OSError):  # refused, or "not healthy yet"
            await asyncio.to_thread(_get, f"{web}/healthz")
            return
        await asyncio.sleep(_POLL_SECONDS)


def _get(address: str) -> str:
    with urlopen(address, timeout=10) as answer:  # noqa: S310 - our own address on loopback
        page: str = answer.read().decode()
    return page
