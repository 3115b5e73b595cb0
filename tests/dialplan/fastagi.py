"""A controller of a few lines: it speaks FastAGI and does what a test tells it to."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import TypeVar


@dataclass
class Session:
    """One FastAGI session: what Asterisk told at its start, and commands with their answers."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    environment: dict[str, str]

    async def send(self, command: str) -> str:
        self.writer.write(f"{command}\n".encode())
        await self.writer.drain()
        answer = (await self.reader.readline()).decode().strip()
        if not answer or answer == "HANGUP":
            raise ConnectionResetError("the caller hung up")
        return answer

    async def set(self, **variables: str) -> None:
        for name, value in variables.items():
            await self.send(f'SET VARIABLE {name} "{value}"')

    async def value(self, expression: str) -> str:
        answer = await self.send(f'GET FULL VARIABLE "{expression}"')
        return answer.partition("(")[2].rpartition(")")[0]


Result = TypeVar("Result")
Script = Callable[[Session], Awaitable[None]]


@dataclass
class Controller:
    """Listens on a port while used as a context manager; runs the script that Asterisk asks for."""

    port: int
    scripts: dict[str, Script]
    asked: list[dict[str, str]] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    def __enter__(self) -> "Controller":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[None, None, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    async def _close(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        environment = {}
        while line := (await reader.readline()).decode().strip():
            name, _, value = line.partition(": ")
            environment[name.removeprefix("agi_")] = value
        self.asked.append(environment)
        try:
            await self.scripts[environment["network_script"]](Session(reader, writer, environment))
        except ConnectionError:
            pass
        except Exception as fault:
            self.faults.append(fault)
        finally:
            writer.close()
