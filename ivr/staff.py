"""What staff change one thing at a time: through the running controller, or as the one writer if none runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from accounts import schema
from accounts.db import Database, WriterLock
from ivr.clock import utc_now
from ivr.config import Settings
from ivr.control import NoController, ask
from ivr.facility import identity
from ivr.facility.tables import facility, inmate
from ivr.instance import control_socket


class StaffError(Exception):
    """What was asked for can't be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Unlock:
    """Wrong PINs of an inmate's ID are to be forgotten. Without a facility the only one is meant."""

    inmate_id: str
    note: str
    author: str
    facility_id: str | None = None


def unlock_inmate(settings: Settings, asked: Unlock) -> str:
    """Unlock an ID; what was done, in a sentence."""
    try:
        return str(ask(control_socket(settings), "unlock", **asdict(asked)))
    except NoController:
        schema.require_head(settings.url)
        with WriterLock.take(settings.url), Database.open(settings.url) as database:
            told: str = database.transact_now(unlock, asked, utc_now())
            return told


def read_unlock(request: Mapping[str, object]) -> Unlock:
    """What came over the control socket; raises StaffError for anything else."""
    inmate_id, note, author = (str(request.get(name) or "") for name in ("inmate_id", "note", "author"))
    if not (inmate_id and note.strip() and author):
        raise StaffError("unlocking needs an inmate's ID, a note and an author")
    facility_id = request.get("facility_id")
    return Unlock(inmate_id, note, author, str(facility_id) if facility_id else None)


def unlock(conn: Connection, asked: Unlock, at: datetime) -> str:
    """Unlock an ID in this transaction; raises StaffError for one that no inmate has."""
    facility_id = the_facility(conn, asked.facility_id)
    known = select(inmate.c.id).where(
        inmate.c.facility_id == facility_id, inmate.c.inmate_id == asked.inmate_id
    )
    if conn.scalar(known) is None:
        raise StaffError(f"{facility_id} has no inmate {asked.inmate_id}")
    was_counted = identity.unlock(
        conn, facility_id, asked.inmate_id, note=asked.note, author=asked.author, at=at
    )
    return f"inmate {asked.inmate_id}: {'unlocked' if was_counted else 'no wrong PINs were counted'}"


def the_facility(conn: Connection, named: str | None) -> str:
    """The named facility, or the only one; raises StaffError if that is not one."""
    found: list[str] = list(conn.scalars(select(facility.c.id).order_by(facility.c.id)))
    if named is not None:
        found = [each for each in found if each == named]
    if len(found) != 1:
        listed = (
            f"there is no facility {named}" if named else f"name one facility of {', '.join(found) or 'none'}"
        )
        raise StaffError(listed)
    return found[0]
