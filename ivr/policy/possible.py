"""How many minutes of a day settings leave for calls: hours of every level together, telephones, quotas, pauses."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from ivr.policy.quantity import (
    MINUTE,
    MINUTE_MS,
    CallLimit,
    CallQuota,
    CoolingOff,
    Counted,
    DayKind,
    Each,
    From,
    LongestCall,
    MinuteQuota,
    Velocity,
)
from ivr.policy.schedule import Schedule

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Telephone:
    """What a telephone adds to the rules of whoever calls from it: its hours, when it is off, its limits."""

    schedules: Sequence[Schedule] = ()
    limits: Sequence[CallLimit] = ()


#: After the end of every closure.
FOREVER: Final = datetime.max.replace(tzinfo=UTC)
#: One that adds nothing.
ANY: Final = Telephone()


def possible_minutes(
    schedules: Sequence[Schedule],
    limits: Sequence[CallLimit],
    longest_call_ms: int,
    on: date,
    zone: ZoneInfo,
    *,
    telephones: Sequence[Telephone] = (ANY,),
) -> int:
    """The most minutes that a person can talk on a local day, calling again and again at full length.

    `schedules` and `limits` hold whatever telephone is used; while one of the telephones is open calls can be made.
    What a telephone limits is limited there alone: the person goes on at one that allows more, while it is open. A
    quota of a week or a month gives each of its days an equal part; so many attempts in so many minutes are taken as
    that many calls in each such stretch of the open time. Only limits that count a person's own calls are looked at,
    and the longest call of any type.
    """
    alike: dict[tuple[CallLimit, ...], list[Telephone]] = defaultdict(list)
    for each in telephones:
        alike[tuple(each.limits)].append(each)
    whole = _open_minutes(schedules, telephones, on, zone)
    found = []
    for theirs, some in alike.items():
        opened = _open_minutes(schedules, some, on, zone)
        within = (_within([*limits, *theirs], each, longest_call_ms, on) for each in (whole, opened))
        found.append(tuple(within))
    minutes = 0
    for most, here in sorted(found):  # quotas count all calls: those of the narrowest are made first
        minutes = max(minutes, min(most, minutes + here))
    return min(minutes, _within(limits, whole, longest_call_ms, on))


def within_reach(unit_id: str | None, telephones: Iterable[tuple[str | None, T]]) -> list[T]:
    """Whose telephones, named by their unit, somebody of a unit can use: their own and those of no unit.

    Where there are neither, all.
    """
    listed = list(telephones)
    return [each for of, each in listed if of in (unit_id, None)] or [each for _, each in listed]


def _within(limits: Sequence[CallLimit], opened: int, longest_call_ms: int, on: date) -> int:
    longest = min([longest_call_ms, *_longest(limits)]) // MINUTE_MS
    for rule in limits:
        match rule:
            case MinuteQuota(counted=Counted.INMATE):
                opened = min(opened, rule.minutes // _days(rule.each, on))
            case CallQuota(counted=Counted.INMATE):
                opened = min(opened, rule.calls * longest // _days(rule.each, on))
            case CoolingOff(counted=Counted.INMATE):
                whole = (
                    longest + rule.minutes if rule.measured_from is From.END else max(longest, rule.minutes)
                )
                opened = min(opened, opened * longest // whole)
            case Velocity(counted=Counted.INMATE):
                opened = min(opened, rule.attempts * ceil(opened / rule.minutes) * longest)
    return opened


def _open_minutes(
    schedules: Sequence[Schedule], telephones: Sequence[Telephone], on: date, zone: ZoneInfo
) -> int:
    at, ends = (datetime.combine(on + timedelta(days=days), time(0), zone).astimezone(UTC) for days in (0, 1))
    every = [*schedules, *(schedule for each in telephones for schedule in each.schedules)]
    noon = datetime.combine(on, time(12), zone)
    beginnings = sorted({each for schedule in every for each in schedule.beginnings(noon)})
    opened = timedelta(0)
    while at < ends:
        until = _reached_until(schedules, telephones, at.astimezone(zone))
        if until is None:
            at = next((each for each in beginnings if each > at), ends)
            continue
        until = min(until, ends)
        opened += until - at
        at = until
    return opened // MINUTE


def _reached_until(
    schedules: Sequence[Schedule], telephones: Iterable[Telephone], local: datetime
) -> datetime | None:
    """Until when the person may call, from the telephone that is open the longest."""
    theirs = _open_until(schedules, local)
    if theirs is None:
        return None
    ends = [until for each in telephones if (until := _open_until(each.schedules, local)) is not None]
    return min(theirs, max(ends)) if ends else None


def _open_until(schedules: Iterable[Schedule], local: datetime) -> datetime | None:
    """Until when all are open at once; the end of all time where there is none."""
    first: datetime | None = None
    for each in schedules:
        until = each.open_until(local)
        if until is None:
            return None
        first = until if first is None else min(first, until)
    return first or FOREVER


def _longest(limits: Iterable[CallLimit]) -> list[int]:
    """Those that hold for every call; of types of calls and sorts of days there may be longer ones."""
    every: tuple[DayKind | None, None] = (None, None)
    return [
        each.ms for each in limits if isinstance(each, LongestCall) and (each.days, each.call_type) == every
    ]


def _days(each: Each, on: date) -> int:
    match each:
        case Each.DAY:
            return 1
        case Each.WEEK:
            return 7
        case Each.MONTH:
            return monthrange(on.year, on.month)[1]
