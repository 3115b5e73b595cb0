"""What people who called in have asked of people."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from ivr.policy.service import RequestKind, RequestState
from ivr.records.tables import service_request

_row = service_request.c


def ask(
    conn: Connection,
    kind: RequestKind,
    *,
    facility_id: str,
    number: str,
    language: str,
    call_back_id: str | None,
    at: datetime,
    due_on: date,
) -> Row[Any]:
    """The request, now in the list of those that wait; asking again while it waits is the same one.

    One that only the shown number speaks for is not taken for one that its telephone has asked for.
    """
    same = (
        _row.facility_id == facility_id,
        _row.number == number,
        _row.kind == kind,
        _row.state == RequestState.WAITING,
        _row.call_back_id.is_(None) if call_back_id is None else _row.call_back_id.is_not(None),
    )
    standing = conn.execute(select(service_request).where(*same)).first()
    if standing is not None:
        return standing
    row = {"facility_id": facility_id, "number": number, "kind": kind, "language": language}
    asked = {"call_back_id": call_back_id, "asked_at": at, "due_on": due_on, "state": RequestState.WAITING}
    conn.execute(insert(service_request).values(**row, **asked))
    return conn.execute(select(service_request).where(*same)).one()


def waiting(conn: Connection, facility_id: str, number: str, kind: RequestKind) -> Sequence[Row[Any]]:
    """The number's own requests of a kind that nobody has decided."""
    own = (_row.facility_id == facility_id, _row.number == number, _row.kind == kind)
    return conn.execute(select(service_request).where(*own, _row.state == RequestState.WAITING)).all()
