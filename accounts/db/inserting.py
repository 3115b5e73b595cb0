"""INSERT that tells whether the row was new, in the words of both databases."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from accounts.db.prepared import Prepared


def insert_if_new(conn: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert the row unless one with the same key exists; True if it was inserted. One statement.

    It waits for another transaction that is inserting the same key. Broken CHECKs and foreign keys raise.
    """
    return _statement(conn.dialect.name, table).change(conn, row) == 1


@cache
def _statement(dialect: str, table: Table) -> Prepared:
    inserting = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    return Prepared(inserting.on_conflict_do_nothing().execution_options(preserve_rowcount=True))
