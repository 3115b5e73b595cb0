"""One process writes: the running controller, or a command while no controller runs."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from sqlalchemy import Connection, text

from accounts.db.engines import connect, database_url, migrating_engine, sqlite_path
from accounts.db.errors import DatabaseUnsuitable

ADVISORY_KEY: Final = 0x6976_7277  # "ivrw"; any constant that no other program on the server uses


class WriterLocked(Exception):  # noqa: N818 - a state that a command meets and tells, not a fault
    """Another process is the writer."""


class _Held(Protocol):
    def release(self) -> None: ...


class WriterLock:
    """Held by the one process that may write, until `release`, the end of a `with`, or the process's end."""

    def __init__(self, held: _Held) -> None:
        self._held = held

    @classmethod
    def take(cls, url: str) -> Self:
        """Become the writer of the database that the URL names; raises WriterLocked if another process is."""
        named = database_url(url)
        if named.get_backend_name() == "sqlite":
            return cls(_FileLock(sqlite_path(named)))
        return cls(_AdvisoryLock(connect(migrating_engine(named))))

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


class _AdvisoryLock:
    """A lock of a PostgreSQL session, on a connection of its own."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        taken = conn.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_KEY})
        conn.commit()
        if not taken:
            self.release()
            raise WriterLocked("another process is the writer of this PostgreSQL database")

    def release(self) -> None:
        """End the session, which is what unlocks it."""
        self._conn.close()
        self._conn.engine.dispose()
