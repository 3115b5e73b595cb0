"""What revisions share: the words that a CHECK knows, changed on SQLite and PostgreSQL alike."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations


def known(column: str, words: Iterable[str]) -> str:
    """A condition that the column holds one of the words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"{column} IN ({listed})"


def rebuilt(table: str) -> AbstractContextManager[BatchOperations]:
    """A table to be changed, which SQLite builds anew; what it points at is not looked at: that took half the time."""
    return op.batch_alter_table(table, reflect_kwargs={"resolve_fks": False})


def replace_checks(table: str, words: Mapping[str, Iterable[str]]) -> None:
    """From now on these columns of the table know these words.

    SQLite builds the table anew; the triggers that stood on it are made again.
    """
    with open_records(table), rebuilt(table) as batch:
        for column, listed in words.items():
            name = op.f(f"ck_{table}_{column}_known")
            batch.drop_constraint(name, type_="check")
            batch.create_check_constraint(name, known(column, listed))


def add_checked_column(table: str, column: "sa.Column[object]", words: Iterable[str]) -> None:
    """A column that may be empty, or holds one of the words."""
    with open_records(table), rebuilt(table) as batch:
        batch.add_column(column)
        batch.create_check_constraint(op.f(f"ck_{table}_{column.name}_known"), known(column.name, words))


def drop_checked_column(table: str, column: str) -> None:
    """A column of `add_checked_column`, taken away."""
    with open_records(table), rebuilt(table) as batch:
        batch.drop_constraint(op.f(f"ck_{table}_{column}_known"), type_="check")
        batch.drop_column(column)


@contextmanager
def open_records(*tables: str) -> Iterator[None]:
    """While the block runs no trigger of these tables refuses a change; afterwards the same ones stand again."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    standing = [trigger for table in tables for trigger in _triggers(table)]
    for name, _ in standing:
        op.execute(f"DROP TRIGGER {name}")
    for table in () if on_sqlite else tables:
        op.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for _, made_by in standing:
        op.execute(made_by)
    for table in () if on_sqlite else tables:
        op.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _triggers(table: str) -> list[tuple[str, str]]:
    """The names of a table's triggers on SQLite, and what makes them."""
    if op.get_bind().dialect.name != "sqlite":
        return []
    master = sa.table("sqlite_master", *map(sa.column, ("type", "name", "tbl_name", "sql")))
    found = sa.select(master.c.name, master.c.sql).where(
        master.c.type == "trigger", master.c.tbl_name == table
    )
    return [(row.name, row.sql) for row in op.get_bind().execute(found)]


def add_filled_column(
    table: str, column: "sa.Column[object]", filled_with: "str | sa.False_ | sa.True_"
) -> None:
    """A column that may not be empty; the rows that are there are given a value, later ones bring theirs."""
    with rebuilt(table) as batch:
        batch.add_column(sa.Column(column.name, column.type, nullable=False, server_default=filled_with))
    with rebuilt(table) as batch:
        batch.alter_column(column.name, server_default=None)
