"""Rows brought in step with a file; what stood there already changes nothing and is not told."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, not_, select, update


def put(conn: Connection, table: Table, keys: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """One row with these values; says nothing if it had them."""
    name = f"{table.name} {' '.join(map(str, keys.values()))}"
    row = conn.execute(select(table).where(matching(table, keys))).one_or_none()
    if row is None:
        conn.execute(insert(table).values(**keys, **values))
        return [f"{name}: added"]
    differing = sorted(column for column, value in values.items() if row._mapping[column] != value)
    if not differing:
        return []
    conn.execute(update(table).where(matching(table, keys)).values(**values))
    return [f"{name}: {', '.join(differing)} changed"]


def replace_rows(
    conn: Connection,
    table: Table,
    owner: Mapping[str, Any],
    rows: Iterable[Mapping[str, Any]],
    *,
    whose: str | None = None,
    but: "ColumnElement[bool] | None" = None,
) -> list[str]:
    """Exactly these rows for their owner; says nothing if they were there. `whose` is what people call the owner.

    Rows of which `but` holds are left alone.
    """
    wanted = [{**owner, **row} for row in rows]
    columns = [column for column in table.c if column.name in (wanted[0] if wanted else owner)]
    ours = matching(table, owner) if but is None else and_(matching(table, owner), not_(but))
    found = [dict(row._mapping) for row in conn.execute(select(*columns).where(ours))]
    if _same_rows(found, wanted):
        return []
    conn.execute(delete(table).where(ours))
    if wanted:
        conn.execute(insert(table), wanted)
    return [f"{table.name} {whose or ' '.join(map(str, owner.values()))}: {len(wanted)} rows"]


def _same_rows(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    def content(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
        return sorted(tuple(f"{name}={row[name]}" for name in sorted(row)) for row in rows)

    return content(found) == content(wanted)


def matching(table: Table, keys: Mapping[str, Any]) -> Any:
    """The condition that these columns have these values."""
    return and_(*(table.c[name] == value for name, value in keys.items()))
