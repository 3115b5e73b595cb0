"""When wrong PINs stop being tried: first a pause at the one telephone, then until staff unlock the ID.

A pause is for an ID at a station, so that nobody keeps another from calling anywhere by keying their ID wrongly a few
times. Whether an ID is paused or locked is not told: the answer is that of a wrong PIN.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final, Self

TRIES_BEFORE_PAUSE: Final = 5
PAUSE: Final = timedelta(minutes=15)
TRIES_BEFORE_LOCK: Final = 10
#: Where a PIN alone is keyed there is no ID to pause: its telephone is, for everybody, after each five in a row longer.
PAUSES_OF_STATION: Final = (timedelta(minutes=15), timedelta(minutes=30), timedelta(minutes=60))


class IdentifyBy(StrEnum):
    """What inmates key to say who they are."""

    ID_AND_PIN = "id_and_pin"
    PIN = "pin"  # unique in the facility; guessing is bounded by the pauses of each telephone alone


class UnfitPin(StrEnum):
    """Why a PIN that an inmate chooses is not taken."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_EASY = "too_easy"  # also said of the old one, and of one that somebody else has


def unfit_pin(pin: str, inmate_id: str, least: int, most: int) -> UnfitPin | None:
    """What speaks against a PIN that an inmate chooses; None if nothing does."""
    if len(pin) < least:
        return UnfitPin.TOO_SHORT
    if len(pin) > most:
        return UnfitPin.TOO_LONG
    if not (pin.isascii() and pin.isdecimal()):  # star is a key, too
        return UnfitPin.TOO_EASY
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    return UnfitPin.TOO_EASY if steps in ({0}, {1}, {-1}) or pin == inmate_id else None


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


def is_station_paused(tries: Sequence[WrongTries], at: datetime) -> bool:
    """Whether the one station that these wrong PINs, keyed without an ID, were counted at takes none now."""
    return any(at < each.last_at + _pause_after(each.in_row) for each in tries)


def _pause_after(in_row: int) -> timedelta:
    """The pause that the last of so many wrong PINs has begun; one that was none of every fifth began none."""
    times, rest = divmod(in_row, TRIES_BEFORE_PAUSE)
    if times == 0 or rest:
        return timedelta(0)
    return PAUSES_OF_STATION[min(times, len(PAUSES_OF_STATION)) - 1]
