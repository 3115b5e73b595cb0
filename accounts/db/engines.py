"""Engines set up so that what was committed is on the disk, or refused.

A database is named by its URL: `sqlite:////path/to/file` or `postgresql://user@host/name`.
"""

import os
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from accounts.db.errors import DatabaseBusy, DatabaseError, DatabaseUnsuitable

BUSY_SECONDS: Final = 2
BUSY: Final = f"another process kept the database locked for {BUSY_SECONDS} s"
OLDEST_SQLITE: Final = (3, 51, 3)  # earlier ones can lose commits when a WAL is reset (sqlite.org/wal.html)
SAFE_SYNCHRONOUS_COMMIT: Final = frozenset({"on", "remote_apply"})


def database_url(url: str) -> URL:
    """The URL with the driver that we use; raises DatabaseUnsuitable for a database that we don't."""
    try:
        parsed = make_url(url)
    except ArgumentError:  # its message would show a password
        raise DatabaseUnsuitable(
            "not a database's URL: sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return parsed.set(drivername="sqlite")
        case "postgresql":
            return parsed.set(drivername="postgresql+psycopg")
    raise DatabaseUnsuitable(f"not a PostgreSQL database or an SQLite file: {parsed.render_as_string()}")


def sqlite_path(url: URL) -> Path:
    """The file of an SQLite database."""
    return Path(url.database or "").absolute()


def writing_engine(url: URL, connections: int) -> Engine:
    """An engine whose transactions may write; on SQLite each takes the write lock when it begins."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, connections, begin="BEGIN IMMEDIATE", setup=("PRAGMA foreign_keys = ON",))
    return _postgresql_engine(url, connections, isolation_level="READ COMMITTED")


def reading_engine(url: URL, connections: int) -> Engine:
    """An engine whose transactions see one moment of the database and cannot write."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, connections, begin="BEGIN", setup=("PRAGMA query_only = ON",))
    engine = _postgresql_engine(url, connections, isolation_level="REPEATABLE READ")
    return engine.execution_options(postgresql_readonly=True)


def migrating_engine(url: URL) -> Engine:
    """An engine for changes of the schema; SQLite rebuilds tables, so it checks foreign keys afterwards."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, 1, begin="BEGIN IMMEDIATE", setup=("PRAGMA foreign_keys = OFF",))
    return _postgresql_engine(url, 1, isolation_level="READ COMMITTED")


def connect(engine: Engine) -> Connection:
    """A connection; raises DatabaseError, at once, if none can be made."""
    try:
        return engine.connect()
    except DBAPIError as error:
        raise DatabaseError(f"the database cannot be reached: {error.orig}") from error


def check_sqlite_version(version: tuple[int, int, int] = sqlite.sqlite_version_info) -> None:
    """Raises DatabaseUnsuitable for an SQLite library that is too old to trust."""
    if version < OLDEST_SQLITE:
        raise DatabaseUnsuitable(
            f"SQLite {'.'.join(map(str, version))} can lose what it committed; "
            f"{'.'.join(map(str, OLDEST_SQLITE))} or later is needed (the package pysqlite3 brings one)"
        )


def is_busy(error: BaseException) -> bool:
    """Whether SQLite says that somebody else keeps the database locked."""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite.SQLITE_BUSY, sqlite.SQLITE_LOCKED)


def _sqlite_engine(url: URL, connections: int, *, begin: str, setup: tuple[str, ...]) -> Engine:
    check_sqlite_version()
    _make_private(sqlite_path(url))
    engine = create_engine(
        url,
        module=sqlite,
        hide_parameters=True,  # an error's text tells no number and no hash
        pool_size=connections,
        max_overflow=0,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA recursive_triggers = ON",  # else INSERT OR REPLACE deletes without asking the triggers
            *setup,
        ):
            connection.execute(statement)

    @event.listens_for(engine, "begin")
    def begin_transaction(conn: Connection) -> None:
        try:
            driver_connection(conn).execute(begin)
        except sqlite.OperationalError as error:
            if not is_busy(error):
                raise
            raise DatabaseBusy(BUSY) from error

    return engine


def _make_private(path: Path) -> None:
    """Create the file for its owner only; SQLite gives its journals the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseUnsuitable(f"cannot open the database file {path}: {error.strerror}") from error


def _postgresql_engine(url: URL, connections: int, *, isolation_level: Any) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
        isolation_level=isolation_level,
        connect_args={"connect_timeout": BUSY_SECONDS, "application_name": "ivr"},
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        with closing(connection.cursor()) as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', %s, false),"
                " current_setting('synchronous_commit'), current_setting('fsync')",
                (f"{BUSY_SECONDS}s",),
            )
            _, synchronous_commit, fsync = cursor.fetchone()
        connection.commit()
        if synchronous_commit not in SAFE_SYNCHRONOUS_COMMIT or fsync != "on":
            raise DatabaseUnsuitable(
                f"PostgreSQL has synchronous_commit={synchronous_commit} and fsync={fsync}: it would lose "
                "what it committed when the power fails; both must be on"
            )

    return engine


def driver_connection(conn: Connection) -> Any:
    """The driver's own connection beneath SQLAlchemy's."""
    return conn.connection.dbapi_connection
