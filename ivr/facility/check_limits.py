"""Limits of a facility's file that mean nothing beside tighter ones, or give less than a law asks for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import ceil

from ivr.facility.entries import LIMIT_KINDS, LevelEntry, LimitEntry
from ivr.facility.file import FacilityEntry
from ivr.policy.quantity import Counted, Each

DAY_MINUTES = 1440
#: The most days that a stretch may have.
MOST_DAYS = {Each.DAY: 1, Each.WEEK: 7, Each.MONTH: 31}


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What each person must be given."""

    minutes_a_day: int
    law: str

    def __str__(self) -> str:
        return f"the law gives each person {self.minutes_a_day} a day ({self.law})"


def dead_limits(name: str, level: LevelEntry, facility: FacilityEntry) -> Iterator[str]:
    """Limits that never hold, since another one of the same level is reached first."""
    for index, limit in enumerate(level.limit):
        most = _most(limit)
        others = [each for place, each in enumerate(level.limit) if place != index]
        tighter = next((each for each in others if _makes_dead(each, limit)), None)
        if tighter is not None:
            yield f"{name}: limit {_told(limit)} never holds: {_told(tighter)} is tighter"
        elif _kind(limit) == "longest_call_minutes" and most > facility.longest_call_minutes:
            whole = f"facility.longest_call_minutes is {facility.longest_call_minutes}"
            yield f"{name}: limit {_told(limit)} never holds: {whole}"
        elif limit in level.limit[:index]:
            yield f"{name}: limit {_told(limit)} stands there twice"


def _makes_dead(tight: LimitEntry, loose: LimitEntry) -> bool:
    """Whether `loose` can never be reached where `tight` holds."""
    kind = _kind(tight)
    if kind != _kind(loose) or tight.counts != loose.counts or not _covers(tight, loose):
        return False
    if kind in ("calls", "minutes") and tight.each is not loose.each:
        if tight.each is not Each.DAY or loose.each is None:
            return False
        return _most(tight) * MOST_DAYS[loose.each] <= _most(loose)
    same = ("call_type", "days", "each", "in_minutes", "measured_from")
    if any(getattr(tight, field) != getattr(loose, field) for field in same):
        return False
    if kind == "cooling_off_minutes":  # the longer pause is the tighter
        return _most(tight) > _most(loose)
    return _most(tight) < _most(loose)


def _covers(tight: LimitEntry, loose: LimitEntry) -> bool:
    """Whether one is valid on every day on which the other is."""
    begins = tight.valid_from is None or (loose.valid_from or date.min) >= tight.valid_from
    return begins and (tight.valid_to is None or (loose.valid_to or date.max) <= tight.valid_to)


def limits_over(name: str, level: LevelEntry, today: date) -> Iterator[str]:
    """Limits whose last day is over."""
    for limit in level.limit:
        if limit.valid_to is not None and limit.valid_to < today:
            yield f"{name}: limit {_told(limit)} was over on {limit.valid_to}"


def quotas_below(
    name: str, level: LevelEntry, longest_call: int, law: Entitlement, today: date
) -> Iterator[str]:
    """Quotas of a person that give fewer minutes than they are entitled to, with calls of full length."""
    for limit in (each for each in level.limit if each.valid_to is None or each.valid_to >= today):
        if limit.attempts is not None and limit.in_minutes is not None:
            if limit.counts is not Counted.INMATE:  # unless it says so, it counts those to one number
                continue
            days, minutes = 1, limit.attempts * ceil(DAY_MINUTES / limit.in_minutes) * longest_call
        elif limit.each is not None and limit.counts in (None, Counted.INMATE):
            days = MOST_DAYS[limit.each]
            minutes = limit.minutes if limit.minutes is not None else (limit.calls or 0) * longest_call
        else:
            continue
        if minutes < law.minutes_a_day * days:
            gives = f", {minutes} minutes" if limit.minutes is None else ""
            yield f"{name}: limit {_told(limit)}{gives}: {law}"


def _kind(limit: LimitEntry) -> str:
    return next(name for name in LIMIT_KINDS if name in limit.model_fields_set)


def _most(limit: LimitEntry) -> int:
    return int(getattr(limit, _kind(limit)))


def _told(limit: LimitEntry) -> str:
    """The limit as the file writes it."""
    kind = _kind(limit)
    beside = [
        f"{name} {value}" for name, value in limit.model_dump(exclude_none=True).items() if name != kind
    ]
    return ", ".join([f"{kind} {_most(limit)}", *beside])
