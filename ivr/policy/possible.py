"""How many minutes of a day settings leave for calls: hours of every level together, quotas, pauses, attempts."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
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


def possible_minutes(
    schedules: Sequence[Schedule],
    limits: Sequence[CallLimit],
    longest_call_ms: int,
    on: date,
    zone: ZoneInfo,
) -> int:
    """The most minutes that a person can talk on a local day, calling again and again at full length.

    A quota of a week or a month gives each of its days an equal part; so many attempts in so many minutes are taken as
    that many calls in each such stretch of the open time. Only limits that count a person's own calls are
    looked at, and the longest call of any type.
    """
    opened = _open_minutes(schedules, on, zone)
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


def _open_minutes(schedules: Sequence[Schedule], on: date, zone: ZoneInfo) -> int:
    at, ends = (datetime.combine(on + timedelta(days=days), time(0), zone).astimezone(UTC) for days in (0, 1))
    opened = timedelta(0)
    while at < ends:
        until = _open_until(schedules, at.astimezone(zone))
        if until is None:
            at += MINUTE
            continue
        until = min(until, ends)
        opened += until - at
        at = until
    return opened // MINUTE


def _open_until(schedules: Iterable[Schedule], local: datetime) -> datetime | None:
    first: datetime | None = None
    for each in schedules:
        until = each.open_until(local)
        if until is None:
            return None
        first = until if first is None else min(first, until)
    return first


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
