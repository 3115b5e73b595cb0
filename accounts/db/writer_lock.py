"""Who may write: on SQLite one process, the running controller or a command while none runs; on PostgreSQL several.

There each node has one controller, commands may write beside them, and whoever changes the tables themselves is alone.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from sqlalchemy import Connection, TextClause, text

from accounts.db.engines import connect, database_url, migrating_engine, sqlite_path
from accounts.db.errors import DatabaseUnsuitable

ADVISORY_KEY: Final = 0x6976_7277  # "ivrw"; any constant that no other program on the server uses
_NODES_KEY: Final = 0x6976_726E  # "ivrn"; the first of a pair


class WriterLocked(Exception):  # noqa: N818 - a state that a command meets and tells, not a fault
    """Another process is the writer."""


class _Held(Protocol):
    def release(self) -> None: ...


class WriterLock:
    """Held by a process that may write, until `release`, the end of a `with`, or the process's end."""

    def __init__(self, held: _Held) -> None:
        self._held = held

    @classmethod
    def take(cls, url: str) -> Self:
        """Become the only writer of the database that the URL names; raises WriterLocked if another process writes."""
        named = database_url(url)
        if named.get_backend_name() == "sqlite":
            return cls(_FileLock(sqlite_path(named)))
        return cls(_AdvisoryLock(connect(migrating_engine(named)), _ALONE))

    @classmethod
    def share(cls, url: str, node: str | None = None) -> Self:
        """Write beside others where the database allows that: as the controller of a node, or for one command.

        Raises WriterLocked if another process is the only writer, or the controller of this node.
        """
        named = database_url(url)
        if named.get_backend_name() == "sqlite":
            return cls.take(url)
        return cls(_AdvisoryLock(connect(migrating_engine(named)), _TOGETHER, node))

    def release(self) -> None:
        """Stop being the writer; harmless when repeated."""
        self._held.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class _FileLock:
    """A lock on a file beside the database; the file stays, or two could hold locks on two of them."""

    def __init__(self, database: Path) -> None:
        path = database.with_name(database.name + ".lock")
        try:
            self._file: int | None = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise DatabaseUnsuitable(f"cannot lock the database file {database}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            writer = os.read(self._file, 20).decode("ascii", "replace").strip() or "unknown"
            self.release()
            raise WriterLocked(f"process {writer} is the writer of {database}") from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode("ascii"))

    def release(self) -> None:
        """Close the file, which is what unlocks it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


_ALONE = text("SELECT pg_try_advisory_lock(:key)")
_TOGETHER = text("SELECT pg_try_advisory_lock_shared(:key)")
_OF_NODE = text("SELECT pg_try_advisory_lock(:key, hashtext(:node))")


class _AdvisoryLock:
    """Locks of a PostgreSQL session, on a connection of its own."""

    def __init__(self, conn: Connection, how: TextClause, node: str | None = None) -> None:
        self._conn = conn
        if not self._take(how, {"key": ADVISORY_KEY}):
            raise WriterLocked("another process is the writer of this PostgreSQL database")
        if node is not None and not self._take(_OF_NODE, {"key": _NODES_KEY, "node": node}):
            raise WriterLocked(
                f"another process is the controller of node {node}: set IVR_NODE to another name"
            )

    def _take(self, how: TextClause, what: dict[str, object]) -> bool:
        taken = bool(self._conn.scalar(how, what))
        self._conn.commit()
        if not taken:
            self.release()
        return taken

    def release(self) -> None:
        """End the session, which is what unlocks it."""
        self._conn.close()
        self._conn.engine.dispose()
