"""The database's schema: which revision it has, and bringing it to another one."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

import migrations
from accounts.db.engines import connect, database_url, migrating_engine
from accounts.db.errors import DatabaseError, DatabaseUnsuitable

CONFIGURATION: Final = Path(migrations.__file__).with_name("alembic.ini")


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to the revision, keeping what is in it; nothing happens if it is there already."""
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Take the database back to the revision; "base" is the empty one. What only later ones keep is lost."""
    _run(url, lambda config: command.downgrade(config, revision))


def current(url: str) -> str | None:
    """The revision that the database has; None for one that was never migrated."""
    engine = migrating_engine(database_url(url))
    try:
        with connect(engine) as conn:
            return MigrationContext.configure(conn).get_current_revision()
    finally:
        engine.dispose()


def require_head(url: str) -> None:
    """Raises DatabaseUnsuitable unless the database has the schema that this version of the program needs."""
    if current(url) != head():
        raise DatabaseUnsuitable("the database's schema is not this version's: run `ivr db upgrade` first")


def head() -> str | None:
    """The revision that this version of the program needs."""
    return ScriptDirectory.from_config(Config(CONFIGURATION)).get_current_head()


def _run(url: str, alembic_command: Callable[[Config], None]) -> None:
    engine = migrating_engine(database_url(url))
    config = Config(CONFIGURATION)
    try:
        with connect(engine) as conn, conn.begin():
            config.attributes["connection"] = conn
            try:
                alembic_command(config)
            except CommandError as mistake:  # a revision that there is not, for one
                raise DatabaseError(str(mistake)) from None
            _check_foreign_keys(conn)
    finally:
        engine.dispose()


def _check_foreign_keys(conn: Connection) -> None:
    """SQLite does not look at foreign keys while tables are rebuilt; raises RuntimeError if one is broken."""
    if conn.dialect.name == "sqlite" and (broken := conn.exec_driver_sql("PRAGMA foreign_key_check").first()):
        raise RuntimeError(f"the migration broke a foreign key: {tuple(broken)}")
