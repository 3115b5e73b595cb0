"""Revisions go up and down on both databases, and end at exactly the tables that the code describes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from accounts import schema
from accounts.db import engines, metadata


@contextmanager
def connection(url: str) -> Iterator[Connection]:
    engine = engines.migrating_engine(engines.database_url(url))
    try:
        with engine.begin() as conn:
            yield conn
    finally:
        engine.dispose()


def tables(url: str) -> set[str]:
    with connection(url) as conn:
        return set(inspect(conn).get_table_names()) - {"alembic_version"}


def test_an_empty_database_goes_up_down_and_up(empty_database_url: str) -> None:
    assert schema.current(empty_database_url) is None
    schema.upgrade(empty_database_url)
    assert schema.current(empty_database_url) == schema.head()
    assert tables(empty_database_url) == set(metadata.tables)
    schema.downgrade(empty_database_url, "base")
    assert schema.current(empty_database_url) is None
    assert tables(empty_database_url) == set()
    schema.upgrade(empty_database_url)
    assert tables(empty_database_url) == set(metadata.tables)


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    schema.upgrade(database_url)
    assert schema.current(database_url) == schema.head()


def test_the_migrated_tables_are_those_of_the_code(database_url: str) -> None:
    with connection(database_url) as conn:
        context = MigrationContext.configure(conn, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def described_index(index: Any) -> tuple[object, ...]:
    conditions = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return index["name"], index["column_names"], bool(index["unique"]), conditions


def constraints(conn: Connection) -> dict[str, Any]:
    inspector = inspect(conn)
    return {
        table: (
            sorted((check["name"], check["sqltext"]) for check in inspector.get_check_constraints(table)),
            inspector.get_pk_constraint(table)["name"],
            sorted(str(key["name"]) for key in inspector.get_foreign_keys(table)),
            sorted(map(described_index, inspector.get_indexes(table)), key=str),
        )
        for table in metadata.tables
    }


def test_the_migrated_constraints_are_those_of_the_code(database_url: str, empty_database_url: str) -> None:
    with connection(empty_database_url) as conn:
        metadata.create_all(conn)
        described = constraints(conn)
    with connection(database_url) as conn:
        assert constraints(conn) == described
