"""INSERT that tells whether the row was new, in the words of both databases."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Table

from accounts.db.prepared import Prepared


def insert_if_new(conn: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert the row unless one with the same key exists; True if it was inserted. One statement.

    It waits for another transaction that is inserting the same key. Broken CHECKs and foreign keys raise.
    """
    return _statement(conn.dialect.name, table).change(conn, row) == 1


def insert_those_new(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, in their order, but those whose key exists; many in the time of a few."""
    if rows:
        conn.execute(_inserting(conn.dialect.name, table), list(rows))


@cache
def _statement(dialect: str, table: Table) -> Prepared:
    return Prepared(_inserting(dialect, table).execution_options(preserve_rowcount=True))


@cache
def _inserting(dialect: str, table: Table) -> Any:
    words = import_module(f"sqlalchemy.dialects.{dialect}")  # slow to load, and only one is needed
    return words.insert(table).on_conflict_do_nothing()
