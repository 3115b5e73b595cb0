"""Privileged numbers as staff read them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, String, cast, literal, select

from ivr.facility import privileged, scopes
from ivr.facility.tables import facility, inmate, privileged_number
from ivr.policy.level import Level
from ivr.policy.privilege import Shrinking

_ASKED = {
    Shrinking.REMOVE: "removal asked",
    Shrinking.TIMED: "no longer untimed asked",
    Shrinking.NARROW: "one inmate's asked",
}
_IN_DOUBT = (
    "{}: the list is in doubt: rows were lost or changed by something else; nothing is recorded until two "
    "operators vouch for it (`ivr number privileged vouch`)"
)


def privileged_numbers(conn: Connection, facility_id: str | None, at: datetime) -> Sequence[dict[str, str]]:
    """A row for each number, also for what has lapsed; times are the facility's."""
    own = literal(f"{Level.INMATE}/") + cast(inmate.c.id, String)
    rows = (
        select(privileged_number, facility.c.time_zone, facility.c.agency_id, inmate.c.inmate_id)
        .join(facility, facility.c.id == privileged_number.c.facility_id)
        .outerjoin(inmate, own == privileged_number.c.scope)
        .where(privileged_number.c.removed_at.is_(None))
    )
    if facility_id is not None:
        rows = rows.where(facility.c.id == facility_id)
    ordered = rows.order_by(facility.c.id, privileged_number.c.number, privileged_number.c.id)
    return [_told(row, at) for row in conn.execute(ordered)]


def lists_in_doubt(conn: Connection, facility_id: str | None) -> Sequence[str]:
    """A sentence for each facility whose list is not what was written to it."""
    ids = select(facility.c.id).order_by(facility.c.id)
    if facility_id is not None:
        ids = ids.where(facility.c.id == facility_id)
    return [_IN_DOUBT.format(each) for each in conn.scalars(ids).all() if not privileged.intact(conn, each)]


def _told(row: Row[Any], at: datetime) -> dict[str, str]:
    zone = ZoneInfo(row.time_zone)
    state, by, until = _state(row, at)
    return {
        "number": row.number,
        "whose": _whose(row),
        "kind": f"{row.kind}, untimed" if row.untimed else row.kind,
        "state": state,
        "since": _local(row.added_at, zone),
        "by": by,
        "until": _local(until, zone) if until else "",
    }


def _whose(row: Row[Any]) -> str:
    if row.scope == scopes.AGENCY:
        return f"{row.facility_id}, as of agency {row.agency_id}"
    return f"inmate {row.inmate_id}" if row.inmate_id else row.facility_id


def _state(row: Row[Any], at: datetime) -> tuple[str, str, datetime | None]:
    """How it stands, by whom, and until when another operator may confirm it."""
    if row.asked is not None and row.asked_until > at:
        return _ASKED[Shrinking(row.asked)], row.asked_by, row.asked_until
    if row.confirmed_at is not None:
        return "stands", f"{row.author}, {row.confirmed_by}", None
    return ("not confirmed" if row.lapses_at > at else "lapsed"), row.author, row.lapses_at


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
