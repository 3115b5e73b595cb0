"""Staff write a note about a call, in progress or over."""

from typing import ClassVar

from sqlalchemy import select

from ivr.policy.hotline import ANONYMOUS_KINDS
from ivr.records import notes
from ivr.records.tables import call
from ivr.staff.desk import Asked, BegunId, Desk, StaffError


class OnCall(Asked):
    """The note is about a call, named by its id or the beginning of it."""

    of_facility: ClassVar[bool] = False

    call_id: BegunId

    @property
    def about(self) -> str:
        """The call."""
        return f"call {self.call_id}"


def note(desk: Desk, asked: OnCall) -> str:
    """The call's story has it from now on; raises StaffError for no call, and for one that keeps no trace."""
    begins = (call.c.id >= asked.call_id, call.c.id < asked.call_id + "g")
    found = desk.conn.execute(select(call.c.id, call.c.hotline_kind).where(*begins).limit(2)).all()
    if len(found) != 1:
        raise StaffError(f"{'more than one call begins' if found else 'no call begins'} with {asked.call_id}")
    [row] = found
    if row.hotline_kind in ANONYMOUS_KINDS:
        raise StaffError(f"{asked.about} keeps no trace of who calls, and takes no notes")
    notes.add(desk.conn, call_id=row.id, author=asked.author, text=asked.note, at=desk.at)
    return f"call {row.id[:8]}: noted"
