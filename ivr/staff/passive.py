"""Whose answer is the acceptance: the facility's file asks for it, two operators say yes, and one may say no."""

from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from ivr.facility.fields import E164
from ivr.facility.tables import passive_number, special_number
from ivr.staff.desk import Asked, Desk, StaffError


class PassiveNumber(Asked):
    """A number that the facility's file calls passive."""

    number: E164

    @property
    def about(self) -> str:
        """The number."""
        return f"number {self.number}"


def add(desk: Desk, asked: PassiveNumber) -> str:
    """The first of two operators agrees; raises StaffError where the facility's file does not ask for it."""
    facility_id = desk.facility_id(asked)
    wanted = select(special_number.c.passive).where(
        special_number.c.facility_id == facility_id, special_number.c.number == asked.number
    )
    if not desk.conn.scalar(wanted):
        raise StaffError(f"{asked.about}: the facility's file does not call it passive")
    if _row(desk, facility_id, asked) is not None:
        raise StaffError(f"{asked.about}: was added already")
    values = {"facility_id": facility_id, "number": asked.number, "author": asked.author, "added_at": desk.at}
    desk.conn.execute(insert(passive_number).values(values))
    return f"{asked.about}: needs the key until another operator confirms that an answer is enough"


def confirm(desk: Desk, asked: PassiveNumber) -> str:
    """The second agrees: from now on an answer is enough. Raises StaffError for the first."""
    facility_id = desk.facility_id(asked)
    row = _row(desk, facility_id, asked)
    if row is None or row.confirmed_at is not None:
        raise StaffError(f"{asked.about}: there is nothing to confirm")
    if row.author == asked.author:
        raise StaffError(f"{asked.about}: you asked for this yourself, so another operator confirms it")
    this = (passive_number.c.facility_id == facility_id, passive_number.c.number == asked.number)
    values = {"confirmed_by": asked.author, "confirmed_at": desk.at}
    desk.conn.execute(update(passive_number).where(*this).values(values))
    return f"{asked.about}: an answer is an acceptance from now on"


def remove(desk: Desk, asked: PassiveNumber) -> str:
    """Every call to it needs the key again, at once."""
    facility_id = desk.facility_id(asked)
    this = (passive_number.c.facility_id == facility_id, passive_number.c.number == asked.number)
    if desk.conn.execute(delete(passive_number).where(*this)).rowcount == 0:
        raise StaffError(f"{asked.about}: needs the key already")
    return f"{asked.about}: needs the key again"


def _row(desk: Desk, facility_id: str, asked: PassiveNumber) -> Row[Any] | None:
    this = (passive_number.c.facility_id == facility_id, passive_number.c.number == asked.number)
    return desk.conn.execute(select(passive_number).where(*this)).one_or_none()
