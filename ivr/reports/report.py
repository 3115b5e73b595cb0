"""What every report is: rows under columns, bars to draw, and the days that it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ivr.facility.lookup import Facility, facilities


class ReportError(Exception):
    """The question can't be answered; the message says what is not known."""


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days of one facility, the last included."""

    place: Facility
    first: date
    last: date

    @property
    def zone(self) -> ZoneInfo:
        """The facility's time zone."""
        return ZoneInfo(self.place.time_zone)

    @property
    def since(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.first, time(0), self.zone)

    @property
    def until(self) -> datetime:
        """The first moment after."""
        return datetime.combine(self.last + timedelta(days=1), time(0), self.zone)

    @property
    def in_words(self) -> str:
        """The facility and the days, as a heading has them."""
        return f"{self.place.id}, {self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class Stack:
    """One bar of a plot: its label, and how much each part of it is."""

    label: str
    parts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """One report, whole. `rows` hold what CSV has; `bars` what a plot shows, in its unit."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    summary: Sequence[str]
    bars: Sequence[Stack]
    unit: str
    across: str  # what each bar is of


def days_of(
    conn: Connection,
    facility_id: str | None,
    first: date | None,
    last: date | None,
    *,
    now: datetime,
    usual: int,
) -> Days:
    """The days from `first` to `last`; where one is not given, as many as is usual, until yesterday.

    Raises ReportError.
    """
    found = facilities(conn, facility_id)
    if len(found) != 1:
        raise ReportError(f"there is no facility {facility_id}" if facility_id else "name one facility")
    yesterday = now.astimezone(ZoneInfo(found[0].time_zone)).date() - timedelta(days=1)
    ends = last or (max(yesterday, first) if first else yesterday)
    begins = first or ends - timedelta(days=usual - 1)
    if ends < begins:
        raise ReportError(f"--to {ends} is before --from {begins}")
    return Days(found[0], begins, ends)
