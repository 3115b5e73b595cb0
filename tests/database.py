"""Fixtures: a fresh, migrated database for each test, on SQLite and on a PostgreSQL cluster of the tests' own.

`IVR_DATABASE_URL` chooses: with a PostgreSQL URL the tests make their databases on that server (its role must be
allowed to create databases), with an SQLite URL they make files in that file's folder.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import (
    MetaData,
    NullPool,
    create_engine,
    exists,
    literal,
    make_url,
    select,
    text,
    union_all,
)

from accounts import schema
from accounts.db import Database

NEEDED = "PostgreSQL is not installed: `apt-get install postgresql` (tests run on it beside SQLite)"
START_SECONDS = 30
END_OTHER_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
EMPTY = "ALTER TABLE {0} DISABLE TRIGGER USER; DELETE FROM {0}; ALTER TABLE {0} ENABLE TRIGGER USER"
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root

CHOSEN = os.environ.get("IVR_DATABASE_URL")
BACKENDS = [make_url(CHOSEN).get_backend_name()] if CHOSEN else ["sqlite", "postgresql"]

# For what only one of them can do: they are the parameter sets of the fixture `backend`.
only_sqlite = pytest.mark.parametrize(
    "backend", [name for name in BACKENDS if name == "sqlite"], indirect=True
)
only_postgresql = pytest.mark.parametrize(
    "backend", [name for name in BACKENDS if name == "postgresql"], indirect=True
)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server's maintenance database."""
    if CHOSEN and make_url(CHOSEN).get_backend_name() == "postgresql":
        yield CHOSEN
        return
    with running_postgresql() as url:
        yield url


class MigratedPostgresql:
    """One migrated database that is taken back to its first contents for each test: making it anew takes longer."""

    def __init__(self, url: str) -> None:
        schema.upgrade(url)
        self.url = url
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
        self._transaction = engine.begin
        reflected = MetaData()
        with engine.connect() as conn:
            reflected.reflect(conn)
            self._tables = reflected.sorted_tables
            first = {table: conn.execute(select(table)).mappings().all() for table in self._tables}
        self._used = union_all(
            *(select(literal(each.name)).where(exists(select(each))) for each in self._tables)
        )
        self._first_rows = {table: [dict(row) for row in rows] for table, rows in first.items() if rows}

    def reset(self) -> None:
        """End whoever is still connected, and leave only the rows that were there after the migration."""
        with self._transaction() as conn:
            conn.execute(text(END_OTHER_SESSIONS))
            conn.execute(text("SET LOCAL synchronous_commit = off"))
            used = set(conn.scalars(self._used))
            filled = [each.name for each in reversed(self._tables) if each.name in used]
            if filled:
                conn.exec_driver_sql(";".join(EMPTY.format(name) for name in filled))
            for table, rows in self._first_rows.items():
                conn.execute(table.insert(), rows)


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> Iterator[MigratedPostgresql]:
    """The migrated database whose first contents each test gets."""
    name = create_database(postgresql_server)
    yield MigratedPostgresql(at_database(postgresql_server, name))
    drop_database(postgresql_server, name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied by each test."""
    path = tmp_path_factory.mktemp("sqlite-template") / "template.sqlite"
    schema.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Which database a test is for; everything that touches one is tested on each."""
    return str(request.param)


@pytest.fixture
def empty_database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    if backend == "sqlite":
        with sqlite_folder(tmp_path) as folder:
            yield f"sqlite:///{folder / 'empty.sqlite'}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = create_database(server)
    yield at_database(server, name)
    drop_database(server, name)


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database with the newest schema."""
    if backend == "sqlite":
        with sqlite_folder(tmp_path) as folder:
            shutil.copy(request.getfixturevalue("sqlite_template"), folder / "ivr.sqlite")
            yield f"sqlite:///{folder / 'ivr.sqlite'}"
        return
    migrated: MigratedPostgresql = request.getfixturevalue("postgresql_template")
    yield migrated.url
    migrated.reset()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, open database with the newest schema."""
    with Database.open(database_url) as database:
        yield database


@contextmanager
def sqlite_folder(tmp_path: Path) -> Iterator[Path]:
    """Where SQLite files go: beside the chosen one, or in the test's own folder."""
    if not CHOSEN:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=Path(make_url(CHOSEN).database or "").parent) as folder:
        yield Path(folder)


@contextmanager
def running_postgresql() -> Iterator[str]:
    """A cluster of our own, reached by a Unix socket in its own folder; gone with all it kept at the end."""
    programs = postgresql_programs()
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="ivr-postgresql-"))
    try:
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        data = folder / "data"
        subprocess.run(
            [
                programs / "initdb",
                "--username=ivr",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "-D",
                data,
            ],
            user=user,
            check=True,
            cwd=folder,
            capture_output=True,
        )
        log = (folder / "log").open("wb")
        settings = [
            f"unix_socket_directories={folder}",
            "listen_addresses=",
            "fsync=on",
            "max_connections=100",
        ]
        options = [word for setting in settings for word in ("-c", setting)]
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *options], user=user, cwd=folder, stdout=log, stderr=log
        )
        log.close()
        try:
            url = f"postgresql://ivr@/postgres?host={folder}"
            wait_until_ready(url, server, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # "fast": ends the sessions that are left
            server.wait()
    finally:
        shutil.rmtree(folder)


def postgresql_programs() -> Path:
    """The folder with the newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        pytest.fail(NEEDED)
    return Path(on_path).parent


def wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server answers; fail with its log if it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.02)  # there is nothing to wait on but the socket's appearance
        else:
            return
    pytest.fail(f"PostgreSQL did not start:\n{log.read_text()}")


def create_database(server: str) -> str:
    """Make a database with nothing in it; its name."""
    name = f"ivr_test_{secrets.token_hex(6)}"
    with connected(server) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    return name


def drop_database(server: str, name: str) -> None:
    """Remove a database, whoever is still connected."""
    with connected(server) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URL of a database with nothing in it, there while the block runs."""
    name = create_database(server)
    yield at_database(server, name)
    drop_database(server, name)


def at_database(server: str, name: str) -> str:
    """The URL of another database on the same server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    """A connection to PostgreSQL beside the one under test, without transactions."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        yield connection
