"""Brings the one level of an agency in step with its file, at each of its facilities."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from ivr.facility import kept, scopes
from ivr.facility.differing import Words
from ivr.facility.entries import LevelEntry
from ivr.facility.file import FacilityFile
from ivr.facility.load_blocks import Block, blocks, put_blocks
from ivr.facility.load_levels import put_levels
from ivr.facility.load_privileged import load_of_agency
from ivr.facility.putting import put
from ivr.facility.tables import agency, facility


def put_agency(conn: Connection, file: FacilityFile) -> list[str]:
    """The agency that the file names, before any facility belongs to it."""
    if file.agency is None:
        return []
    entry = file.agency.agency
    name = f"agency {entry.id}"
    return put(conn, agency, {"id": entry.id}, {"name": entry.name}, name=name, words=Words())


def load_agency(conn: Connection, file: FacilityFile, at: datetime) -> list[str]:
    """The agency's rules become those of its file, at every facility that it has in the database.

    Where the file names no agency, its facility keeps none of an earlier one's rules. Days and hours are each
    facility's own.
    """
    its = select(facility.c.id, facility.c.time_zone).order_by(facility.c.id)
    level: LevelEntry = LevelEntry()
    wanted: Mapping[Block, str] = {}
    if file.agency is None:
        its = its.where(facility.c.id == file.facility.id)
    else:
        level = file.agency.agency
        its = its.where(facility.c.agency_id == file.agency.agency.id)
        wanted = blocks(scopes.AGENCY, file.agency.blocked, file.agency.no_contact)
    changed = []
    places = conn.execute(its).all()
    listed = load_of_agency(conn, file, [each.id for each in places], at)
    for facility_id, zone in places:
        words, theirs = Words(ZoneInfo(zone)), kept.kept(conn, facility_id)
        lines = put_levels(conn, facility_id, {scopes.AGENCY: level}, at, words=words)
        lines += listed.get(facility_id, [])
        lines += put_blocks(conn, facility_id, wanted, {scopes.AGENCY}, theirs=theirs, at=at, words=words)
        changed += [type(line)(f"agency at {facility_id}: {line}") for line in lines]
    return changed
