"""Inmates and numbers are watched: somebody is told as a call is accepted, and may have a telephone rung to listen."""

from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from ivr.facility.fields import E164, Email
from ivr.records import watched
from ivr.staff.desk import Asked, Desk, StaffError
from rating.form import like


class Watch(Asked):
    """An inmate or a number is to be watched; the note says why."""

    inmate_id: str | None = None
    number: E164 | None = None
    sms: E164 | None = None
    email: Email | None = None
    phone: (
        Annotated[str, like(r"staff-[a-z0-9-]{1,30}", "a telephone of staff, such as staff-desk")] | None
    ) = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.inmate_id is None) == (self.number is None):
            raise ValueError("expected an inmate or a number")
        if not (self.sms or self.email or self.phone):
            raise ValueError("expected at least one of sms, email, phone")
        return self

    @property
    def about(self) -> str:
        """Who or what is watched."""
        return f"inmate {self.inmate_id}" if self.inmate_id else f"number {self.number}"


class WatchNoLonger(Asked):
    """Something is to be watched no longer."""

    of_facility: ClassVar[bool] = False

    watched_id: int

    @property
    def about(self) -> str:
        """By its id, as it is listed."""
        return f"watched {self.watched_id}"


def watch(desk: Desk, asked: Watch) -> str:
    """From the next acceptance on they are told; never of a privileged call, nor of one to an anonymous hotline."""
    facility_id = desk.facility_id(asked)
    person = desk.inmate(facility_id, asked.inmate_id).id if asked.inmate_id else None
    watched_id = watched.add(
        desk.conn,
        facility_id=facility_id,
        inmate=person,
        number=asked.number,
        sms=asked.sms,
        email=asked.email,
        phone=asked.phone,
        note=asked.note,
        author=asked.author,
        added_at=desk.at,
    )
    return f"{asked.about}: watched ({watched_id})"


def watch_no_longer(desk: Desk, asked: WatchNoLonger) -> str:
    """Nobody is told any more; raises StaffError where nothing of that id is watched."""
    if not watched.end(desk.conn, asked.watched_id, desk.at):
        raise StaffError(f"nothing is watched as {asked.watched_id}")
    return f"{asked.about}: watched no longer"
