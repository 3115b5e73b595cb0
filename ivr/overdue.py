"""Alerts of what people who called in were promised by a day that is over: an attorney's listing, a call, a refund."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from ivr.facility.tables import facility
from ivr.policy.service import RequestState
from ivr.records.alerts import alert_unless_told
from ivr.records.tables import service_request

NAME: Final = "overdue-requests"
KIND: Final = "request overdue"


def tell_of_overdue(conn: Connection, at: datetime) -> int:
    """Tell of each request that still waits on the day after it was due, in its facility's time; of each once."""
    row = service_request.c
    waiting = select(service_request, facility.c.time_zone).join(facility, facility.c.id == row.facility_id)
    count = 0
    for each in conn.execute(waiting.where(row.state == RequestState.WAITING).order_by(row.id)):
        if at.astimezone(ZoneInfo(each.time_zone)).date() > each.due_on:
            told = f"request {each.id} ({each.kind}) at {each.facility_id} was due on {each.due_on}"
            count += alert_unless_told(conn, KIND, told, at)
    return count
