"""An investigator's telephone listens to a call in progress; never to a privileged one."""

from typing import Any

from sqlalchemy import ColumnElement, Row, exists, literal, select

from ivr.facility import privileged
from ivr.policy.hotline import ANONYMOUS_KINDS
from ivr.policy.request import CallClass
from ivr.records import listening
from ivr.records.calls import is_privileged
from ivr.records.states import CallState
from ivr.records.tables import call
from ivr.staff.desk import Alarm, Desk, StaffError, WholeId
from ivr.staff.of_call import OfCall
from rating.form import Slug


class Listen(OfCall):
    """A telephone is to be rung, and to hear a call; the note says why."""

    phone: Slug
    listening_id: WholeId

    @classmethod
    def among(cls) -> tuple[ColumnElement[bool], ...]:
        """Talks."""
        return (call.c.sealed_at.is_(None), call.c.state == CallState.ACCEPTED)


def listen(desk: Desk, asked: Listen) -> str:
    """The telephone is rung once this stands; raises Alarm for a call that nobody may hear, StaffError for no talk.

    A number that becomes privileged in the talk ends it at once.
    """
    row = _heard(desk, asked, speaks=False)
    return f"call {row.id[:8]}: {asked.phone} is rung, and hears it when it is answered"


def cut_in(desk: Desk, asked: Listen) -> str:
    """The same, but both are told that staff join, and hear the telephone; raises StaffError for a relay's call too."""
    row = _heard(desk, asked, speaks=True)
    return f"call {row.id[:8]}: both are told, {asked.phone} is rung, and they hear it when it is answered"


def _heard(desk: Desk, asked: Listen, *, speaks: bool) -> Row[Any]:
    found = asked.found(desk.conn)
    if len(found) != 1:
        told = "more than one talk begins" if found else "nobody talks in a call that begins"
        raise StaffError(f"{told} with {asked.call_id}")
    [row] = found
    is_intact = privileged.intact(desk.conn, row.facility_id)
    if row.privileged is not False or _became_privileged(desk, row) or not is_intact:
        raise Alarm("privileged call", f"{asked.author} was refused to listen to privileged call {row.id}")
    if row.hotline_kind in ANONYMOUS_KINDS:
        raise Alarm("anonymous call", f"{asked.author} was refused to listen to anonymous call {row.id}")
    if speaks and row.call_class == CallClass.TRS:
        raise StaffError(
            f"call {row.id[:8]} is over a relay, into which nothing is spoken: `ivr cut` ends it"
        )
    if (busy := listening.listens_with(desk.conn, asked.phone)) is not None:
        raise StaffError(f"{asked.phone} listens already, to call {busy.call_id[:8]}: hang it up first")
    listening.begin(
        desk.conn,
        listening_id=asked.listening_id,
        call_id=row.id,
        author=asked.author,
        note=asked.note,
        phone=asked.phone,
        at=desk.at,
        speaks=speaks,
    )
    return row


def _became_privileged(desk: Desk, row: Row[Any]) -> bool:
    now = exists().where(is_privileged(literal(desk.at, call.c.keyed_at.type)))
    return bool(desk.conn.scalar(select(now).select_from(call).where(call.c.id == row.id)))
