"""Switches: what is off, since when, why and by whom; and which telephones that closes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from ivr.facility import audit, scopes
from ivr.facility.audit import Deed
from ivr.facility.tables import agency, facility, housing_unit, station, switch
from ivr.policy.level import Level
from ivr.policy.switching import Way

#: Levels that have telephones to switch.
LEVELS: Final = (Level.STATION, Level.UNIT, Level.FACILITY, Level.AGENCY)
#: The key in Asterisk's own database that closes every station, and who has put a key there that nobody here knows.
ALL, CONSOLE = "all", "console"


def open_switches(conn: Connection) -> Sequence[Row[Any]]:
    """What is off now, the oldest first."""
    return conn.execute(select(switch).where(switch.c.ended_at.is_(None)).order_by(switch.c.id)).all()


def throw(conn: Connection, scope: str, *, way: Way, note: str, author: str, at: datetime) -> bool:
    """Switch a scope off; False if it was off already: then this switch takes the place of that one."""
    was_off = end(conn, scope, note=note, author=author, at=at)
    row = {"scope": scope, "way": way, "note": note, "author": author, "thrown_at": at}
    conn.execute(insert(switch), row)
    return not was_off


def end(conn: Connection, scope: str, *, note: str, author: str, at: datetime) -> bool:
    """Switch a scope on again; False if it was not off."""
    standing = update(switch).where(switch.c.scope == scope, switch.c.ended_at.is_(None))
    ended = conn.execute(standing.values(ended_at=at, ended_by=author, ended_note=note))
    return ended.rowcount > 0


def scope_of(conn: Connection, level: Level, name: str, facility_id: str | None) -> str:
    """The scope of a switch by the names that people use; raises LookupError with what there is not."""
    match level:
        case Level.UNIT:
            units = select(housing_unit.c.facility_id).where(housing_unit.c.id == name)
            if facility_id is not None:
                units = units.where(housing_unit.c.facility_id == facility_id)
            owners = list(conn.scalars(units.order_by(housing_unit.c.facility_id)))
            if len(owners) > 1:
                raise LookupError(f"there is a unit {name} in {', '.join(owners)}: name the facility")
            if not owners:
                raise LookupError(f"there is no unit {name}")
            return scopes.switch(level, owners[0], name)
        case _:
            table = {Level.STATION: station, Level.FACILITY: facility, Level.AGENCY: agency}[level]
            if conn.scalar(select(table.c.id).where(table.c.id == name)) is None:
                raise LookupError(f"there is no {level} {name}")
            return scopes.switch(level, name)


def closing_keys(conn: Connection) -> dict[str, str]:
    """What Asterisk's own database has to hold, such that it closes what is off: key and the switch's number.

    One key is enough where every station is off.
    """
    off = {row.scope: str(row.id) for row in open_switches(conn)}
    its = select(station.c.id, station.c.unit_id, station.c.facility_id, facility.c.agency_id)
    rows = conn.execute(its.join(facility, facility.c.id == station.c.facility_id)).all()
    keys = {}
    for row in rows:
        met = scopes.switches_of(
            agency_id=row.agency_id,
            facility_id=row.facility_id,
            units={row.unit_id},
            station_id=row.id,
        )
        found = [off[scope] for scope in met if scope in off]
        if found:
            keys[scopes.switch(Level.STATION, row.id)] = found[0]
    return {ALL: next(iter(keys.values()))} if keys and len(keys) == len(rows) else keys


def take_over(conn: Connection, keys: Mapping[str, str], at: datetime) -> list[str]:
    """Switch off what somebody has closed at Asterisk's console; the keys that name nothing here.

    A key that holds a switch's number was written by us, and means nothing once that switch has ended.
    """
    unknown = []
    for key, value in keys.items():
        if not _is_ours(conn, value) and not _take_over(conn, key, value, at):
            unknown.append(key)
    return unknown


def _is_ours(conn: Connection, value: str) -> bool:
    if not (value.isdecimal() and len(value) < 10):
        return False
    known = select(func.count()).where(switch.c.id == int(value))
    return bool(conn.scalar(known))


def _take_over(conn: Connection, key: str, value: str, at: datetime) -> bool:
    named = [scopes.switch(Level.FACILITY, each) for each in conn.scalars(select(facility.c.id))]
    wanted = named if key == ALL else [key] if _is_scope(conn, key) else []
    off = {row.scope for row in open_switches(conn)}
    for scope in wanted:
        if scope not in off:
            note = f"found in Asterisk's database: {value}"[:200]
            throw(conn, scope, way=Way.FINISH, note=note, author=CONSOLE, at=at)
            audit.log(conn, Deed.CHANGE, "off", scope, f"{scope}: off", author=CONSOLE, at=at, note=note)
    return bool(wanted)


def _is_scope(conn: Connection, key: str) -> bool:
    level, _, name = key.partition("/")
    owner, _, unit = name.partition("/")
    try:
        found = (
            scope_of(conn, Level(level), unit, owner) if unit else scope_of(conn, Level(level), name, None)
        )
    except (LookupError, ValueError):
        return False
    return found == key
