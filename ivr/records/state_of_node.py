"""What the database knows of how a node fares: telephones, switches, recordings, alerts, calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ivr.facility import on_call
from ivr.facility.switches import open_switches
from ivr.facility.tables import facility, station
from ivr.records.nodes import all_of_them
from ivr.records.states import RecordingState
from ivr.records.tables import alert, call, recording, session

#: So long a missing recording is told of.
TOLD_OF = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Known:
    """All of it, as it is now."""

    stations: Sequence[Any]  # rows: id, time_zone, last_used_at
    switches: Sequence[Row[Any]]
    missing: int  # recordings, of the last days
    alerts: int  # open ones
    on_call: Sequence[str]  # operators who are told of them
    calls: int
    nodes: Sequence[Row[Any]]


def known(conn: Connection, at: datetime) -> Known:
    """Read it; each question is answered by an index."""
    last_used = (
        select(func.max(session.c.started_at)).where(session.c.station_id == station.c.id).scalar_subquery()
    )
    stations = (
        select(station.c.id, facility.c.time_zone, last_used.label("last_used_at"))
        .join(facility, facility.c.id == station.c.facility_id)
        .order_by(station.c.id)
    )
    missing = select(func.count()).where(
        recording.c.state == RecordingState.MISSING, recording.c.started_at >= at - TOLD_OF
    )
    return Known(
        stations=conn.execute(stations).all(),
        switches=open_switches(conn),
        missing=conn.scalar(missing) or 0,
        alerts=conn.scalar(select(func.count()).where(alert.c.done_at.is_(None))) or 0,
        on_call=[row.operator for row in on_call.ways(conn) if row.since is not None],
        calls=conn.scalar(select(func.count()).where(call.c.sealed_at.is_(None))) or 0,
        nodes=all_of_them(conn),
    )
