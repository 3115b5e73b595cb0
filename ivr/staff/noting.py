"""Staff write a note about a call, in progress or over."""

from ivr.policy.hotline import ANONYMOUS_KINDS
from ivr.records import notes
from ivr.staff.desk import Desk, StaffError
from ivr.staff.of_call import OfCall


def note(desk: Desk, asked: OfCall) -> str:
    """The call's story has it from now on; raises StaffError for no call, and for one that keeps no trace."""
    found = asked.found(desk.conn)
    if len(found) != 1:
        raise StaffError(f"{'more than one call begins' if found else 'no call begins'} with {asked.call_id}")
    [row] = found
    if row.hotline_kind in ANONYMOUS_KINDS:
        raise StaffError(f"{asked.about} keeps no trace of who calls, and takes no notes")
    notes.add(desk.conn, call_id=row.id, author=asked.author, text=asked.note, at=desk.at)
    return f"call {row.id[:8]}: noted"
