"""Threads that each run one transaction at a time, and run it again where the database asks for that."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from accounts.db.engines import BUSY_SECONDS, connect
from accounts.db.errors import DatabaseBusy, DatabaseClosed, DatabaseError, LostRace, OutcomeUnknown

T = TypeVar("T")

ATTEMPTS: Final = 8
LONGEST_FIRST_PAUSE_SECONDS: Final = 0.005
SERIALIZATION_FAILURE, DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE = "40001", "40P01", "55P03"


class TransactionPool:
    """A fixed number of threads with a connection each."""

    def __init__(self, engine: Engine, threads: int, name: str) -> None:
        self._engine = engine
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Have the work done in a transaction; its future is set after the COMMIT."""
        with self._lock:
            if self._closed:
                raise DatabaseClosed
            return self._executor.submit(self._run, work)

    def close(self) -> None:
        """Finish what was submitted, then stop."""
        with self._lock:
            self._closed = True
        self._executor.shutdown()
        self._engine.dispose()

    def _run(self, work: Callable[[Connection], T]) -> T:
        pause_seconds = LONGEST_FIRST_PAUSE_SECONDS
        for _ in range(ATTEMPTS - 1):
            try:
                return self._transact(work)
            except (DBAPIError, LostRace) as error:
                if not _worth_repeating(error):
                    raise _explained(error) from error
            time.sleep(random.uniform(0, pause_seconds))
            pause_seconds *= 2
        try:
            return self._transact(work)
        except (DBAPIError, LostRace) as error:
            raise _explained(error) from error

    def _transact(self, work: Callable[[Connection], T]) -> T:
        with connect(self._engine) as conn:  # not tried again: the caller on the telephone waits
            transaction = conn.begin()
            try:
                result = work(conn)
            except BaseException:
                transaction.rollback()
                raise
            try:
                transaction.commit()
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise OutcomeUnknown("the connection broke during COMMIT") from error
                raise
            return result


def _worth_repeating(error: DBAPIError | LostRace) -> bool:
    """Nothing was kept, and the next attempt may well succeed."""
    if isinstance(error, LostRace):
        return True
    return error.connection_invalidated or _sqlstate(error) in (SERIALIZATION_FAILURE, DEADLOCK_DETECTED)


def _explained(error: DBAPIError | LostRace) -> Exception:
    if isinstance(error, LostRace) or _sqlstate(error) in (SERIALIZATION_FAILURE, DEADLOCK_DETECTED):
        return DatabaseBusy(f"{ATTEMPTS} attempts met other transactions: {error}")
    if _sqlstate(error) == LOCK_NOT_AVAILABLE:
        return DatabaseBusy(f"another transaction kept a lock for {BUSY_SECONDS} s")
    if error.connection_invalidated:
        return DatabaseError(f"the connection to the database broke: {error.orig}")
    return error


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
