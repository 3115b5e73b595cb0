"""The least that can lead the same dialogue: one asyncio loop that sends the commands of a real call, line by line.

No rules, no checks, no events; with a database file, two commits a call: one before the order to dial, one after the
call.
"""

import asyncio
import contextlib
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pysqlite3 import dbapi2 as sqlite

CALL_ID = "<call>"  # stands for the call's id in the commands of a script
Script = Sequence[str]


class Book(Protocol):
    """What is written of a call."""

    def open(self, call_id: str) -> None:
        """It is about to be dialled."""

    def close(self, call_id: str) -> None:
        """It is over."""


class NoBook:
    """Writes nothing."""

    def open(self, call_id: str) -> None:
        """See Book."""

    def close(self, call_id: str) -> None:
        """See Book."""


class SqliteBook:
    """One row a call; each change is on the disk when its method returns."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite.connect(str(path), isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE call (id TEXT PRIMARY KEY, state TEXT NOT NULL)")

    def open(self, call_id: str) -> None:
        """See Book."""
        self._connection.execute("INSERT INTO call VALUES (?, 'held')", (call_id,))

    def close(self, call_id: str) -> None:
        """See Book."""
        self._connection.execute("UPDATE call SET state = 'settled' WHERE id = ?", (call_id,))


class BareServer:
    """Replays scripts to whoever connects."""

    def __init__(self, scripts: Mapping[str, Script], book: Book) -> None:
        self._scripts = scripts
        self._book = book

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session."""
        with contextlib.suppress(ConnectionError):
            await self._dialogue(reader, writer)
        writer.close()

    async def _dialogue(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        env = {}
        while line := (await reader.readline()).decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            env[name] = value
        script, call_id = env["agi_network_script"], env.get("agi_arg_1") or secrets.token_hex(16)
        if script == "after_call":
            self._book.close(call_id)
        for command in self._scripts[script]:
            if command == DIAL:
                self._book.open(call_id)
            writer.write(command.replace(CALL_ID, call_id).encode() + b"\n")
            await reader.readline()


def line_of(words: Sequence[str]) -> str:
    """A command as a line, every word quoted."""
    return " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)


DIAL = line_of(["SET", "VARIABLE", "VERDICT", "DIAL"])


async def run(port: int, scripts: Mapping[str, Script], book: Book) -> None:
    """Serve on loopback until killed."""
    server = await asyncio.start_server(BareServer(scripts, book).serve, "127.0.0.1", port, backlog=256)
    print("ready", flush=True)
    await server.serve_forever()


def main() -> None:
    """`python -m bench.bare PORT SCRIPTS [DATABASE]`: the scripts are JSON, the database a new file."""
    port, scripts, *database = sys.argv[1:]
    book = SqliteBook(Path(database[0])) if database else NoBook()
    asyncio.run(run(int(port), json.loads(scripts), book))


if __name__ == "__main__":
    main()
