"""How much work the database was given, for metrics and benchmarks."""

from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Engine, event


@dataclass(frozen=True, slots=True)
class Counts:
    """Statements of the work itself (not BEGIN, SAVEPOINT, COMMIT), and transactions written to the disk."""

    statements: int
    commits: int


class Counter:
    """Counts what engines do, from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._statements = 0
        self._commits = 0

    def counts(self) -> Counts:
        """What was counted until now."""
        with self._lock:
            return Counts(self._statements, self._commits)

    def count_statements(self, engine: Engine) -> None:
        """Count each statement that the engine runs."""
        event.listen(engine, "before_cursor_execute", self._statement)

    def count_commits(self, engine: Engine) -> None:
        """Count each transaction that the engine commits."""
        event.listen(engine, "commit", self._commit)

    def _statement(self, *_what: object) -> None:
        with self._lock:
            self._statements += 1

    def _commit(self, *_what: object) -> None:
        with self._lock:
            self._commits += 1
