"""The database's schema: which revision it has, and bringing it to another one.

Alembic is loaded only to bring it there: most commands just ask whether it is the one that they need.
"""

import re
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, column, inspect, select, table

import migrations
from accounts.db.engines import connect, database_url, migrating_engine
from accounts.db.errors import DatabaseError, DatabaseUnsuitable

FOLDER: Final = Path(migrations.__file__).parent
#: Where Alembic keeps the revision that a database has.
KEPT_IN: Final = "alembic_version"
_REVISION: Final = re.compile(r'^(down_)?revision = "(\w+)"$', re.MULTILINE)


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to the revision, keeping what is in it; nothing happens if it is there already."""
    _bring(url, "upgrade", revision)


def downgrade(url: str, revision: str) -> None:
    """Take the database back to the revision; "base" is the empty one. What only later ones keep is lost."""
    _bring(url, "downgrade", revision)


def current(url: str) -> str | None:
    """The revision that the database has; None for one that was never migrated."""
    engine = migrating_engine(database_url(url))
    try:
        with connect(engine) as conn:
            if not inspect(conn).has_table(KEPT_IN):
                return None
            found: str | None = conn.scalar(select(column("version_num")).select_from(table(KEPT_IN)))
            return found
    finally:
        engine.dispose()


def require_head(url: str) -> None:
    """Raises DatabaseUnsuitable unless the database has the schema that this version of the program needs."""
    if current(url) != head():
        raise DatabaseUnsuitable("the database's schema is not this version's: run `ivr db upgrade` first")


def head() -> str:
    """The revision that this version of the program needs: the one that no other follows."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for path in (FOLDER / "versions").glob("*.py"):
        for down, name in _REVISION.findall(path.read_text("utf-8")):
            (followed if down else revisions).add(name)
    [last] = revisions - followed
    return last


def _bring(url: str, way: str, revision: str) -> None:
    from alembic import command  # noqa: PLC0415 - slow to load
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    engine = migrating_engine(database_url(url))
    config = Config(FOLDER / "alembic.ini")
    try:
        with connect(engine) as conn, conn.begin():
            config.attributes["connection"] = conn
            try:
                {"upgrade": command.upgrade, "downgrade": command.downgrade}[way](config, revision)
            except CommandError as mistake:  # a revision that there is not, for one
                raise DatabaseError(str(mistake)) from None
            _check_foreign_keys(conn)
    finally:
        engine.dispose()


def _check_foreign_keys(conn: Connection) -> None:
    """SQLite does not look at foreign keys while tables are rebuilt; raises RuntimeError if one is broken."""
    if conn.dialect.name == "sqlite" and (broken := conn.exec_driver_sql("PRAGMA foreign_key_check").first()):
        raise RuntimeError(f"the migration broke a foreign key: {tuple(broken)}")
