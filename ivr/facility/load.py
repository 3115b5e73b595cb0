"""Brings the database in step with a facility file: all or nothing, and the same again changes nothing."""

from datetime import datetime

from sqlalchemy import Connection, and_, insert, select, update

from ivr.facility.file import FacilityFile, FacilityFileError, InmateEntry
from ivr.facility.load_prices import load_prices
from ivr.facility.pins import PinKey
from ivr.facility.putting import matching, put, replace_rows
from ivr.facility.tables import (
    allowed_number,
    blocked_number,
    facility,
    inmate,
    local_exchange,
    schedule_window,
    special_number,
    station,
)
from ivr.policy.request import BlockCause

LOADER = "facility file"


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
            "taxes": file.tax,
            "localities": " ".join(entry.localities),
        },
    )
    owner = {"facility_id": entry.id}
    changed += replace_rows(
        conn, local_exchange, owner, [{"exchange": each} for each in entry.local_exchanges]
    )
    changed += replace_rows(conn, schedule_window, owner, _windows(file))
    changed += load_prices(conn, file)
    changed += replace_rows(conn, special_number, owner, [each.model_dump() for each in file.number])
    for each in file.station:
        _refuse_theft(conn, each.id, entry.id)
        changed += put(conn, station, {"id": each.id}, {**owner, "label": each.label})
    for person in file.inmate:
        changed += _put_inmate(conn, entry.id, person, key)
    changed += _block(conn, file, at)
    return changed


def _refuse_theft(conn: Connection, station_id: str, facility_id: str) -> None:
    owner = conn.scalar(select(station.c.facility_id).where(station.c.id == station_id))
    if owner not in (None, facility_id):
        raise FacilityFileError(f"station {station_id}: it belongs to facility {owner}")


def _windows(file: FacilityFile) -> list[dict[str, object]]:
    return [
        {
            "weekday": day,
            "opens": window.opens.isoformat("minutes"),
            "closes": window.closes.isoformat("minutes"),
        }
        for window in file.facility.schedule
        for day in window.days
    ]


def _put_inmate(conn: Connection, facility_id: str, person: InmateEntry, key: PinKey) -> list[str]:
    keys = {"facility_id": facility_id, "inmate_id": person.id}
    values = {
        "name": person.name,
        "state": person.state,
        "pin_hash": key.hash(facility_id, person.id, person.pin),
        "pin_key_id": key.id,
    }
    changed = put(conn, inmate, keys, values)
    row = conn.scalar(select(inmate.c.id).where(matching(inmate, keys)))
    return changed + replace_rows(
        conn, allowed_number, {"inmate": row}, [each.model_dump() for each in person.numbers]
    )


def _block(conn: Connection, file: FacilityFile, at: datetime) -> list[str]:
    """The facility's own blocks become the file's; a called party's block is nobody else's to lift."""
    ours = and_(
        blocked_number.c.facility_id == file.facility.id,
        blocked_number.c.cause == BlockCause.FACILITY,
        blocked_number.c.lifted_at.is_(None),
    )
    wanted = {each.number: each.note for each in file.blocked}
    blocked = set(
        conn.scalars(
            select(blocked_number.c.number).where(
                blocked_number.c.facility_id == file.facility.id, blocked_number.c.lifted_at.is_(None)
            )
        )
    )
    lifted = conn.execute(
        update(blocked_number).where(ours, blocked_number.c.number.not_in(wanted)).values(lifted_at=at)
    ).rowcount
    new = [number for number in wanted if number not in blocked]
    for number in new:
        conn.execute(
            insert(blocked_number).values(
                facility_id=file.facility.id,
                number=number,
                cause=BlockCause.FACILITY,
                note=wanted[number],
                author=LOADER,
                blocked_at=at,
            )
        )
    return [f"blocked_number: {len(new)} added, {lifted} lifted"] if new or lifted else []
