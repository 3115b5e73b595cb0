"""What breaks in fault stories, and how it is seen to be whole again."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from accounts.db import Database
from accounts.tables import transfer
from accounts.verification import verify
from dialplan.asterisk import FROZEN_SECONDS, Asterisk, AsteriskError
from dialplan.install import Installation
from ivr.demonstration.ports import free_ports
from tests.telephony.cast import Cast, Role
from tests.telephony.scene import Scene
from tests.telephony.stack import running_stack

REPLACED_SECONDS = 10.0


class Theatre:
    """A stack of its own for one fault story."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        self.folder = folder
        self.database_url = database_url
        self.scenes: list[Scene] = []

    @contextmanager
    def scenes_of(
        self, *casts: Cast, asterisk: Installation | None = None, **more: Mapping[str, Any]
    ) -> Iterator[list[Scene]]:
        """The scenes of some casts on one running stack."""
        roles = [Role(cast, number + 1) for number, cast in enumerate(casts)]
        with (
            running_stack(
                self.folder, roles, database_url=self.database_url, asterisk=asterisk, **more
            ) as stage,
            Database.open(stage.settings.url) as database,
        ):
            self.scenes = [Scene(stage, database, role) for role in roles]
            yield self.scenes
            assert self.scenes[0].read(verify).faults == ()

    @contextmanager
    def one(self, cast: Cast) -> Iterator[Scene]:
        """A stack for one cast."""
        with self.scenes_of(cast) as [scene]:
            yield scene

    def account(self) -> str:
        """What happened and what was heard."""
        return "\n".join(scene.account() for scene in self.scenes)


def break_controller(scene: Scene, how: signal.Signals) -> int:
    """Kill or freeze the controller; its process id."""
    pid = scene.stage.supervisor.controller.pid
    scene.tell("  fault", f"{how.name} to the controller")
    os.kill(pid, how)
    return pid


def is_replaced(scene: Scene, pid: int) -> None:
    """Another controller is ready in time."""
    deadline = time.monotonic() + REPLACED_SECONDS
    controller = scene.stage.supervisor.controller
    while controller.pid == pid or not controller.ready:
        assert time.monotonic() < deadline, "the controller was not replaced"
        time.sleep(0.05)
    scene.tell("  fault", "another controller is ready")


def break_asterisk(scene: Scene, how: signal.Signals) -> int:
    """Kill, end or freeze the facility's Asterisk; its process id."""
    pid = scene.stage.supervisor.asterisk.pid
    scene.tell("  fault", f"{how.name} to Asterisk")
    os.kill(pid, how)
    return pid


def asterisk_is_replaced(scene: Scene, pid: int) -> None:
    """Another Asterisk takes calls in time; a frozen one is not given up at once."""
    asterisk = scene.stage.supervisor.asterisk
    scene.wait(lambda _: asterisk.pid != pid and _takes_calls(asterisk), bool, within=FROZEN_SECONDS + 20)
    scene.tell("  fault", "another Asterisk is ready")


def _takes_calls(asterisk: Asterisk) -> bool:
    try:
        return "fully booted" in asterisk.command("core waitfullybooted")
    except AsteriskError:
        return False


def transfers(scene: Scene, call_id: str) -> list[str]:
    """What the ledger has of a call: the kinds of its transfers, in order."""

    def kinds(conn: Connection) -> list[str]:
        of_call = transfer.c.id.startswith(f"call/{call_id}/")
        return list(conn.scalars(select(transfer.c.kind).where(of_call).order_by(transfer.c.posted_at)))

    return scene.read(kinds)


class Link:
    """A TCP connection's stand-in that can be cut: forwards to a port until `cut`, and again after `mend`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._whole = True
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self.port = free_ports()["ami_port"]
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="link")

    def __enter__(self) -> "Link":
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def cut(self) -> None:
        """End every connection, and refuse new ones."""
        self._loop.call_soon_threadsafe(self._cut)

    def mend(self) -> None:
        """Forward again."""
        self._whole = True

    def _cut(self) -> None:
        self._whole = False
        for writer in self._writers:
            writer.transport.abort()

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._forward, "127.0.0.1", self.port))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._cut()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.1))
        self._loop.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        with suppress(OSError, asyncio.CancelledError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers |= {writer, far_writer}
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._writers -= {writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@contextmanager
def without_controller(scene: Scene) -> Iterator[None]:
    """The controller is killed and nobody starts another while the block runs."""
    supervisor, down, over = scene.stage.supervisor, threading.Event(), threading.Event()

    def keep_it_down() -> None:
        supervisor.controller.stop(at_once=True)
        down.set()
        over.wait()
        supervisor.controller.start()

    pid = supervisor.controller.pid
    supervisor.on_its_thread(keep_it_down)
    assert down.wait(REPLACED_SECONDS)
    scene.tell("  fault", "no controller runs")
    try:
        yield
    finally:
        over.set()
    is_replaced(scene, pid)
