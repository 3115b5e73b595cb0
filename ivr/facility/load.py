"""Brings the database in step with a facility file: all or nothing, and the same again changes nothing."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from ivr.facility import kept, privileged
from ivr.facility.differing import Words
from ivr.facility.entries import RecordedEntry
from ivr.facility.file import FacilityFile, FacilityFileError
from ivr.facility.kept import Left
from ivr.facility.load_agency import load_agency, put_agency
from ivr.facility.load_blocks import load_blocks
from ivr.facility.load_inmates import load_inmate, pins_of_file
from ivr.facility.load_levels import load_levels
from ivr.facility.load_pins import PinLoader
from ivr.facility.load_prices import load_prices
from ivr.facility.load_privileged import leave_agency, load_privileged
from ivr.facility.pins import PinKey
from ivr.facility.possible import shortfalls
from ivr.facility.putting import put, replace_rows
from ivr.facility.tables import booking, facility, housing_unit, local_exchange, special_number, station

#: What an entry of a number sets for its level, in tables of their own.
RULES_AND_RECORDS = set(RecordedEntry.model_fields)


def load_facility(conn: Connection, file: FacilityFile, key: PinKey, at: datetime) -> list[str]:
    """Make the facility's settings those of the file; returns a line for each thing that changed.

    Stations and inmates that the file does not name stay as they are; lists are replaced by the file's. What staff
    keep (`ivr.facility.kept`) stays as they set it, with a line for each where the file says otherwise. Raises
    FacilityFileError for another facility's station, and for a hotline's code that is an open booking's number.
    """
    entry = file.facility
    before = conn.execute(select(facility.c.agency_id).where(facility.c.id == entry.id)).one_or_none()
    pins = PinLoader(key, entry.identify_by)
    inmate_keys: dict[str, int] = {}
    people: dict[int, str] = {}
    words = Words(ZoneInfo(entry.time_zone), people)
    pins.refuse_other_kind(conn, file)
    changed = put_agency(conn, file)
    changed += put(
        conn,
        facility,
        {"id": entry.id},
        _facility_values(file),
        name=f"facility {entry.id}",
        words=words,
    )
    owner = {"facility_id": entry.id}
    changed += replace_rows(
        conn, local_exchange, owner, [{"exchange": each} for each in entry.local_exchanges], words=words
    )
    _refuse_codes_of_bookings(conn, file, at)
    changed += replace_rows(
        conn,
        special_number,
        owner,
        [each.model_dump(exclude={*RULES_AND_RECORDS, "privileged"}) for each in file.number],
        words=words,
    )
    if before is None:  # where an older facility's list is lost, no load makes another of what is left
        privileged.begin(conn, entry.id)
    elif before.agency_id is not None and (not file.agency or before.agency_id != file.agency.agency.id):
        changed += leave_agency(conn, entry.id, before.agency_id, at)
    changed += load_privileged(conn, file, at)
    changed += _load_places(conn, file, words)
    theirs = kept.kept(conn, entry.id)
    pins.make_room(conn, entry.id, pins_of_file(conn, file, theirs))
    for person in file.inmate:
        inmate_keys[person.id], lines = load_inmate(conn, file, person, pins, theirs, words=words)
        changed += lines
    people |= {row: inmate_id for inmate_id, row in inmate_keys.items()}
    changed += load_levels(conn, file, inmate_keys, at, words)
    changed += load_blocks(conn, file, inmate_keys, theirs, at, words=words)
    changed += load_agency(conn, file, at)
    changed += load_prices(conn, file, at, words)  # after the hours and limits, by which plans are measured
    return [*changed, *(Left(f"alert: {each}") for each in shortfalls(conn, entry.id, at))]


def _load_places(conn: Connection, file: FacilityFile, words: Words) -> list[str]:
    """Housing units and stations."""
    owner, changed = {"facility_id": file.facility.id}, []
    for unit in file.unit:
        keys, named = {**owner, "id": unit.id}, {"label": unit.label}
        changed += put(conn, housing_unit, keys, named, name=f"unit {unit.id}", words=words)
    for each in file.station:
        _refuse_theft(conn, each.id, file.facility.id)
        values = {
            **owner,
            "label": each.label,
            "unit_id": each.unit,
            "intake": each.intake,
            "dtmf": each.dtmf,
        }
        changed += put(conn, station, {"id": each.id}, values, name=f"station {each.id}", words=words)
    return changed


def _facility_values(file: FacilityFile) -> dict[str, object]:
    """The columns of the facility itself."""
    entry = file.facility
    return {
        "name": entry.name,
        "agency_id": file.agency.agency.id if file.agency else None,
        "kind": entry.kind,
        "operator": entry.operator,
        "average_daily_population": entry.average_daily_population,
        "state": entry.state,
        "time_zone": entry.time_zone,
        "caller_id": entry.caller_id,
        "inmate_id_digits": entry.inmate_id_digits,
        "identify_by": entry.identify_by,
        "pin_least": entry.pin_digits[0],
        "pin_most": entry.pin_digits[1],
        "pin_change_by_phone": entry.pin_change_by_phone,
        "intake_calls": entry.intake_calls,
        "intake_calls_for_parents": entry.intake_calls_for_parents,
        "intake_within_minutes": entry.intake_within_minutes,
        "longest_call_ms": entry.longest_call_minutes * 60_000,
        "ring_seconds": entry.ring_seconds,
        "records": entry.records,
        "toll_free": entry.toll_free,
        "pan_mode": entry.pan_mode,
        "pan_maximum": entry.pan_maximum,
        "requests_by_phone": entry.requests_by_phone,
        "requests_waiting_maximum": entry.requests_waiting_maximum,
        "relay_limit_factor": entry.relay_limit_factor,
        "accept_key": entry.accept_key,
        "block_key": entry.block_key,
        "block_confirm_key": entry.block_confirm_key,
        "overlay_seconds": entry.overlay_minutes and entry.overlay_minutes * 60,
        "taxes": file.tax,
        "localities": " ".join(entry.localities),
        "payers": " ".join(file.funding.payers),
        "collect_limit": file.funding.collect_limit,
        "courtesy_seconds": file.funding.courtesy_minutes * 60,
        "dropped_within_seconds": file.funding.dropped_within_seconds,
        "continues_within_seconds": file.funding.continues_within_seconds,
        "recordings_kept_days": file.recording.kept_days,
        "when_unrecorded": file.recording.when_it_fails,
    }


def _refuse_codes_of_bookings(conn: Connection, file: FacilityFile, at: datetime) -> None:
    """A code that is also a booking's number would be called in place of the calls that are due after the arrest."""
    numbers = {each.code: each.number for each in file.number if each.code}
    still_open = select(booking.c.number).where(
        booking.c.facility_id == file.facility.id,
        booking.c.arrested_at > at - timedelta(minutes=file.facility.intake_within_minutes),
        booking.c.number.in_(numbers),
    )
    for code in conn.scalars(still_open.order_by(booking.c.number)):
        raise FacilityFileError(f"number {numbers[code]}: code: {code} is the number of an open booking")


def _refuse_theft(conn: Connection, station_id: str, facility_id: str) -> None:
    owner = conn.scalar(select(station.c.facility_id).where(station.c.id == station_id))
    if owner not in (None, facility_id):
        raise FacilityFileError(f"station {station_id}: it belongs to facility {owner}")
