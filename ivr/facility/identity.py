"""Who keys an ID and a PIN; how many wrong ones were keyed."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from ivr.facility import lookup
from ivr.facility.lookup import Facility
from ivr.facility.pins import PinKey
from ivr.facility.tables import wrong_pin
from ivr.policy.identity import WrongTries, is_locked, is_paused

_of_id = (wrong_pin.c.facility_id == bindparam("facility")) & (wrong_pin.c.inmate_id == bindparam("keyed_id"))
_TRIES = select(*(wrong_pin.c[name] for name in WrongTries.__dataclass_fields__)).where(_of_id)
_AGAIN = update(wrong_pin).where(_of_id, wrong_pin.c.station_id == bindparam("station"))
_AS_LONG = _AGAIN.values(last_at=wrong_pin.c.last_at)  # takes the time of a count, and counts nothing
_FORGET = delete(wrong_pin).where(_of_id)


def identified(
    conn: Connection, key: PinKey, facility: Facility, entry: str, at: datetime
) -> Row[Any] | None:
    """The inmate whose ID and PIN were keyed in one entry; None for an unknown one, a wrong PIN, and while none counts.

    An unknown ID, a wrong PIN and a locked ID cost the same statements and comparison. Nothing that is keyed while an
    ID is paused or locked is counted.
    """
    inmate_id, pin = entry[: facility.inmate_id_digits], entry[facility.inmate_id_digits :]
    of_id = {"facility": facility.id, "keyed_id": inmate_id}
    found = lookup.inmate_by_id(conn, facility.id, inmate_id)
    tries = [WrongTries(**row._mapping) for row in conn.execute(_TRIES, of_id)]
    right = key.matches(found.pin_hash if found else None, facility.id, inmate_id, pin)
    station_id = facility.station_id or ""
    if is_locked(tries) or is_paused(tries, station_id, at) or not entry:
        conn.execute(_AS_LONG, {**of_id, "station": station_id})
        return None
    if right:
        if tries:
            conn.execute(_FORGET, of_id)
        return found
    _count(conn, of_id, tries, station_id, at)
    return None


def _count(
    conn: Connection, of_id: dict[str, str], tries: list[WrongTries], station_id: str, at: datetime
) -> None:
    here = next((each for each in tries if each.station_id == station_id), None)
    if here is not None:
        again = asdict(here.and_one_more(at))
        conn.execute(_AGAIN, {**of_id, "station": station_id, **again})
        return
    first = asdict(WrongTries.first(station_id, at))
    row = {"facility_id": of_id["facility"], "inmate_id": of_id["keyed_id"], **first}
    conn.execute(insert(wrong_pin), row)


def unlock(conn: Connection, facility_id: str, inmate_id: str) -> bool:
    """Wrong PINs of an ID count for nothing any more; True if any were counted."""
    return conn.execute(_FORGET, {"facility": facility_id, "keyed_id": inmate_id}).rowcount > 0
