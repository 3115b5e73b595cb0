"""Notices that staff have sent again, and numbers that want no SMS."""

from typing import ClassVar

from ivr.facility.fields import E164
from ivr.notices import queue
from ivr.staff.desk import Asked, Desk, StaffError


class SendAgain(Asked):
    """A notice that was not told is to be sent again, by its number."""

    of_facility: ClassVar[bool] = False
    notice: int

    @property
    def about(self) -> str:
        """The notice."""
        return f"notice {self.notice}"


class OfNumber(Asked):
    """Whether a number gets SMS."""

    of_facility: ClassVar[bool] = False
    number: E164

    @property
    def about(self) -> str:
        """The number."""
        return f"number {self.number}"


def send_again(desk: Desk, asked: SendAgain) -> str:
    """Write a notice that says the same; raises StaffError unless it is dead or failed."""
    new = queue.send_again(desk.conn, asked.notice, desk.at)
    if new is None:
        raise StaffError(f"notice {asked.notice}: there is no dead or failed notice of this number")
    return f"notice {asked.notice}: sent again as notice {new}"


def opt_out(desk: Desk, asked: OfNumber) -> str:
    """Send it no SMS any more, as if STOP had been answered."""
    is_new = queue.opt_out(desk.conn, asked.number, desk.at)
    return f"{asked.number}: {'gets no SMS any more' if is_new else 'got no SMS already'}"


def opt_in(desk: Desk, asked: OfNumber) -> str:
    """Send it SMS again; only its holder may want that. Raises StaffError for one that gets them."""
    if not queue.opt_in(desk.conn, asked.number):
        raise StaffError(f"{asked.number} has not opted out")
    return f"{asked.number}: gets SMS again"
