"""Rows of CSV files into the database: many in a few statements, all or nothing."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from ivr.facility import scopes
from ivr.facility.csv_rows import ImportMistakes, Kind, ListedRow, Mistakes, Rows
from ivr.facility.file import BlockedEntry, InmateEntry
from ivr.facility.load_pins import PinLoader
from ivr.facility.pins import PinKey
from ivr.facility.refusing import pin_length, pin_taken
from ivr.facility.tables import (
    allowed_number,
    blocked_number,
    facility,
    housing_unit,
    inmate,
)
from ivr.facility.taken_away import Cover, taken_away

#: An empty cell neither makes a released inmate active nor a number recorded.
NEVER_EMPTIED = frozenset({"state", "records"})


@dataclass(frozen=True, slots=True)
class Import:
    """What is imported, where, and by whom."""

    facility_id: str
    kind: Kind
    rows: Rows
    author: str


def import_rows(conn: Connection, wanted: Import, key: PinKey, at: datetime) -> str:
    """Add or change what the rows say, in this one transaction; what was done, in a sentence. Removes nothing.

    Columns that a file does not have, and PINs, states and `records` that it leaves empty, stay as they are. It is the
    author's own act, and heeds nothing that staff have set before. Raises
    ImportMistakes.
    """
    row = conn.execute(select(facility).where(facility.c.id == wanted.facility_id)).one_or_none()
    if row is None:
        raise ImportMistakes(f"there is no facility {wanted.facility_id}")
    match wanted.kind:
        case Kind.INMATES:
            counted = _inmates(conn, wanted, row, PinLoader(key, row.identify_by))
        case Kind.NUMBERS:
            counted = _numbers(conn, wanted, row.pan_maximum)
        case Kind.BLOCKED:
            counted = _blocked(conn, wanted, at)
        case Kind.PRIVILEGED:
            raise ImportMistakes("privileged numbers are imported as a signed list only")
    added, changed = counted
    same = len(wanted.rows.entries) - added - changed
    told = f"{wanted.kind}: {added} added, {changed} changed, {same} as they were"
    if wanted.kind is Kind.BLOCKED:
        told = "; alert: ".join([told, *taken_away(conn, wanted.facility_id, _covers(wanted), at)])
    return told


def _inmates(conn: Connection, wanted: Import, site: Row[Any], pins: PinLoader) -> tuple[int, int]:
    own = wanted.facility_id
    standing = {
        row.inmate_id: dict(row._mapping)
        for row in conn.execute(select(inmate).where(inmate.c.facility_id == own))
    }
    units = set(conn.scalars(select(housing_unit.c.id).where(housing_unit.c.facility_id == own)))
    mistakes: Mistakes = []
    written: dict[str, dict[str, Any]] = {}
    for line, each in wanted.rows.entries:
        assert isinstance(each, InmateEntry)
        mistakes += [(line, said) for said in _told(each, site, units, standing)]
        if each.id in written:
            mistakes.append((line, f"id: {each.id} stands there twice"))
        written[each.id] = _values_of(each, wanted, pins, is_new=each.id not in standing)
    mistakes += _pins_twice(wanted, written, standing)
    wanted.rows.refuse(mistakes)
    new = [values for inmate_id, values in written.items() if inmate_id not in standing]
    old = {
        standing[inmate_id]["id"]: (values, standing[inmate_id])
        for inmate_id, values in written.items()
        if inmate_id in standing
    }
    new_pins = {
        each.id: each.pin for _, each in wanted.rows.entries if isinstance(each, InmateEntry) and each.pin
    }
    pins.make_room(conn, own, new_pins)
    if new:
        conn.execute(insert(inmate), new)
    changed = [
        {"_id": row_id, **was, **values} for row_id, (values, was) in old.items() if _differs(was, values)
    ]
    if changed:
        columns = (
            "name",
            "unit_id",
            "state",
            "state_note",
            "suspended_from",
            "suspended_to",
            "pin_hash",
            "pin_key_id",
        )
        values: dict[str, Any] = {name: bindparam(f"_{name}") for name in columns}
        conn.execute(
            update(inmate).where(inmate.c.id == bindparam("_id")).values(values),
            [{"_id": each["_id"], **{f"_{name}": each[name] for name in columns}} for each in changed],
        )
    return len(new), len(changed)


def _told(
    each: InmateEntry, site: Row[Any], units: Collection[str], standing: Collection[str]
) -> Iterator[str]:
    """The mistakes of one row by itself."""
    if len(each.id) != site.inmate_id_digits:
        yield f"id: {each.id} has not {site.inmate_id_digits} digits"
    if each.unit is not None and each.unit not in units:
        yield f"unit: there is no unit {each.unit}"
    if each.pin is None and each.id not in standing:
        yield f"pin: expected one, since inmate {each.id} is new"
    if each.pin is not None and not site.pin_least <= len(each.pin) <= site.pin_most:
        yield f"pin: {pin_length(site.pin_least, site.pin_most)}"


def _pins_twice(
    wanted: Import, written: Mapping[str, Mapping[str, Any]], standing: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[int, str]]:
    """The rows whose PIN another inmate has, once all is written: possible only where it is keyed alone."""
    hashes = {inmate_id: row["pin_hash"] for inmate_id, row in standing.items()}
    hashes |= {inmate_id: row["pin_hash"] for inmate_id, row in written.items() if "pin_hash" in row}
    owners: dict[str, set[str]] = {}
    for inmate_id, hashed in hashes.items():
        owners.setdefault(hashed, set()).add(inmate_id)
    for line, each in wanted.rows.entries:
        assert isinstance(each, InmateEntry)
        if others := sorted(owners.get(hashes.get(each.id, ""), set()) - {each.id}):
            yield line, f"pin: {pin_taken(others[0])}"


def _values_of(each: InmateEntry, wanted: Import, pins: PinLoader, *, is_new: bool) -> dict[str, Any]:
    """The columns of an inmate's row that the file sets; all of them for a new one."""
    values: dict[str, Any] = {"facility_id": wanted.facility_id, "inmate_id": each.id, "name": each.name}
    for column, field in (("unit_id", "unit"), ("state", "state"), ("state_note", "state_note")):
        if is_new or _is_said(field, each, wanted):
            values[column] = getattr(each, field)
    if each.pin is not None:
        values |= pins.kept(wanted.facility_id, each.id, each.pin)
    if is_new or ("state" in values and each.state != "suspended"):
        values |= {"suspended_from": None, "suspended_to": None}
    return values


def _numbers(conn: Connection, wanted: Import, most: int | None) -> tuple[int, int]:
    own = inmate.c.facility_id == wanted.facility_id
    keys = {row.inmate_id: row.id for row in conn.execute(select(inmate.c.id, inmate.c.inmate_id).where(own))}
    listed = select(allowed_number).join(inmate, inmate.c.id == allowed_number.c.inmate).where(own)
    standing = {(row.inmate, row.number): dict(row._mapping) for row in conn.execute(listed)}
    mistakes: Mistakes = []
    written: dict[tuple[int, str], tuple[int, dict[str, Any]]] = {}
    for line, each in wanted.rows.entries:
        assert isinstance(each, ListedRow)
        if each.inmate not in keys:
            mistakes.append((line, f"inmate: there is no inmate {each.inmate}"))
            continue
        place = (keys[each.inmate], each.number)
        if place in written:
            mistakes.append((line, f"number: {each.number} stands there twice for inmate {each.inmate}"))
        values = {"inmate": place[0], "number": each.number, "learned": False}
        for field in ("speed_dial", "relation", "records", "payer", "override_note"):
            kept = place in standing and not _is_said(field, each, wanted)
            values[field] = standing[place][field] if kept else getattr(each, field)
        written[place] = (line, values)
    mistakes += _full_lists(standing, written, most)
    mistakes += _speed_dials_twice(standing, written)
    wanted.rows.refuse(mistakes)
    new = [values for place, (_, values) in written.items() if place not in standing]
    changed = [
        values
        for place, (_, values) in written.items()
        if place in standing and _differs(standing[place], values)
    ]
    _change_numbers(conn, changed)
    if new:
        conn.execute(insert(allowed_number), new)
    return len(new), len(changed)


Standing = Mapping[tuple[int, str], Mapping[str, Any]]
Written = Mapping[tuple[int, str], tuple[int, dict[str, Any]]]


def _full_lists(standing: Standing, written: Written, most: int | None) -> Iterable[tuple[int, str]]:
    """The rows that make a list longer than the facility lets it be."""
    if most is None:
        return
    counted = Counter(key for key, _ in standing)
    for place, (line, _) in written.items():
        counted[place[0]] += place not in standing
        if place not in standing and counted[place[0]] > most:
            yield line, f"number: the list would be longer than facility.pan_maximum, {most}"


def _speed_dials_twice(standing: Standing, written: Written) -> Iterable[tuple[int, str]]:
    """The rows whose speed dial another number of the inmate has, once all is written."""
    codes = Counter((place[0], row["speed_dial"]) for place, row in standing.items() if place not in written)
    for place, (line, row) in written.items():
        code = row["speed_dial"]
        codes[place[0], code] += 1
        if code and codes[place[0], code] > 1:
            yield line, f"speed_dial: {code} is another number's"


def _change_numbers(conn: Connection, changed: list[dict[str, Any]]) -> None:
    """Speed dials are given up first, so that two numbers may swap theirs."""
    if not changed:
        return
    columns = ("speed_dial", "relation", "records", "payer", "override_note", "learned")
    place = (allowed_number.c.inmate == bindparam("_inmate"), allowed_number.c.number == bindparam("_number"))
    rows = [{f"_{name}": value for name, value in row.items()} for row in changed]
    conn.execute(
        update(allowed_number).where(*place).values(speed_dial=None),
        [{"_inmate": row["_inmate"], "_number": row["_number"]} for row in rows],
    )
    values: dict[str, Any] = {name: bindparam(f"_{name}") for name in columns}
    conn.execute(update(allowed_number).where(*place).values(values), rows)


def _blocked(conn: Connection, wanted: Import, at: datetime) -> tuple[int, int]:
    wanted.rows.refuse()
    own = {"facility_id": wanted.facility_id, "scope": scopes.FACILITY}
    live = select(blocked_number.c.covers, blocked_number.c.number, blocked_number.c.cause).where(
        blocked_number.c.facility_id == wanted.facility_id,
        blocked_number.c.scope == scopes.FACILITY,
        blocked_number.c.lifted_at.is_(None),
    )
    known = {tuple(row) for row in conn.execute(live)}
    new = []
    for _, each in wanted.rows.entries:
        assert isinstance(each, BlockedEntry)
        covers, number = each.covered
        if (covers, number, each.cause) not in known:
            known.add((covers, number, each.cause))
            what = {"covers": covers, "number": number, "cause": each.cause, "note": each.note}
            new.append({**own, **what, "author": wanted.author, "blocked_at": at})
    if new:
        conn.execute(insert(blocked_number), new)
    return len(new), 0


def _covers(wanted: Import) -> list[Cover]:
    entries = [each for _, each in wanted.rows.entries if isinstance(each, BlockedEntry)]
    return [Cover(scopes.FACILITY, *each.covered) for each in entries]


def _is_said(field: str, each: BaseModel, wanted: Import) -> bool:
    """Whether a row says something of a field; an empty cell empties it, but lets state and recording stand."""
    if field in NEVER_EMPTIED:
        return field in each.model_fields_set
    return field in wanted.rows.columns


def _differs(was: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    return any(was[name] != value for name, value in values.items())
