"""The list of privileged numbers: when a row of it holds, and what is done to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    String,
    and_,
    cast,
    insert,
    literal,
    or_,
    select,
    update,
)

from ivr.facility import scopes
from ivr.facility.tables import privileged_number
from ivr.policy.level import Level
from ivr.policy.privilege import WAITS_FOR_ANOTHER, PrivilegeKind, PrivilegeSource

_row = privileged_number.c


def holds(at: Any, *, facility_id: Any, number: Any, inmate_key: Any) -> ColumnElement[bool]:
    """The condition that a row makes a number privileged for an inmate: confirmed, or not lapsed yet.

    Each may be a value, a bound parameter or a column of another table.
    """
    own = literal(f"{Level.INMATE}/") + cast(inmate_key, String)
    return and_(
        _row.facility_id == facility_id,
        _row.number == number,
        or_(_row.scope == scopes.FACILITY, _row.scope == own),
        _row.removed_at.is_(None),
        or_(_row.confirmed_at.is_not(None), _row.lapses_at > at),
    )


def standing(
    conn: Connection, facility_id: str, at: datetime, *, number: str | None = None, scope: str | None = None
) -> Sequence[Row[Any]]:
    """The rows of a facility that hold, of one number or scope or of all."""
    wanted = select(privileged_number).where(
        _row.facility_id == facility_id,
        _row.removed_at.is_(None),
        or_(_row.confirmed_at.is_not(None), _row.lapses_at > at),
    )
    if number is not None:
        wanted = wanted.where(_row.number == number)
    if scope is not None:
        wanted = wanted.where(_row.scope == scope)
    return conn.execute(wanted.order_by(_row.number, _row.id)).all()


def numbers(conn: Connection, facility_id: str, at: datetime) -> set[tuple[str, str]]:
    """Each privileged number with its scope."""
    return {(row.number, row.scope) for row in standing(conn, facility_id, at)}


def add(
    conn: Connection,
    *,
    facility_id: str,
    scope: str,
    number: str,
    kind: PrivilegeKind,
    source: PrivilegeSource,
    note: str,
    author: str,
    at: datetime,
    untimed: bool = False,
    bar_number: str | None = None,
    document_sha256: str | None = None,
    confirmed_by: str | None = None,
) -> None:
    """From now on the number is privileged: until it lapses, or for good where somebody has confirmed it.

    What stands there unconfirmed, or has lapsed, makes way.
    """
    same = (_row.facility_id == facility_id, _row.scope == scope, _row.number == number)
    before = update(privileged_number).where(*same, _row.removed_at.is_(None), _row.confirmed_at.is_(None))
    conn.execute(before.where(_row.untimed.is_(untimed)).values(removed_at=at))
    conn.execute(
        insert(privileged_number).values(
            facility_id=facility_id,
            scope=scope,
            number=number,
            untimed=untimed,
            kind=kind,
            source=source,
            bar_number=bar_number,
            document_sha256=document_sha256,
            note=note,
            author=author,
            added_at=at,
            lapses_at=at + WAITS_FOR_ANOTHER,
            confirmed_by=confirmed_by,
            confirmed_at=at if confirmed_by else None,
        )
    )


def change(conn: Connection, row_id: int, **values: object) -> None:
    """Change one row."""
    conn.execute(update(privileged_number).where(_row.id == row_id).values(**values))
