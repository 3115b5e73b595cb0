"""Days and times that people and files give: between two years, so that whatever is reckoned from one exists too."""

import re
from datetime import date, datetime
from typing import TypeVar

FIRST_YEAR, LAST_YEAR = 2000, 2100

DayT = TypeVar("DayT", date, datetime)


def bounded(given: DayT) -> DayT:
    """The day or time itself; raises ValueError for one outside the years that are taken."""
    if not FIRST_YEAR <= given.year <= LAST_YEAR:
        raise ValueError(f"expected a year from {FIRST_YEAR} to {LAST_YEAR}, not {given.year:04}")
    return given


def written(given: object) -> object:
    """A day or time, or the text of one; raises ValueError for a bare number, which would be taken as seconds."""
    if isinstance(given, date) or (isinstance(given, str) and re.match(r"\d{4}-\d\d-\d\d", given, re.ASCII)):
        return given
    raise ValueError("expected a day or a time, such as 2026-12-24 or 2026-12-24T18:00")


def read_day(text: str) -> date:
    """The day that a text writes; raises ValueError."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a day such as 2026-12-24") from None
    return bounded(found)


def read_time(text: str) -> datetime:
    """The time that a text writes, with an offset or without; raises ValueError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time such as 2026-12-24T18:00") from None
    return bounded(found)
