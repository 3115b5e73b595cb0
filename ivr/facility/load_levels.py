"""Brings the rules of every level in step with a facility file; those of what the file does not name stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, insert, select

from ivr.facility import scopes
from ivr.facility.differing import Words, rows_changed
from ivr.facility.entries import LIMIT_KINDS, LevelEntry, LimitEntry, RecordedEntry
from ivr.facility.file import FacilityFile
from ivr.facility.tables import call_limit, schedule_exception, schedule_window, unrecorded
from ivr.policy.level import Level
from ivr.policy.quantity import Counted, From
from ivr.policy.schedule import instant

LOADER = "facility file"
Rows = list[dict[str, Any]]


def load_levels(
    conn: Connection, file: FacilityFile, inmate_keys: Mapping[str, int], at: datetime, words: Words
) -> list[str]:
    """Make the rules of each level those of the file; `inmate_keys` are the rows of its inmates by their IDs."""
    levels, holidays = _levels(file, inmate_keys), _holidays(file, words.zone)
    return put_levels(conn, file.facility.id, levels, at, words=words, holidays=holidays)


def put_levels(
    conn: Connection,
    facility_id: str,
    levels: Mapping[str, LevelEntry],
    at: datetime,
    *,
    words: Words,
    holidays: Sequence[dict[str, Any]] = (),
) -> list[str]:
    """Make the rules of these scopes, by which the entries are named, those of the entries."""
    windows = [row for scope, level in levels.items() for row in _windows(scope, level)]
    dated = [row for scope, level in levels.items() for row in _dated(scope, level, words.zone)]
    dated += holidays
    limits = [_limit(scope, each) for scope, level in levels.items() for each in level.limit]
    silent = [
        {"scope": scope}
        for scope, level in levels.items()
        if isinstance(level, RecordedEntry) and not level.records
    ]
    old = _Standing(conn, facility_id, set(levels), words)
    return [
        *old.replace(schedule_window, windows),
        *old.replace(schedule_exception, dated, {"author": LOADER}, {"set_at": at}),
        *old.replace(call_limit, limits),
        *old.replace(unrecorded, silent),
    ]


def _levels(file: FacilityFile, inmate_keys: Mapping[str, int]) -> dict[str, LevelEntry]:
    """Every scope that the file names."""
    levels: dict[str, LevelEntry] = {scopes.FACILITY: file.facility}
    levels |= {scopes.unit(each.id): each for each in file.unit}
    levels |= {scopes.station(each.id): each for each in file.station}
    levels |= {scopes.number(each.number): each for each in file.number}
    for person in file.inmate:
        key = inmate_keys[person.id]
        levels[scopes.inmate(key)] = person
        levels |= {scopes.entry(key, each.number): each for each in person.numbers}
    return levels


def _windows(scope: str, level: LevelEntry) -> Rows:
    return [
        {
            "scope": scope,
            "day": day,
            "opens": window.opens.isoformat("minutes"),
            "closes": window.closes.isoformat("minutes"),
        }
        for window in level.schedule
        for day in window.days
    ]


def _dated(scope: str, level: LevelEntry, zone: tzinfo) -> Rows:
    kinds = (("closure", level.closure), ("opening", level.opening))
    return [
        {
            "scope": scope,
            "kind": kind,
            "starts_at": instant(entry.starts.replace(tzinfo=zone)),
            "ends_at": instant(entry.ends.replace(tzinfo=zone)),
            "note": entry.note,
        }
        for kind, entries in kinds
        for entry in entries
    ]


def _holidays(file: FacilityFile, zone: tzinfo) -> Rows:
    return [
        {
            "scope": scopes.FACILITY,
            "kind": "holiday",
            "starts_at": instant(datetime.combine(each.date, time(0), zone)),
            "ends_at": instant(datetime.combine(each.date + timedelta(days=1), time(0), zone)),
            "note": each.name,
        }
        for each in file.facility.holiday
    ]


def _limit(scope: str, entry: LimitEntry) -> dict[str, Any]:
    field = next(name for name in LIMIT_KINDS if name in entry.model_fields_set)
    by_level = {Level.NUMBER: Counted.NUMBER, Level.ENTRY: Counted.PAIR}.get(
        scopes.level(scope), Counted.PAIR if field == "attempts" else Counted.INMATE
    )
    return {
        "scope": scope,
        "kind": field.removesuffix("_minutes"),
        "most": getattr(entry, field),
        "call_type": entry.call_type,
        "days": entry.days,
        "each": entry.each,
        "within_minutes": entry.in_minutes,
        "measured_from": entry.measured_from or From.END if field == "cooling_off_minutes" else None,
        "counted": None if field == "longest_call_minutes" else entry.counts or by_level,
        "valid_from": entry.valid_from,
        "valid_to": entry.valid_to,
    }


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a facility has set for the scopes that its file names."""

    conn: Connection
    facility_id: str
    named: set[str]
    words: Words

    def replace(
        self,
        table: Table,
        wanted: Rows,
        mine: Mapping[str, Any] = MappingProxyType({}),
        new: Mapping[str, Any] = MappingProxyType({}),
    ) -> list[str]:
        """Exactly these rows; those that stand are not written again.

        `mine` holds what tells the loader's own rows from those of staff, `new` what only a new row is given.
        """
        own = {"facility_id": self.facility_id, **mine}
        ours = and_(*(table.c[name] == value for name, value in own.items()))
        columns = [column.name for column in table.c if column.name not in {"id", *own, *new}]
        standing = {
            tuple(row._mapping[name] for name in columns): row
            for row in self.conn.execute(select(table).where(ours))
            if self._is_named(row.scope)
        }
        asked = {tuple(row.get(name) for name in columns): row for row in wanted}
        gone = [row.id for content, row in standing.items() if content not in asked]
        added = [{**own, **new, **row} for content, row in asked.items() if content not in standing]
        for start in range(0, len(gone), 100):
            self.conn.execute(delete(table).where(table.c.id.in_(gone[start : start + 100])))
        if added:
            self.conn.execute(insert(table), added)
        if not (added or gone):
            return []
        before, after = (
            [dict(zip(columns, content, strict=True)) for content in rows] for rows in (standing, asked)
        )
        return rows_changed(table, before, after, self.words)

    def _is_named(self, scope: str) -> bool:
        """Numbers belong to the whole facility; a list's entry to its inmate."""
        if scope.startswith(f"{Level.NUMBER}/"):
            return scopes.FACILITY in self.named
        return scopes.owner(scope) in self.named
