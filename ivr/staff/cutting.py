"""A call in progress is cut off, and its number blocked where that is wanted."""

from typing import Any

from sqlalchemy import ColumnElement, Row, update

from ivr.policy.hotline import ANONYMOUS_KINDS
from ivr.records import notes
from ivr.records.tables import call
from ivr.staff import blocks
from ivr.staff.desk import Desk, StaffError
from ivr.staff.of_call import OfCall


class Cut(OfCall):
    """A call in progress is to end at once; the note says why."""

    block: bool = False
    block_note: str | None = None

    @classmethod
    def among(cls) -> tuple[ColumnElement[bool], ...]:
        """Calls in progress."""
        return (call.c.sealed_at.is_(None),)


def cut(desk: Desk, asked: Cut) -> str:
    """It ends, and can't be accepted any more; raises StaffError for one that is over.

    Whoever watches Asterisk ends it there. The record says `cut_off`, and only the talk until now is paid. Its story
    says who did it and why, but of one that keeps no trace.
    """
    row = _in_progress(desk, asked)
    if row.cut_at is None:
        desk.conn.execute(update(call).where(call.c.id == row.id).values(cut_at=desk.at))
        if row.hotline_kind not in ANONYMOUS_KINDS:
            why = f"cut off: {asked.note}"
            notes.add(desk.conn, call_id=row.id, author=asked.author, text=why, at=desk.at)
    told = f"call {row.id[:8]}: {'cut off' if row.cut_at is None else 'was cut off already'}"
    return f"{told}; {_block(desk, asked, row)}" if asked.block else told


def _in_progress(desk: Desk, asked: Cut) -> Row[Any]:
    found = asked.found(desk.conn)
    if len(found) != 1:
        told = "more than one call in progress begins" if found else "no call in progress begins"
        raise StaffError(f"{told} with {asked.call_id}")
    return found[0]


def _block(desk: Desk, asked: Cut, row: Row[Any]) -> str:
    if row.number is None or row.hotline_kind in ANONYMOUS_KINDS:
        raise StaffError(f"{asked.about}: its number is not one to block; nothing was done")
    wanted = blocks.Block(
        number=row.number,
        cause="security",
        note=asked.block_note or asked.note,
        author=asked.author,
        facility_id=row.facility_id,
    )
    return blocks.block(desk, wanted)
