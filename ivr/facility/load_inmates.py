"""Inmates and their lists in step with a facility's file, but for what staff keep."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, delete, select

from ivr.facility import kept, scopes
from ivr.facility.differing import Words, contradicted
from ivr.facility.entries import LevelEntry
from ivr.facility.file import AllowedEntry, FacilityFile, FacilityFileError, InmateEntry
from ivr.facility.kept import Kept, Left
from ivr.facility.load_pins import PinLoader
from ivr.facility.putting import matching, put, replace_rows
from ivr.facility.tables import allowed_number, inmate
from ivr.policy.request import PanMode
from ivr.policy.schedule import instant

#: What an entry sets for its level, in tables of their own.
RULES = set(LevelEntry.model_fields)


def pins_of_file(conn: Connection, file: FacilityFile, theirs: Kept) -> dict[str, str]:
    """The PINs that the file gives, by inmate: not of those whose PIN staff keep."""
    mine = select(inmate.c.id, inmate.c.inmate_id).where(inmate.c.facility_id == file.facility.id)
    staffs = {row.inmate_id for row in conn.execute(mine) if theirs.author(scopes.inmate(row.id), kept.PIN)}
    return {each.id: each.pin for each in file.inmate if each.pin is not None and each.id not in staffs}


def load_inmate(
    conn: Connection, file: FacilityFile, person: InmateEntry, pins: PinLoader, theirs: Kept, *, words: Words
) -> tuple[int, list[str]]:
    """The inmate and their list; numbers that the list has learned stay in it, and what staff keep stays theirs."""
    facility_id = file.facility.id
    keys = {"facility_id": facility_id, "inmate_id": person.id}
    standing = conn.execute(select(inmate).where(matching(inmate, keys))).one_or_none()
    values = _values(file, person, pins)
    if person.pin is None and standing is None:
        raise FacilityFileError(f"inmate {person.id}: pin: expected one, since the inmate is new")
    told = _take_out(values, standing, theirs, person.id, words)
    changed = put(conn, inmate, keys, values, name=f"inmate {person.id}", words=words)
    row: int = conn.execute(select(inmate.c.id).where(matching(inmate, keys))).scalar_one()
    whose = Words(words.zone, {row: person.id})
    return row, [*changed, *told, *_put_list(conn, file, person, row, theirs, words=whose)]


def _values(file: FacilityFile, person: InmateEntry, pins: PinLoader) -> dict[str, Any]:
    facility_id, zone = file.facility.id, ZoneInfo(file.facility.time_zone)
    values = {
        "name": person.name,
        "unit_id": person.unit,
        "state": person.state,
        "state_note": person.state_note,
        "suspended_from": _instant(person.suspended_from, zone),
        "suspended_to": _instant(person.suspended_to, zone),
    }
    if person.pin is not None:
        values |= pins.kept(facility_id, person.id, person.pin)
    return values


def _take_out(
    values: dict[str, Any], standing: Row[Any] | None, theirs: Kept, inmate_id: str, words: Words
) -> list[str]:
    """Leave to staff what they keep; a line where the file says otherwise."""
    if standing is None:
        return []
    told: list[str] = []
    for what, columns in kept.COLUMNS.items():
        author = theirs.author(scopes.inmate(standing.id), what)
        if author is None:
            continue
        given = {column: values.pop(column) for column in columns if column in values}
        if any(standing._mapping[column] != value for column, value in given.items()):
            said = contradicted(standing._asdict(), given, inmate, words)
            stays = f"inmate {inmate_id}: {what} stays as {author} set it{said and f': {said}'}"
            told.append(Left(stays))
    return told


def _put_list(
    conn: Connection, file: FacilityFile, person: InmateEntry, row: int, theirs: Kept, *, words: Words
) -> list[str]:
    """The file's numbers in place of those that files have listed before."""
    whose = {scopes.entry(row, each.number): each for each in person.numbers}
    staffs = theirs.numbers.get(scopes.inmate(row), set())
    listed = [each for each in person.numbers if each.number not in staffs]
    if file.facility.pan_mode is PanMode.SELF_LEARNING:
        named = allowed_number.c.number.in_([each.number for each in listed])
        learned = matching(allowed_number, {"inmate": row, "learned": True})
        conn.execute(delete(allowed_number).where(learned, named))
    _refuse_taken_codes(conn, person, row, listed, staffs)
    told = _contradicted(conn, person, row, whose, theirs, words=words)
    rows = [each.model_dump(exclude=RULES) for each in listed]
    mine = {"inmate": row, "learned": False}
    but = allowed_number.c.number.in_(staffs)
    return replace_rows(conn, allowed_number, mine, rows, words=words, but=but) + told


def _refuse_taken_codes(
    conn: Connection, person: InmateEntry, row: int, listed: Collection[AllowedEntry], staffs: set[str]
) -> None:
    """A speed dial that staff have given to another number is not the file's to give."""
    if not staffs:
        return
    own = select(allowed_number.c.speed_dial, allowed_number.c.number).where(
        allowed_number.c.inmate == row, allowed_number.c.number.in_(staffs)
    )
    taken = {code: number for code, number in conn.execute(own) if code is not None}
    for each in listed:
        if each.speed_dial in taken:
            given = f"staff have given speed dial {each.speed_dial} to {taken[each.speed_dial]}"
            raise FacilityFileError(f"inmate {person.id}: {each.number}: {given}")


def _contradicted(
    conn: Connection,
    person: InmateEntry,
    row: int,
    whose: dict[str, AllowedEntry],
    theirs: Kept,
    *,
    words: Words,
) -> list[str]:
    """A line for each number of the file that staff list otherwise, or have taken out."""
    told: list[str] = []
    for scope, each in whose.items():
        author = theirs.author(scope, kept.LISTED)
        if author is None:
            continue
        place = {"inmate": row, "number": each.number}
        standing = conn.execute(select(allowed_number).where(matching(allowed_number, place))).one_or_none()
        said = each.model_dump(exclude=RULES)
        name = f"inmate {person.id}, number {each.number}"
        if standing is None:
            told.append(Left(f"{name}: stays out of the list, as {author} set it"))
        elif differing := contradicted(standing._asdict(), said, allowed_number, words):
            told.append(Left(f"{name}: stays listed as {author} set it: {differing}"))
    return told


def _instant(local: datetime | None, zone: ZoneInfo) -> datetime | None:
    return instant(local.replace(tzinfo=zone)) if local else None
