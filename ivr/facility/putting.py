"""Rows brought in step with a file; what stood there already changes nothing and is not told."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, not_, select, update

from ivr.facility.differing import Words, differences, facts, rows_changed


def put(
    conn: Connection,
    table: Table,
    keys: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    name: str,
    words: Words,
) -> list[str]:
    """One row with these values, a line for each that it had not; `name` is what people call it."""
    row = conn.execute(select(table).where(matching(table, keys))).one_or_none()
    if row is None:
        conn.execute(insert(table).values(**keys, **values))
        return [f"{name}: added"]
    if all(row._mapping[column] == value for column, value in values.items()):
        return []
    conn.execute(update(table).where(matching(table, keys)).values(**values))
    had = {column: row._mapping[column] for column in values}
    return differences(name, facts(table, had, words), facts(table, values, words))


def replace_rows(
    conn: Connection,
    table: Table,
    owner: Mapping[str, Any],
    rows: Iterable[Mapping[str, Any]],
    *,
    words: Words,
    but: "ColumnElement[bool] | None" = None,
) -> list[str]:
    """Exactly these rows for their owner, a line for each that was not there, or was otherwise.

    Rows of which `but` holds are left alone.
    """
    wanted = [{**owner, **row} for row in rows]
    columns = [column for column in table.c if not wanted or column.name in wanted[0]]
    ours = matching(table, owner) if but is None else and_(matching(table, owner), not_(but))
    found = [dict(row._mapping) for row in conn.execute(select(*columns).where(ours))]
    if _same_rows(found, wanted):
        return []
    conn.execute(delete(table).where(ours))
    if wanted:
        conn.execute(insert(table), wanted)
    return rows_changed(table, found, wanted, words)


def _same_rows(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    def content(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
        return sorted(tuple(f"{name}={row[name]}" for name in sorted(row)) for row in rows)

    return content(found) == content(wanted)


def matching(table: Table, keys: Mapping[str, Any]) -> Any:
    """The condition that these columns have these values."""
    return and_(*(table.c[name] == value for name, value in keys.items()))
