"""Brings the database in step with a facility file: all or nothing, and the same again changes nothing."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, select

from ivr.facility.file import FacilityFile, FacilityFileError, InmateEntry, LevelEntry
from ivr.facility.load_blocks import load_blocks
from ivr.facility.load_levels import load_levels
from ivr.facility.load_prices import load_prices
from ivr.facility.load_privileged import load_privileged
from ivr.facility.pins import PinKey
from ivr.facility.putting import matching, put, replace_rows
from ivr.facility.tables import (
    allowed_number,
    facility,
    housing_unit,
    inmate,
    local_exchange,
    special_number,
    station,
)
from ivr.policy.request import PanMode

#: What an entry sets for its level, in tables of their own.
RULES = set(LevelEntry.model_fields)


def load_facility(conn: Connection, file: FacilityFile, key: PinKey, at: datetime) -> list[str]:
    """Make the facility's settings those of the file; returns a line for each thing that changed.

    Stations and inmates that the file does not name stay as they are; lists are replaced by the file's. Raises
    FacilityFileError for another facility's station.
    """
    entry = file.facility
    changed = put(
        conn,
        facility,
        {"id": entry.id},
        {
            "name": entry.name,
            "kind": entry.kind,
            "operator": entry.operator,
            "average_daily_population": entry.average_daily_population,
            "state": entry.state,
            "time_zone": entry.time_zone,
            "caller_id": entry.caller_id,
            "inmate_id_digits": entry.inmate_id_digits,
            "longest_call_ms": entry.longest_call_minutes * 60_000,
            "ring_seconds": entry.ring_seconds,
            "records": entry.records,
            "toll_free": entry.toll_free,
            "pan_mode": entry.pan_mode,
            "pan_maximum": entry.pan_maximum,
            "relay_limit_factor": entry.relay_limit_factor,
            "taxes": file.tax,
            "localities": " ".join(entry.localities),
        },
    )
    owner = {"facility_id": entry.id}
    changed += replace_rows(
        conn, local_exchange, owner, [{"exchange": each} for each in entry.local_exchanges]
    )
    changed += replace_rows(
        conn, special_number, owner, [each.model_dump(exclude={*RULES, "privileged"}) for each in file.number]
    )
    changed += load_privileged(conn, file, at)
    for unit in file.unit:
        changed += put(conn, housing_unit, {**owner, "id": unit.id}, {"label": unit.label})
    for each in file.station:
        _refuse_theft(conn, each.id, entry.id)
        values = {**owner, "label": each.label, "unit_id": each.unit}
        changed += put(conn, station, {"id": each.id}, values)
    inmate_keys = {}
    for person in file.inmate:
        inmate_keys[person.id], lines = _put_inmate(conn, file, person, key)
        changed += lines
    changed += load_levels(conn, file, inmate_keys, at)
    changed += load_blocks(conn, file, inmate_keys, at)
    changed += load_prices(conn, file, at)  # after the hours and limits, by which plans are measured
    return changed


def _refuse_theft(conn: Connection, station_id: str, facility_id: str) -> None:
    owner = conn.scalar(select(station.c.facility_id).where(station.c.id == station_id))
    if owner not in (None, facility_id):
        raise FacilityFileError(f"station {station_id}: it belongs to facility {owner}")


def _put_inmate(
    conn: Connection, file: FacilityFile, person: InmateEntry, key: PinKey
) -> tuple[int, list[str]]:
    """The inmate and their list; numbers that the list has learned stay in it."""
    facility_id = file.facility.id
    keys = {"facility_id": facility_id, "inmate_id": person.id}
    zone = ZoneInfo(file.facility.time_zone)
    values = {
        "name": person.name,
        "unit_id": person.unit,
        "state": person.state,
        "state_note": person.state_note,
        "suspended_from": _instant(person.suspended_from, zone),
        "suspended_to": _instant(person.suspended_to, zone),
    }
    if person.pin is not None:
        values |= {"pin_hash": key.hash(facility_id, person.id, person.pin), "pin_key_id": key.id}
    elif conn.scalar(select(inmate.c.id).where(matching(inmate, keys))) is None:
        raise FacilityFileError(f"inmate {person.id}: pin: expected one, since the inmate is new")
    changed = put(conn, inmate, keys, values)
    row = conn.execute(select(inmate.c.id).where(matching(inmate, keys))).scalar_one()
    mine = {"inmate": row, "learned": False}
    listed = [each.model_dump(exclude=RULES) for each in person.numbers]
    if file.facility.pan_mode is PanMode.SELF_LEARNING:
        named = allowed_number.c.number.in_([each.number for each in person.numbers])
        learned = matching(allowed_number, {"inmate": row, "learned": True})
        conn.execute(delete(allowed_number).where(learned, named))
    whose = f"{facility_id} {person.id}"
    return row, changed + replace_rows(conn, allowed_number, mine, listed, whose)


def _instant(local: datetime | None, zone: ZoneInfo) -> datetime | None:
    return local.replace(tzinfo=zone).astimezone(UTC) if local else None
