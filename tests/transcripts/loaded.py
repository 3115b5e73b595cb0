"""Facilities as loading has left them, put back as rows where the same file is loaded once more: most tests do that.

Loading took most of the time of most tests. Each kind of database has rows of its own, since it gives them their keys.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, exists, func, insert, select, update

from accounts.db import metadata
from ivr.facility.file import FacilityFile
from ivr.facility.pins import PinKey
from ivr.facility.tables import facility
from ivr.loading import load

Row = Mapping[Any, Any]
#: Of each table the rows that loading makes, and those that it changes.
Loaded = Sequence[tuple[Table, Sequence[Row], Sequence[Row]]]

_kept: dict[tuple[str, PinKey, datetime, str], Loaded] = {}


def load_once(conn: Connection, file: FacilityFile, key: PinKey, at: datetime) -> None:
    """Load the file; where nothing was loaded before, by the rows that it made there the last time."""
    name = (conn.dialect.name, key, at, file.model_dump_json())
    if conn.scalar(select(exists(select(facility)))):
        load(conn, file, key, at)
        return
    if name in _kept:
        _put_back(conn, _kept[name])
        return
    before = _rows(conn)
    load(conn, file, key, at)
    _kept[name] = list(_changes(before, _rows(conn)))


def _rows(conn: Connection) -> Mapping[Table, Sequence[Row]]:
    return {table: list(conn.execute(select(table)).mappings()) for table in metadata.sorted_tables}


def _changes(before: Mapping[Table, Sequence[Row]], after: Mapping[Table, Sequence[Row]]) -> Loaded:
    found = []
    for table, rows in after.items():
        stood = {_key(table, row): row for row in before[table]}
        made = [dict(row) for row in rows if _key(table, row) not in stood]
        changed = [dict(row) for row in rows if stood.get(_key(table, row), row) != row]
        if made or changed:
            found.append((table, made, changed))
    return found


def _put_back(conn: Connection, loaded: Loaded) -> None:
    for table, made, changed in loaded:
        if made:
            conn.execute(insert(table), made)
        for row in changed:
            same = [column == row[column.name] for column in table.primary_key]
            conn.execute(update(table).where(*same).values(row))
    if conn.dialect.name == "postgresql":
        _go_on_counting(conn, loaded)


def _go_on_counting(conn: Connection, loaded: Loaded) -> None:
    """The server counts on from the keys that it did not give."""
    for table, made, _ in loaded:
        column = table.autoincrement_column
        if made and column is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            conn.execute(select(func.setval(sequence, max(row[column.name] for row in made))))


def _key(table: Table, row: Row) -> tuple[object, ...]:
    return tuple(row[column.name] for column in table.primary_key)
