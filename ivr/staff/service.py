"""What people have asked for on the service line: a list, and what became of it."""

from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from ivr.facility.tables import facility
from ivr.policy.service import RequestState
from ivr.records.tables import service_request
from ivr.staff.desk import Asked, Desk, StaffError
from ivr.staff.shown import Shown, facility_of, local


class Answer(Asked):
    """A request, by the number that its receipt has."""

    request: int

    @property
    def about(self) -> str:
        """The request."""
        return f"service request {self.request}"


def done(desk: Desk, asked: Answer) -> str:
    """It was done: the person was called, the money paid out, the number listed."""
    return _decide(desk, asked, RequestState.DONE)


def refuse(desk: Desk, asked: Answer) -> str:
    """It is not done, and the person was told why."""
    return _decide(desk, asked, RequestState.REFUSED)


def service_shown(conn: Connection, facility_id: str | None, *, decided: bool) -> list[Shown]:
    """The requests that wait, or with `decided` all of them, those that are due first at the top."""
    wanted = select(service_request, facility.c.time_zone).join(
        facility, facility.c.id == service_request.c.facility_id
    )
    if facility_id is not None:
        wanted = wanted.where(service_request.c.facility_id == facility_of(conn, facility_id).id)
    if not decided:
        wanted = wanted.where(service_request.c.state == RequestState.WAITING)
    shown: list[Shown] = []
    for row in conn.execute(wanted.order_by(service_request.c.due_on, service_request.c.id)):
        zone = ZoneInfo(row.time_zone)
        shown.append(
            {
                "request": row.id,
                "facility": row.facility_id,
                "number": row.number,
                "wants": row.kind,
                "verified": "yes" if row.call_back_id else "no",
                "language": row.language,
                "asked": local(row.asked_at, zone),
                "due": str(row.due_on),
                "state": row.state,
                "decided by": row.decided_by,
                "decided": local(row.decided_at, zone),
                "note": row.note,
            }
        )
    return shown


def _decide(desk: Desk, asked: Answer, state: RequestState) -> str:
    own = desk.facility_id(asked)
    mine = (service_request.c.id == asked.request, service_request.c.facility_id == own)
    row = desk.conn.execute(select(service_request).where(*mine).with_for_update()).one_or_none()
    if row is None:
        raise StaffError(f"{own} has no service request {asked.request}")
    if row.state != RequestState.WAITING:
        raise StaffError(f"service request {asked.request} was {row.state} by {row.decided_by}")
    how = {"state": state, "decided_by": asked.author, "decided_at": desk.at, "note": asked.note}
    desk.conn.execute(update(service_request).where(*mine).values(**how))
    return f"{row.number}: {row.kind}, {state}"
