"""One thread that writes to SQLite: many pieces of work, each in its own savepoint, kept by one COMMIT.

Several writing connections would poll for SQLite's one write lock, unfairly; one thread takes turns in order,
and while it waits for the disk the next batch gathers, so that a slow disk makes batches larger instead of
callers slower.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine

from accounts.db.engines import BUSY, driver_connection, is_busy
from accounts.db.errors import DatabaseBusy, DatabaseClosed, DatabaseError, OutcomeUnknown

T = TypeVar("T")

LARGEST_BATCH: Final = 64


@dataclass(slots=True)
class _Job:
    work: Callable[[Connection], Any]
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: BaseException | None = None

    def tell(self) -> None:
        """Tell the caller how it went; only after the COMMIT."""
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class GroupCommitWriter:
    """Runs work in turn; a piece of work that fails is undone alone."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="database-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Have the work done; its future is set after the COMMIT that keeps it."""
        job = _Job(work)
        with self._lock:
            if self._closed:
                raise DatabaseClosed
            self._queue.put(job)
        return job.future

    def close(self) -> None:
        """Finish what was submitted, then stop."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()
        self._engine.dispose()

    def _run(self) -> None:
        going_on = True
        while going_on:
            batch, going_on = self._next_batch()
            jobs = [job for job in batch if job.future.set_running_or_notify_cancel()]
            if jobs:
                self._run_batch(jobs)
                for job in jobs:
                    job.tell()

    def _next_batch(self) -> tuple[list[_Job], bool]:
        """Everything that waits, up to a limit; waits for the first. False with the last batch."""
        batch: list[_Job] = []
        try:
            job = self._queue.get()
            while job is not None and len(batch) < LARGEST_BATCH - 1:
                batch.append(job)
                job = self._queue.get_nowait()
        except Empty:
            return batch, True
        if job is None:
            return batch, False
        return [*batch, job], True

    def _run_batch(self, jobs: list[_Job]) -> None:
        try:
            self._transact(jobs)
        except BaseException as error:  # whatever it was, the callers must be told and the thread live
            failure = _explained(error)
            for job in jobs:
                job.error = failure

    def _transact(self, jobs: list[_Job]) -> None:
        with self._engine.connect() as conn:
            try:
                transaction = conn.begin()
                for job in jobs:
                    _run_job(conn, job)
            except BaseException:
                conn.invalidate()  # closing it rolls back, whatever state it is in
                raise
            try:
                transaction.commit()
            except BaseException as error:
                conn.invalidate()
                raise OutcomeUnknown(f"COMMIT failed: {error}") from error


def _run_job(conn: Connection, job: _Job) -> None:
    # Savepoints go straight to the driver, past the work that SQLAlchemy does for each statement.
    driver = driver_connection(conn)
    driver.execute("SAVEPOINT job")
    try:
        job.result = job.work(conn)
    except BaseException as error:  # a job's error is its caller's, of whatever kind
        if not driver.in_transaction:
            raise DatabaseError(f"the whole transaction was rolled back: {error}") from error
        job.error = error
        driver.execute("ROLLBACK TO job")
    driver.execute("RELEASE job")


def _explained(error: BaseException) -> DatabaseError:
    if is_busy(error):
        explained: DatabaseError = DatabaseBusy(BUSY)
    elif isinstance(error, DatabaseError):
        return error
    else:
        explained = DatabaseError(f"the transaction failed: {error}")
    explained.__cause__ = error
    return explained
