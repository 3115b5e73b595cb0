"""Who keys an ID and a PIN, or a PIN alone; how many wrong ones were keyed; a PIN that its inmate changes."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from ivr.facility import audit, lookup, scopes
from ivr.facility.audit import Deed
from ivr.facility.kept import PIN, keep
from ivr.facility.lookup import Facility
from ivr.facility.pins import PinKey
from ivr.facility.tables import inmate, wrong_pin
from ivr.policy.identity import (
    IdentifyBy,
    UnfitPin,
    WrongTries,
    is_locked,
    is_paused,
    is_station_paused,
    unfit_pin,
)

NO_ID = ""  # what wrong PINs are counted for where no ID is keyed
_of_id = (wrong_pin.c.facility_id == bindparam("facility")) & (wrong_pin.c.inmate_id == bindparam("keyed_id"))
_here = wrong_pin.c.station_id == bindparam("station")
_TRIES = select(*(wrong_pin.c[name] for name in WrongTries.__dataclass_fields__)).where(_of_id)
_TRIES_HERE = _TRIES.where(_here)
_AGAIN = update(wrong_pin).where(_of_id, _here)
_AS_LONG = _AGAIN.values(last_at=wrong_pin.c.last_at)  # takes the time of a count, and counts nothing
_FORGET = delete(wrong_pin).where(_of_id)
_FORGET_HERE = _FORGET.where(_here)


def identified(
    conn: Connection, key: PinKey, facility: Facility, entry: str, at: datetime
) -> Row[Any] | None:
    """The inmate whose ID and PIN were keyed in one entry; None for an unknown one, a wrong PIN, and while none counts.

    An unknown ID, a wrong PIN and a locked ID cost the same statements and comparison. Nothing that is keyed while an
    ID is paused or locked is counted. Where the facility insists on a PIN alone, the entry is the PIN, and its
    telephone is what is paused.
    """
    if facility.identify_by == IdentifyBy.PIN:
        return _identified_by_pin(conn, key, facility, entry, at)
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


def _identified_by_pin(
    conn: Connection, key: PinKey, facility: Facility, pin: str, at: datetime
) -> Row[Any] | None:
    """The inmate whose PIN it is; nobody's costs the same statements as anybody's in a pause."""
    of_station = {"facility": facility.id, "keyed_id": NO_ID, "station": facility.station_id or ""}
    hashed = key.hash(facility.id, NO_ID, pin)
    found = lookup.inmate_by_pin(conn, facility.id, hashed)
    tries = [WrongTries(**row._mapping) for row in conn.execute(_TRIES_HERE, of_station)]
    if is_station_paused(tries, at) or not pin:
        conn.execute(_AS_LONG, of_station)
        return None
    if found is not None:
        if tries:
            conn.execute(_FORGET_HERE, of_station)
        return found
    _count(conn, of_station, tries, of_station["station"], at)
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


def may_key_card(conn: Connection, facility: Facility, inmate_key: int, at: datetime) -> bool:
    """Whether PINs of calling cards that the inmate keys here count now: they pause and lock like the inmate's own."""
    keyed_id = card_tries_of(inmate_key)
    of_id = {"facility": facility.id, "keyed_id": keyed_id}
    tries = [WrongTries(**row._mapping) for row in conn.execute(_TRIES, of_id)]
    return not (is_locked(tries) or is_paused(tries, facility.station_id or "", at))


def card_was_keyed(
    conn: Connection, facility: Facility, inmate_key: int, at: datetime, *, is_right: bool
) -> None:
    """Count a wrong PIN of a calling card; a right one has the inmate's wrong ones forgotten."""
    of_id = {"facility": facility.id, "keyed_id": card_tries_of(inmate_key)}
    if is_right:
        conn.execute(_FORGET, of_id)
        return
    tries = [WrongTries(**row._mapping) for row in conn.execute(_TRIES, of_id)]
    _count(conn, of_id, tries, facility.station_id or "", at)


def card_tries_of(inmate_key: int) -> str:
    """What an inmate's wrong PINs of calling cards are counted for; no ID, since those are digits."""
    return f"c{inmate_key}"


def unlock(conn: Connection, facility_id: str, inmate_id: str) -> bool:
    """Wrong PINs of an ID, and of calling cards that its inmate keyed, count no more; True if any were counted."""
    keyed_ids = [inmate_id]
    if (found := lookup.inmate_by_id(conn, facility_id, inmate_id)) is not None:
        keyed_ids.append(card_tries_of(found.id))
    return (
        sum(conn.execute(_FORGET, {"facility": facility_id, "keyed_id": each}).rowcount for each in keyed_ids)
        > 0
    )


def unpause(conn: Connection, facility_id: str, station_id: str) -> bool:
    """Wrong PINs that were keyed alone at a telephone count for nothing any more; True if any were counted."""
    of_station = {"facility": facility_id, "keyed_id": NO_ID, "station": station_id}
    return conn.execute(_FORGET_HERE, of_station).rowcount > 0


def pin_hash(key: PinKey, facility_id: str, identify_by: str, inmate_id: str, pin: str) -> str:
    """What is kept of a PIN; where it is keyed alone there is no ID in it, so that it finds its inmate."""
    return key.hash(facility_id, NO_ID if identify_by == IdentifyBy.PIN else inmate_id, pin)


def change_pin(
    conn: Connection, key: PinKey, facility: Facility, inmate_key: int, pin: str, *, at: datetime
) -> UnfitPin | None:
    """Give an inmate the PIN that they chose, and log that; why not, where it is not taken.

    Where PINs are keyed alone, one that somebody has is refused as if it were too easy. Each such refusal is counted
    like a wrong PIN of the inmate's ID, so that nobody finds others' PINs in this way: after ten staff must unlock it.
    """
    row = conn.execute(select(inmate).where(inmate.c.id == inmate_key)).one()
    if unfit := unfit_pin(pin, row.inmate_id, facility.pin_least, facility.pin_most):
        return unfit
    hashed = pin_hash(key, facility.id, facility.identify_by, row.inmate_id, pin)
    of_id = {"facility": facility.id, "keyed_id": row.inmate_id}
    tries = [WrongTries(**each._mapping) for each in conn.execute(_TRIES, of_id)]
    station_id = facility.station_id or ""
    if hashed == row.pin_hash or is_locked(tries) or is_paused(tries, station_id, at):
        return UnfitPin.TOO_EASY
    if lookup.inmate_by_pin(conn, facility.id, hashed) is not None:
        _count(conn, of_id, tries, station_id, at)
        return UnfitPin.TOO_EASY
    given = {"pin_hash": hashed, "pin_key_id": key.id}
    conn.execute(update(inmate).where(inmate.c.id == inmate_key).values(given))
    keep(conn, facility.id, [(scopes.inmate(inmate_key), PIN)], f"inmate {row.inmate_id}", at)
    whose = f"inmate {row.inmate_id}"
    audit.log(
        conn,
        Deed.CHANGE,
        "pin_by_phone",
        whose,
        f"{whose}: PIN changed",
        author=whose,
        at=at,
        note=f"by phone, {station_id}",
        facility_id=facility.id,
    )
    return None
