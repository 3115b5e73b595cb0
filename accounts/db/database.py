"""The database as everybody uses it: pieces of work, each in one transaction, told of after its COMMIT.

Work is a plain function of a SQLAlchemy connection and arguments. It neither commits nor rolls back, keeps no
transaction open while it waits for anything else, and may be run again when PostgreSQL asks for that.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Protocol, Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from accounts.db.counting import Counter, Counts
from accounts.db.engines import database_url, reading_engine, writing_engine
from accounts.db.errors import DatabaseError
from accounts.db.group_commit import GroupCommitWriter
from accounts.db.thread_pool import TransactionPool

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[Connection, P], T]

WRITING_THREADS: Final = 8
READING_THREADS: Final = 4


class _Runner(Protocol):
    def submit(self, work: Callable[[Connection], T]) -> Future[T]: ...

    def close(self) -> None: ...


class Database:
    """An open database; every method may be called from any thread."""

    def __init__(self, backend: str, writer: _Runner, reader: _Runner, counter: Counter) -> None:
        self.backend = backend  # "sqlite" or "postgresql"
        self._writer = writer
        self._reader = reader
        self._counter = counter

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database that the URL names and check that it keeps what it commits.

        Raises DatabaseUnsuitable if it does not, and DatabaseError if it cannot be reached.
        """
        named = database_url(url)
        backend = named.get_backend_name()
        writing = writing_engine(named, 1 if backend == "sqlite" else WRITING_THREADS)
        _check(writing)
        reading = reading_engine(named, READING_THREADS)
        counter = Counter()
        counter.count_statements(writing)
        counter.count_commits(writing)
        counter.count_statements(reading)
        writer: _Runner
        if backend == "sqlite":
            writer = GroupCommitWriter(writing)
        else:
            writer = TransactionPool(writing, WRITING_THREADS, "database-writer")
        return cls(backend, writer, TransactionPool(reading, READING_THREADS, "database-reader"), counter)

    async def transact(self, fn: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(conn, *args)` in one transaction and return its result after the COMMIT.

        What `fn` raises is raised here, and nothing is kept. Raises DatabaseBusy when others keep the
        database locked for two seconds, OutcomeUnknown when COMMIT itself failed. If the awaiting task is
        cancelled, work that has begun is still finished.
        """
        return await asyncio.wrap_future(self._writer.submit(partial(_call, fn, args, kwargs)))

    def transact_now(self, fn: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same as `transact`, for code without an event loop."""
        return self._writer.submit(partial(_call, fn, args, kwargs)).result()

    async def read(self, fn: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(conn, *args)`, which cannot write and sees one moment, beside the writer."""
        return await asyncio.wrap_future(self._reader.submit(partial(_call, fn, args, kwargs)))

    def read_now(self, fn: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same as `read`, for code without an event loop."""
        return self._reader.submit(partial(_call, fn, args, kwargs)).result()

    def counts(self) -> Counts:
        """Statements run and commits made since the database was opened."""
        return self._counter.counts()

    def close(self) -> None:
        """Finish the work that was submitted and let go of the database; harmless when repeated."""
        self._writer.close()
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _call(fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], conn: Connection) -> T:
    return fn(conn, *args, **kwargs)


def _check(engine: Engine) -> None:
    """Connect once, so that a database that cannot be used is refused at the start."""
    try:
        engine.connect().close()
    except DBAPIError as error:
        raise DatabaseError(f"the database cannot be opened: {error.orig}") from error
