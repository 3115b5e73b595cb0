"""When wrong PINs stop being tried: first a pause at the one telephone, then until staff unlock the ID.

A pause is for an ID at a station, so that nobody keeps another from calling anywhere by keying their ID wrongly a few
times. Whether an ID is paused or locked is not told: the answer is that of a wrong PIN.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

TRIES_BEFORE_PAUSE: Final = 5
PAUSE: Final = timedelta(minutes=15)
TRIES_BEFORE_LOCK: Final = 10


@dataclass(frozen=True, slots=True)
class WrongTries:
    """The wrong PINs that were keyed for an ID at one station since the last right one."""

    station_id: str
    in_row: int
    lately: int  # of these, since `since_at`
    since_at: datetime
    last_at: datetime

    @classmethod
    def first(cls, station_id: str, at: datetime) -> Self:
        """One wrong PIN after none."""
        return cls(station_id, in_row=1, lately=1, since_at=at, last_at=at)

    def and_one_more(self, at: datetime) -> "WrongTries":
        """These, and one at an instant."""
        fresh = at >= self.since_at + PAUSE
        return WrongTries(
            self.station_id,
            in_row=self.in_row + 1,
            lately=1 if fresh else self.lately + 1,
            since_at=at if fresh else self.since_at,
            last_at=at,
        )


def is_paused(tries: Sequence[WrongTries], station_id: str, at: datetime) -> bool:
    """Whether the station takes no PIN for this ID now."""
    return any(
        each.lately >= TRIES_BEFORE_PAUSE and at < each.last_at + PAUSE
        for each in tries
        if each.station_id == station_id
    )


def is_locked(tries: Sequence[WrongTries]) -> bool:
    """Whether no station takes a PIN for this ID until staff unlock it."""
    return sum(each.in_row for each in tries) >= TRIES_BEFORE_LOCK
