"""A call in progress is cut off, and its number blocked where that is wanted."""

from typing import Any, ClassVar

from sqlalchemy import Row, select, update

from ivr.policy.hotline import ANONYMOUS_KINDS
from ivr.records.tables import call
from ivr.staff import blocks
from ivr.staff.desk import Asked, BegunId, Desk, StaffError


class Cut(Asked):
    """A call, by its id or the beginning of it, is to end at once; the note says why."""

    of_facility: ClassVar[bool] = False

    call_id: BegunId
    block: bool = False
    block_note: str | None = None

    @property
    def about(self) -> str:
        """The call."""
        return f"call {self.call_id}"


def cut(desk: Desk, asked: Cut) -> str:
    """It ends, and can't be accepted any more; raises StaffError for one that is over.

    Whoever watches Asterisk ends it there. The record says `cut_off`, and only the talk until now is paid.
    """
    row = _in_progress(desk, asked)
    if row.cut_at is None:
        desk.conn.execute(update(call).where(call.c.id == row.id).values(cut_at=desk.at))
    told = f"call {row.id[:8]}: {'cut off' if row.cut_at is None else 'was cut off already'}"
    return f"{told}; {_block(desk, asked, row)}" if asked.block else told


def _in_progress(desk: Desk, asked: Cut) -> Row[Any]:
    these = select(call).where(call.c.id.startswith(asked.call_id), call.c.sealed_at.is_(None))
    found = desk.conn.execute(these.limit(2)).all()
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
