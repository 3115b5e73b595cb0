"""What the jail-management system tells is taken in as its author, a file at a time."""

from typing import ClassVar

from ivr.facility.csv_rows import ImportMistakes
from ivr.facility.feed import read_feed, take_in
from ivr.staff.accounts.debit import offer_back
from ivr.staff.desk import Asked, Desk, StaffError


class Feed(Asked):
    """The events of a file."""

    signs_itself: ClassVar[bool] = True

    file: str  # its name
    csv: str

    @property
    def about(self) -> str:
        """The file."""
        return f"feed {self.file}"


def feed(desk: Desk, asked: Feed) -> str:
    """Take in all events of a file that are new, or none; raises StaffError with a line for each bad row."""
    own = desk.facility_id(asked)
    try:
        told = take_in(desk.conn, own, read_feed(asked.csv, asked.file), desk.pin_key, desk.at)
    except ImportMistakes as mistakes:
        raise StaffError(str(mistakes)) from None
    offer_back(desk.conn, own, desk.at)
    return f"{asked.file}: {told}"
