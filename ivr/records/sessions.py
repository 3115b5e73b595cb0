"""A session: one off-hook at a station, from the first word on."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, insert, select, update

from accounts.db import Prepared
from ivr.facility.tables import inmate
from ivr.policy.hotline import NO_STATION, coarse
from ivr.policy.reasons import Reason
from ivr.records.nodes import of_node
from ivr.records.tables import call, session

_this = update(session).where(session.c.id == bindparam("session_id"))
_OPEN = Prepared(insert(session))
_THIS = Prepared(_this)
_UNENDED = Prepared(_this.where(session.c.ended_at.is_(None)))
_SESSION = Prepared(
    select(
        session.c.station_id,
        session.c.inmate,
        inmate.c.inmate_id,
        session.c.booking_id,
        session.c.language,
        inmate.c.recorded_name.is_not(None).label("has_name"),
        inmate.c.volume,
    )
    .outerjoin(inmate, inmate.c.id == session.c.inmate)
    .where(session.c.id == bindparam("session_id"))
)


def open_session(
    conn: Connection,
    session_id: str,
    station_id: str,
    facility_id: str | None,
    at: datetime,
    *,
    node: str | None = None,
) -> None:
    """The row stands before the first word is heard."""
    _OPEN.change(
        conn,
        {
            "id": session_id,
            "station_id": station_id,
            "facility_id": facility_id,
            "language": "en",
            "started_at": at,
            "node": node,
        },
    )


def set_inmate(conn: Connection, session_id: str, inmate_key: int, language: str) -> None:
    """Who is calling, once the PIN was right, and in which language."""
    _THIS.change(conn, {"session_id": session_id, "inmate": inmate_key, "language": language})


def set_booking(conn: Connection, session_id: str, booking_id: int, language: str) -> None:
    """On which booking somebody calls, and in which language."""
    _THIS.change(conn, {"session_id": session_id, "booking_id": booking_id, "language": language})


def forget_station(conn: Connection, session_id: str, language: str, at: datetime) -> None:
    """The session is at no telephone from now on, in an hour. It counts as over, so that nothing closes it later."""
    hour = coarse(at)
    forgotten = {"station_id": NO_STATION, "language": language, "started_at": hour, "ended_at": hour}
    _THIS.change(conn, {"session_id": session_id, **forgotten})


def set_language(conn: Connection, session_id: str, language: str) -> None:
    """In which language somebody goes on who was not asked who they are."""
    _THIS.change(conn, {"session_id": session_id, "language": language})


def session_of(conn: Connection, session_id: str) -> Row[Any] | None:
    """The session and its inmate, for a script that goes on with it."""
    return _SESSION.row(conn, {"session_id": session_id})


def close_session(conn: Connection, session_id: str, reason: Reason | None, at: datetime) -> None:
    """The receiver is back on its hook; the first closing stands."""
    _UNENDED.change(conn, {"session_id": session_id, "ended_at": at, "reason": reason})


def close_forgotten(
    conn: Connection,
    stations_in_use: Collection[str],
    looked_at: datetime,
    at: datetime,
    *,
    node: str | None = None,
) -> None:
    """Close the node's sessions that were open when its Asterisk was asked, at stations without a channel by then."""
    conn.execute(
        update(session)
        .where(
            session.c.ended_at.is_(None),
            session.c.started_at < looked_at,
            session.c.station_id.not_in(stations_in_use),
            of_node(session.c.node, node),
        )
        .values(ended_at=at)
    )


def close_of_gone(conn: Connection, node: str, at: datetime) -> None:
    """Close the sessions of a node that is gone, but for those with a call that is not settled."""
    goes_on = exists().where(call.c.session_id == session.c.id, call.c.sealed_at.is_(None))
    theirs = (session.c.ended_at.is_(None), of_node(session.c.node, node), ~goes_on)
    conn.execute(update(session).where(*theirs).values(ended_at=at))
