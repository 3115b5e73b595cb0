"""Call-backs: who called in and is called at the number that was shown, so that it is known who has that telephone.

A call-back is written down before it is rung. It is answered once, and what only its telephone may ask for needs the
key that was pressed there.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, exists, func, insert, select, update

from ivr.facility.tables import facility
from ivr.policy.service import (
    AGAIN_AFTER,
    FREE_AFTER,
    ONE_DAY,
    ONE_HOUR,
    TRIES,
    UNVERIFIED_A_DAY,
    UNVERIFIED_AN_HOUR,
    UNWANTED_FOR,
    WAITS,
)
from ivr.records.tables import call_back

_row = call_back.c


def may_be_called_back(conn: Connection, number: str, at: datetime) -> bool:
    """Whether nobody at the number has had enough of it, and none waits: a number shown may be somebody else's.

    Nor where too many numbers were asked for in vain in the last hour.
    """
    mine = _row.number == number
    unwanted = exists().where(mine, _row.unwanted_at > at - UNWANTED_FOR)
    waits = exists().where(mine, _row.next_try_at.is_not(None), _row.asked_at > at - WAITS)
    in_vain = (
        select(func.count())
        .where(mine, _row.asked_at > at - ONE_DAY, _row.verified_at.is_(None))
        .scalar_subquery()
    )
    flood = (
        select(func.count())
        .where(_row.asked_at > at - ONE_HOUR, _row.verified_at.is_(None))
        .scalar_subquery()
    )
    too_many = (in_vain >= UNVERIFIED_A_DAY) | (flood >= UNVERIFIED_AN_HOUR)
    return not conn.execute(select(unwanted | waits | too_many)).scalar_one()


def ask(
    conn: Connection, call_back_id: str, *, facility_id: str, number: str, language: str, at: datetime
) -> bool:
    """Have the number rung as soon as its line is free (`is_free`); False where it may not be."""
    if not may_be_called_back(conn, number, at):
        return False
    row = {"id": call_back_id, "facility_id": facility_id, "number": number, "language": language}
    conn.execute(insert(call_back).values(**row, asked_at=at, tries=0, next_try_at=at + AGAIN_AFTER))
    return True


def is_free(conn: Connection, call_back_id: str, at: datetime) -> None:
    """Whoever asked for it has hung up: it is rung as soon as their line can be free."""
    waits = update(call_back).where(_row.id == call_back_id, _row.next_try_at.is_not(None))
    conn.execute(waits.values(next_try_at=at + FREE_AFTER))


def due(conn: Connection, at: datetime) -> Sequence[Row[*tuple[Any, ...]]]:
    """Those that are to be rung now, with the number that their facility shows."""
    wanted = (
        select(_row.id, _row.number, _row.tries, _row.next_try_at, facility.c.caller_id)
        .join(facility, facility.c.id == _row.facility_id)
        .where(_row.next_try_at <= at)
    )
    return conn.execute(wanted.order_by(_row.next_try_at, _row.id)).all()


def are_waiting(conn: Connection) -> bool:
    """Whether any is to be rung, now or later."""
    return bool(conn.execute(select(exists().where(_row.next_try_at.is_not(None)))).scalar_one())


def claim(conn: Connection, row: Row[*tuple[Any, ...]], at: datetime) -> bool:
    """Whether it is ours to ring now: nobody else has begun, and it was asked for a moment ago.

    It is rung again later, unless somebody answers meanwhile; so often at most.
    """
    again = at + AGAIN_AFTER if row.tries + 1 < TRIES else None
    mine = update(call_back).where(_row.id == row.id, _row.next_try_at == row.next_try_at)
    is_ours = conn.execute(mine.values(tries=row.tries + 1, next_try_at=again)).rowcount == 1
    if not is_ours:
        return False
    fresh = conn.execute(select(_row.asked_at > at - WAITS).where(_row.id == row.id)).scalar_one()
    if not fresh:
        conn.execute(update(call_back).where(_row.id == row.id).values(next_try_at=None))
    return bool(fresh)


def answered(conn: Connection, call_back_id: str, at: datetime) -> Row[Any] | None:
    """The call-back that somebody has just answered; None for one that is unknown, was answered, or is too old."""
    theirs = update(call_back).where(
        _row.id == call_back_id, _row.answered_at.is_(None), _row.asked_at > at - WAITS - timedelta(minutes=1)
    )
    if conn.execute(theirs.values(answered_at=at, next_try_at=None)).rowcount != 1:
        return None
    return conn.execute(select(call_back).where(_row.id == call_back_id)).one()


def verified(conn: Connection, call_back_id: str, at: datetime) -> None:
    """Somebody at the number has pressed the key."""
    conn.execute(update(call_back).where(_row.id == call_back_id).values(verified_at=at))


def unwanted(conn: Connection, call_back_id: str, at: datetime) -> None:
    """Somebody at the number did not ask for it."""
    conn.execute(update(call_back).where(_row.id == call_back_id).values(unwanted_at=at))
