"""The calls to a number, as whoever has that telephone may hear of them: never who called."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from ivr.policy.hotline import ANONYMOUS_KINDS
from ivr.records.tables import call


def sealed_calls_to(
    conn: Connection, facility_id: str, number: str, since: datetime, most: int, *, talked: bool
) -> Sequence[Row[Any]]:
    """The newest calls from a facility that were talked, or that did not reach the number, the newest first.

    Of a hotline that keeps no trace of its callers nothing is told.
    """
    keeps_trace = call.c.hotline_kind.is_(None) | call.c.hotline_kind.not_in(ANONYMOUS_KINDS)
    wanted = select(call).where(
        call.c.number == number,
        call.c.facility_id == facility_id,
        call.c.keyed_at > since,
        call.c.sealed_at.is_not(None),
        call.c.talk_ms > 0 if talked else call.c.talk_ms == 0,
        keeps_trace,
    )
    return conn.execute(wanted.order_by(call.c.keyed_at.desc(), call.c.id).limit(most)).all()
