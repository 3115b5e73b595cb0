"""The calls that limits count: by index, no further back than the limits look."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, union_all

from accounts.db import Prepared
from ivr.policy.quantity import History, PastCall
from ivr.policy.request import CallClass
from ivr.records.tables import LIVE, LIVE_ALONE, call

NOBODY = -1  # no inmate's key
_caller = func.coalesce(call.c.inmate, 0)  # calls of nobody are other people's to everybody
_COUNTED = (
    call.c.facility_id,
    call.c.inmate,
    call.c.number,
    call.c.keyed_at,
    call.c.talk_from_at,
    call.c.talk_ms,
    call.c.limit_ms,
    call.c.privileged,
    call.c.call_class,
    call.c.sealed_at,
    call.c.given_back,
)
_allowed = select(*_COUNTED).where(call.c.limit_ms.is_not(None))
_HISTORY = Prepared(
    union_all(
        _allowed.where(call.c.inmate == bindparam("inmate"), call.c.keyed_at >= bindparam("inmate_since")),
        _allowed.where(
            call.c.number == bindparam("number"),
            call.c.keyed_at >= bindparam("number_since"),
            call.c.facility_id == bindparam("facility_id"),
            _caller != bindparam("inmate"),
        ),
        _allowed.where(
            LIVE, call.c.inmate == bindparam("inmate"), call.c.keyed_at < bindparam("inmate_since")
        ),
        _allowed.where(
            LIVE_ALONE,
            call.c.number == bindparam("number"),
            _caller != bindparam("inmate"),
            (call.c.keyed_at < bindparam("number_since")) | (call.c.facility_id != bindparam("facility_id")),
        ),
    )
)


def history(
    conn: Connection,
    *,
    facility_id: str,
    inmate: int | None,
    number: str,
    inmate_since: datetime,
    number_since: datetime,
    relay_limit_factor: int = 1,
) -> History:
    """The allowed calls of an inmate and of others of the facility to a number, and all that are in progress.

    A talk over a relay counts for as much shorter as it may be longer.
    """
    asked = {
        "facility_id": facility_id,
        "inmate": NOBODY if inmate is None else inmate,
        "number": number,
        "inmate_since": inmate_since,
        "number_since": number_since,
    }
    return [
        PastCall(
            by_inmate=inmate is not None and row.inmate == inmate,
            to_number=row.number == number,
            keyed_at=row.keyed_at,
            talk_from_at=row.talk_from_at,
            talk_ms=(row.limit_ms if row.sealed_at is None else row.talk_ms)
            // (relay_limit_factor if row.call_class == CallClass.TRS else 1),
            in_progress=row.sealed_at is None,
            privileged=bool(row.privileged),
            elsewhere=row.facility_id != facility_id,
            given_back=row.given_back is True,
        )
        for row in _HISTORY.rows(conn, asked)
    ]
