"""How long, how many and how often: limits that a level sets, and the calls that they count.

A call belongs to the local day on which its number was keyed. Only a connected call counts: one whose talk was neither
so short that nobody pays, nor dropped and given back. One in progress counts as if it took its whole limit. Calls to
privileged numbers are neither counted nor refused here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from ivr.policy.level import Level
from rating.call_type import CallType

#: A talk this short is a hang-up that crossed with the acceptance: nobody pays, and it counts for nothing.
SHORTEST_COUNTED_MS = 1_000
MINUTE_MS = 60_000
MINUTE = timedelta(minutes=1)
LONGEST_TALK = timedelta(days=1)
#: What the dialplan's own check lets through: the limit of a call that no rule limits.
FURTHEST_LIMIT_MS = 99_999_999


class Counted(StrEnum):
    """Whose calls are counted together."""

    INMATE = "inmate"  # all of this inmate's
    NUMBER = "number"  # everybody's to this number
    PAIR = "pair"  # this inmate's to this number


class Each(StrEnum):
    """How long a count goes on before it starts anew."""

    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"

    def starts_on(self, day: date) -> date:
        """The first day of the stretch that a day falls into."""
        match self:
            case Each.DAY:
                return day
            case Each.WEEK:
                return day - timedelta(days=day.weekday())
            case Each.MONTH:
                return day.replace(day=1)

    def next_starts_on(self, day: date) -> date:
        """The first day of the next stretch."""
        match self:
            case Each.DAY:
                return day + timedelta(days=1)
            case Each.WEEK:
                return self.starts_on(day) + timedelta(days=7)
            case Each.MONTH:
                return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


class DayKind(StrEnum):
    """What sort of day a limit is for."""

    WEEKDAY = "weekday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


class From(StrEnum):
    """What a cooling-off is measured from."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class LongestCall:
    """The longest call at a level, perhaps only for one type of call or sort of day."""

    level: Level
    ms: int
    call_type: CallType | None = None
    days: DayKind | None = None


@dataclass(frozen=True, slots=True)
class CallQuota:
    """So many calls each day, week or month."""

    level: Level
    calls: int
    each: Each
    counted: Counted


@dataclass(frozen=True, slots=True)
class MinuteQuota:
    """So many minutes each day, week or month."""

    level: Level
    minutes: int
    each: Each
    counted: Counted


@dataclass(frozen=True, slots=True)
class CoolingOff:
    """So many minutes from the start or the end of the last connected call to the next."""

    level: Level
    minutes: int
    measured_from: From
    counted: Counted


@dataclass(frozen=True, slots=True)
class Velocity:
    """At most so many attempts in so many minutes, connected or not."""

    level: Level
    attempts: int
    minutes: int
    counted: Counted


CallLimit = LongestCall | CallQuota | MinuteQuota | CoolingOff | Velocity


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that was allowed: this inmate's, to this number, or both."""

    by_inmate: bool
    to_number: bool
    keyed_at: datetime
    talk_from_at: datetime | None
    talk_ms: int  # the limit of one in progress
    in_progress: bool = False
    privileged: bool = False
    elsewhere: bool = False  # of another facility: it keeps the number busy, and counts for nothing here
    given_back: bool = False  # dropped soon after it began

    @property
    def connected(self) -> bool:
        """Whether it counts as a call; one in progress may still come to that."""
        return self.in_progress or (self.talk_ms >= SHORTEST_COUNTED_MS and not self.given_back)

    def counts_for(self, counted: Counted) -> bool:
        """Whether it is one of those that are counted together."""
        if self.privileged or self.elsewhere:
            return False
        match counted:
            case Counted.INMATE:
                return self.by_inmate
            case Counted.NUMBER:
                return self.to_number
            case Counted.PAIR:
                return self.by_inmate and self.to_number


History = Sequence[PastCall]


def longest_calls(
    limits: Iterable[CallLimit], call_type: CallType | None, on: date, holidays: frozenset[date]
) -> list[LongestCall]:
    """Those that hold for this type of call on this day.

    On a holiday a level's limits for holidays hold in place of its limits for weekdays and weekends.
    """
    fitting = [
        each for each in limits if isinstance(each, LongestCall) and each.call_type in (None, call_type)
    ]
    ordinary = DayKind.WEEKEND if on.weekday() > 4 else DayKind.WEEKDAY
    special = {each.level for each in fitting if each.days is DayKind.HOLIDAY} if on in holidays else set()
    return [
        each
        for each in fitting
        if each.days in (None, DayKind.HOLIDAY if each.level in special else ordinary)
    ]


def _counted(history: History, quota: CallQuota | MinuteQuota, at: datetime) -> list[PastCall]:
    since = _since(quota, at)
    return [
        call
        for call in history
        if call.keyed_at >= since and call.connected and call.counts_for(quota.counted)
    ]


def calls_left(history: History, quota: CallQuota, at: datetime) -> int:
    """How many calls the quota still allows at a local time."""
    return quota.calls - len(_counted(history, quota, at))


def ms_left(history: History, quota: MinuteQuota, at: datetime) -> int:
    """How much talk the quota still allows at a local time."""
    return quota.minutes * MINUTE_MS - sum(call.talk_ms for call in _counted(history, quota, at))


def cool_at(history: History, rule: CoolingOff, at: datetime) -> datetime:
    """When the last connected call is far enough back."""
    return max(
        (_measured(call, rule, at) + rule.minutes * MINUTE for call in history if _cools(call, rule)),
        default=at,
    )


def _cools(call: PastCall, rule: CoolingOff) -> bool:
    return call.connected and call.counts_for(rule.counted)


def _measured(call: PastCall, rule: CoolingOff, at: datetime) -> datetime:
    if call.in_progress or call.talk_from_at is None:
        return at if rule.measured_from is From.END else call.keyed_at
    talked = timedelta(milliseconds=call.talk_ms if rule.measured_from is From.END else 0)
    return call.talk_from_at + talked


def next_attempt_at(history: History, rule: Velocity, at: datetime) -> datetime:
    """When one more attempt is not one too many."""
    span = rule.minutes * MINUTE
    recent = sorted(
        call.keyed_at for call in history if call.counts_for(rule.counted) and call.keyed_at > at - span
    )
    return recent[-rule.attempts] + span if len(recent) >= rule.attempts else at


def whole_minutes(until: datetime, at: datetime) -> int:
    """How many minutes to wait, as they are spoken: never too few."""
    return -((at - until) // MINUTE)


def looks_back_to(limits: Iterable[CallLimit], counted: Iterable[Counted], at: datetime) -> datetime:
    """Since when the calls that are counted so matter at a local time."""
    wanted = set(counted)
    since = [
        _since(each, at) for each in limits if not isinstance(each, LongestCall) and each.counted in wanted
    ]
    return min(since, default=at.astimezone(UTC))


def _since(rule: CallQuota | MinuteQuota | CoolingOff | Velocity, at: datetime) -> datetime:
    match rule:
        case CallQuota() | MinuteQuota():
            midnight = datetime.combine(rule.each.starts_on(at.date()), time(0), at.tzinfo)
            return midnight.astimezone(UTC)
        case CoolingOff():
            return at.astimezone(UTC) - rule.minutes * MINUTE - LONGEST_TALK
        case Velocity():
            return at.astimezone(UTC) - rule.minutes * MINUTE
