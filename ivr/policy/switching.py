"""What becomes of calls in progress when staff switch telephones off."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: How long a talk goes on after both have heard that it ends.
LAST_MINUTE: Final = timedelta(seconds=60)


class Way(StrEnum):
    """What calls in progress may still do."""

    FINISH = "finish"  # go on, those that ring too
    MINUTE = "minute"  # talk for a minute more, both told at once; what is not connected yet ends
    NOW = "now"  # nothing


def ends_at(way: Way, thrown_at: datetime, *, connected: bool) -> datetime | None:
    """When a switch ends a call that was in progress as it was thrown; None where the call may finish."""
    match way:
        case Way.FINISH:
            return None
        case Way.MINUTE if connected:
            return thrown_at + LAST_MINUTE
        case _:
            return thrown_at
