"""A session: one off-hook at a station, from the first word on."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from ivr.facility.tables import inmate
from ivr.policy.reasons import Reason
from ivr.records.tables import session


def open_session(
    conn: Connection, session_id: str, station_id: str, facility_id: str | None, at: datetime
) -> None:
    """The row stands before the first word is heard."""
    conn.execute(
        insert(session).values(
            id=session_id, station_id=station_id, facility_id=facility_id, language="en", started_at=at
        )
    )


def set_language(conn: Connection, session_id: str, language: str) -> None:
    """What the inmate hears from now on."""
    conn.execute(update(session).where(session.c.id == session_id).values(language=language))


def set_inmate(conn: Connection, session_id: str, inmate_key: int) -> None:
    """Who is calling, once the PIN was right."""
    conn.execute(update(session).where(session.c.id == session_id).values(inmate=inmate_key))


def session_of(conn: Connection, session_id: str) -> Row[Any] | None:
    """The session and its inmate, for a script that goes on with it."""
    return conn.execute(
        select(
            session.c.station_id,
            session.c.inmate,
            session.c.language,
            inmate.c.recorded_name.is_not(None).label("has_name"),
        )
        .outerjoin(inmate, inmate.c.id == session.c.inmate)
        .where(session.c.id == session_id)
    ).one_or_none()


def close_session(conn: Connection, session_id: str, reason: Reason | None, at: datetime) -> None:
    """The receiver is back on its hook; the first closing stands."""
    conn.execute(
        update(session)
        .where(session.c.id == session_id, session.c.ended_at.is_(None))
        .values(ended_at=at, reason=reason)
    )


def close_forgotten(
    conn: Connection, stations_in_use: Collection[str], looked_at: datetime, at: datetime
) -> None:
    """Close the sessions that were open when Asterisk was asked, at stations which had no channel any more."""
    conn.execute(
        update(session)
        .where(
            session.c.ended_at.is_(None),
            session.c.started_at < looked_at,
            session.c.station_id.not_in(stations_in_use),
        )
        .values(ended_at=at)
    )
