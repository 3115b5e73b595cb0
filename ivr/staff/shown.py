"""What staff look at: one inmate whole, and who changed what, when and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, or_, select

from ivr.facility import scopes
from ivr.facility.audit import Deed, audit
from ivr.facility.daily import appointment, number_request
from ivr.facility.kept import kept
from ivr.facility.tables import (
    allowed_number,
    blocked_number,
    call_limit,
    facility,
    inmate,
    wrong_pin,
)
from ivr.policy.identity import WrongTries, is_locked
from ivr.staff.desk import StaffError

Shown = dict[str, Any]
LATEST = 10
#: Changes that only investigators may know of: the whole log has them (`ivr audit show`).
COVERT: Final = ("listen", "cut-in", "watch add", "watch end")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of the audit log: of one facility or author, of some days of the facility's, of one kind."""

    facility_id: str | None = None
    author: str | None = None
    since: date | None = None
    until: date | None = None
    most: int = 50
    deed: Deed | None = Deed.CHANGE
    verb: str | None = None
    about: str | None = None  # these words stand in whom or what it is about
    covert: bool = False  # also those of COVERT


def changes_shown(conn: Connection, wanted: Wanted) -> list[Shown]:
    """The newest changes, or whatever else is wanted, each with its author and note; times are the facility's.

    Raises StaffError for a facility that there is not.
    """
    asked = select(audit, facility.c.time_zone).outerjoin(facility, facility.c.id == audit.c.facility_id)
    if wanted.facility_id is not None:
        facility_of(conn, wanted.facility_id)
        itself = (
            audit.c.about == f"facility {wanted.facility_id}"
        )  # a file that was loaded, the first one too
        asked = asked.where(or_(audit.c.facility_id == wanted.facility_id, itself))
    exactly = {
        "author": wanted.author,
        "deed": wanted.deed,
        "verb": wanted.verb,
    }
    asked = asked.where(*(audit.c[name] == value for name, value in exactly.items() if value is not None))
    if not wanted.covert:
        asked = asked.where(audit.c.verb.not_in(COVERT))
    if wanted.about is not None:
        asked = asked.where(audit.c.about.contains(wanted.about, autoescape=True))
    zone = ZoneInfo(_zone(conn, wanted.facility_id))
    if wanted.since is not None:
        asked = asked.where(audit.c.at >= datetime.combine(wanted.since, time(0), zone))
    if wanted.until is not None:
        ends = datetime.combine(wanted.until + timedelta(days=1), time(0), zone)
        asked = asked.where(audit.c.at < ends)
    newest = asked.order_by(audit.c.at.desc(), audit.c.id.desc()).limit(wanted.most)
    return [_change(row, row.time_zone or zone.key) for row in conn.execute(newest)]


def inmate_shown(conn: Connection, facility_id: str | None, inmate_id: str) -> Shown:
    """All that is set for an inmate; raises StaffError for one who is not there."""
    own = facility_of(conn, facility_id)
    found = select(inmate).where(inmate.c.facility_id == own.id, inmate.c.inmate_id == inmate_id)
    person = conn.execute(found).one_or_none()
    if person is None:
        raise StaffError(f"{own.id} has no inmate {inmate_id}")
    zone = ZoneInfo(own.time_zone)
    theirs = kept(conn, own.id)
    by_staff = sorted(what for scope, what in theirs.authors if scope == scopes.inmate(person.id))
    return {
        "inmate": inmate_id,
        "name": person.name,
        "facility": own.id,
        "unit": person.unit_id,
        "state": person.state,
        "state_note": person.state_note,
        "suspended_from": local(person.suspended_from, zone),
        "suspended_to": local(person.suspended_to, zone),
        "recorded_name": "yes" if person.recorded_name is not None else "not yet",
        "locked": "yes, by wrong PINs" if _is_locked(conn, own.id, inmate_id) else None,
        "kept_by_staff": ", ".join(by_staff) or None,
        "list": list(_list(conn, person.id)),
        "limits": list(_limits(conn, own.id, person.id)),
        "blocks": list(_blocks(conn, own.id, person.id)),
        "requests": list(_requests(conn, person.id, zone)),
        "appointments": list(_appointments(conn, own.id, person.id, zone)),
        "changes": _latest(conn, own, inmate_id),
    }


def facility_of(conn: Connection, facility_id: str | None) -> Row[Any, Any]:
    """The named facility, or the only one; raises StaffError if that is not one."""
    wanted = select(facility.c.id, facility.c.time_zone).order_by(facility.c.id).limit(2)
    if facility_id is not None:
        wanted = wanted.where(facility.c.id == facility_id)
    found = conn.execute(wanted).all()
    if len(found) != 1:
        raise StaffError(f"there is no facility {facility_id}" if facility_id else "name one facility")
    return found[0]


def local(at: datetime | None, zone: ZoneInfo) -> str | None:
    """The facility's time, to the minute."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at is not None else None


def _zone(conn: Connection, facility_id: str | None) -> str:
    """The facility's time zone; of several facilities, the first one's."""
    wanted = select(facility.c.time_zone).order_by(facility.c.id).limit(1)
    if facility_id is not None:
        wanted = wanted.where(facility.c.id == facility_id)
    return conn.scalar(wanted) or "UTC"


def _change(row: Row[Any], zone: str) -> Shown:
    return {
        "at": local(row.at, ZoneInfo(zone)),
        "author": row.author,
        "facility": row.facility_id,
        "change": row.verb,
        "deed": row.deed,
        "role": row.role,
        "login": row.login,
        "about": row.about,
        "told": row.told,
        "note": row.note,
    }


def _is_locked(conn: Connection, facility_id: str, inmate_id: str) -> bool:
    names = WrongTries.__dataclass_fields__
    counted = select(*(wrong_pin.c[name] for name in names)).where(
        wrong_pin.c.facility_id == facility_id, wrong_pin.c.inmate_id == inmate_id
    )
    return is_locked([WrongTries(**row._mapping) for row in conn.execute(counted)])


def _list(conn: Connection, key: int) -> Iterator[Shown]:
    listed = select(allowed_number).where(allowed_number.c.inmate == key).order_by(allowed_number.c.number)
    for row in conn.execute(listed):
        yield {
            "number": row.number,
            "relation": row.relation,
            "speed_dial": row.speed_dial,
            "payer": f"only {row.payer} pays" if row.payer else None,
            "not_recorded": not row.records,
            "override": row.override_note,
            "learned": row.learned,
        }


def _limits(conn: Connection, facility_id: str, key: int) -> Iterator[Shown]:
    mine = or_(
        call_limit.c.scope == scopes.inmate(key),
        call_limit.c.scope.startswith(scopes.entry(key, ""), autoescape=True),
    )
    for row in conn.execute(select(call_limit).where(call_limit.c.facility_id == facility_id, mine)):
        number = row.scope.removeprefix(scopes.entry(key, ""))
        yield {
            "limit": f"{row.kind} {row.most}",
            "valid_from": row.valid_from and row.valid_from.isoformat(),
            "valid_to": row.valid_to and row.valid_to.isoformat(),
            "each": row.each,
            "to": number if number != row.scope else None,
            "call_type": row.call_type,
            "days": row.days,
            "in_minutes": row.within_minutes,
            "counts": row.counted,
        }


def _blocks(conn: Connection, facility_id: str, key: int) -> Iterator[Shown]:
    live = select(blocked_number).where(
        blocked_number.c.facility_id == facility_id,
        blocked_number.c.scope == scopes.inmate(key),
        blocked_number.c.lifted_at.is_(None),
    )
    for row in conn.execute(live.order_by(blocked_number.c.number)):
        yield {
            "what": f"{row.covers} {row.number}",
            "cause": row.cause,
            "note": row.note,
            "author": row.author,
        }


def _requests(conn: Connection, key: int, zone: ZoneInfo) -> Iterator[Shown]:
    mine = select(number_request).where(number_request.c.inmate == key)
    for row in conn.execute(mine.order_by(number_request.c.id.desc()).limit(LATEST)):
        yield {"number": row.number, "state": row.state, "asked": local(row.asked_at, zone), "note": row.note}


def _appointments(conn: Connection, facility_id: str, key: int, zone: ZoneInfo) -> Iterator[Shown]:
    begins = scopes.entry(key, "")
    mine = select(appointment).where(
        appointment.c.facility_id == facility_id,
        appointment.c.scope.startswith(begins, autoescape=True),
        appointment.c.cancelled_at.is_(None),
    )
    for row in conn.execute(mine.order_by(appointment.c.starts_at.desc()).limit(LATEST)):
        yield {
            "number": row.scope.removeprefix(begins),
            "from": local(row.starts_at, zone),
            "to": local(row.ends_at, zone),
            "note": row.note,
        }


def _latest(conn: Connection, own: Row[Any, Any], inmate_id: str) -> list[Shown]:
    about = f"inmate {inmate_id}"
    mine = or_(audit.c.about == about, audit.c.about.startswith(f"{about},", autoescape=True))
    open_ = (audit.c.deed == Deed.CHANGE, audit.c.verb.not_in(COVERT))
    newest = select(audit).where(audit.c.facility_id == own.id, *open_, mine)
    rows = conn.execute(newest.order_by(audit.c.at.desc(), audit.c.id.desc()).limit(LATEST))
    shown = [_change(row, own.time_zone) for row in rows]
    return [{name: each[name] for name in ("at", "told", "author", "note")} for each in shown]
