"""Which rate holds when: a week of rates in a time zone, and the parts that it cuts a call into."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from math import lcm
from typing import Final, NamedTuple, Self
from zoneinfo import ZoneInfo

from rating.money import ZERO, Money
from rating.tariff import FOREVER_MS, Rate, Stretch

#: Stands among an entry's days for every holiday; Monday is 1, Sunday 7.
HOLIDAY: Final = 0
EVERY_DAY: Final = frozenset(range(1, 8))

_DAY: Final = timedelta(days=1)
_MILLISECOND: Final = timedelta(milliseconds=1)
#: Within so many days before any moment some entry has started: a week, and the day's own that start later.
_LOOK_BACK_DAYS: Final = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """From a local time of some days on, a rate; until the next entry starts."""

    days: frozenset[int]
    start: time
    rate: Rate

    def __post_init__(self) -> None:
        """Refuse an entry that never starts, or not on the second; raises ValueError."""
        if not self.days or not self.days <= EVERY_DAY | {HOLIDAY}:
            raise ValueError("an entry starts on days from 1 (Monday) to 7, or on holidays")
        if self.start.microsecond or self.start.tzinfo:
            raise ValueError("an entry starts at a whole second of the timetable's own zone")


class Part(NamedTuple):
    """A part of a call under one rate."""

    rate: Rate
    offset_ms: int  # from the beginning of the talk
    length_ms: int


class Course(NamedTuple):
    """How a call is charged from its beginning on."""

    first: Rate  # in force when the talk begins: its fees, limits and rounding are the call's
    stretches: tuple[Stretch, ...]
    denominator: int  # of the stretches' prices


@dataclass(frozen=True, slots=True)
class Timetable:
    """A week of rates. Each holds until the next start, over midnight and over the end of the week.

    On a holiday only the entries for holidays start; until the first of them does, the last one goes on. Without
    entries for holidays a holiday is a day like others. Starts that a clock change repeats mean the first time,
    and one that it skips means the instant just as far after the change (PEP 495, fold 0), unless a later start
    holds by then.
    """

    entries: tuple[Entry, ...]
    zone: ZoneInfo
    holidays: frozenset[date] = frozenset()
    denominator: int = field(init=False, repr=False, compare=False)
    _by_day: tuple[tuple[tuple[time, Rate], ...], ...] = field(init=False, repr=False, compare=False)
    _only: Course | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Put the entries in order; raises ValueError if two start together, or none on a day of the week."""
        ordered = tuple(sorted(self.entries, key=lambda entry: (sorted(entry.days), entry.start)))
        by_day = tuple(
            tuple(
                sorted(
                    ((each.start, each.rate) for each in ordered if day in each.days), key=lambda at: at[0]
                )
            )
            for day in range(8)
        )
        if not any(by_day[day] for day in EVERY_DAY):
            raise ValueError("a timetable needs an entry for a day of the week")
        for starts in by_day:
            if len({start for start, _ in starts}) < len(starts):
                raise ValueError("two entries start on the same day at the same time")
        denominator = lcm(*(entry.rate.denominator for entry in ordered))
        object.__setattr__(self, "entries", ordered)
        object.__setattr__(self, "denominator", denominator)
        object.__setattr__(self, "_by_day", by_day)
        object.__setattr__(self, "_only", _only_course(ordered, denominator))

    @property
    def same_always(self) -> bool:
        """Whether the price is the same at any time."""
        return self._only is not None

    def rate_at(self, instant: datetime) -> Rate:
        """The rate in force at an instant, as its entry holds it; ValueError if the instant has no time zone."""
        now = _utc(instant)
        return [rate for started_at, rate in self._starts(now, now) if started_at <= now][-1]

    def course(self, started_at: datetime, talk_ms: int) -> Course:
        """How the first `talk_ms` of a call that starts then are charged; ValueError without a time zone."""
        if self._only is not None:
            _require_zone(started_at)
            return self._only
        parts = self.parts(started_at, talk_ms)
        stretches: list[Stretch] = []
        for rate, offset_ms, length_ms in parts:
            stretches += rate.stretches(offset_ms, offset_ms + length_ms, self.denominator)
        return Course(parts[0].rate, tuple(stretches), self.denominator)

    def parts(self, started_at: datetime, talk_ms: int) -> list[Part]:
        """A talk of at least a millisecond, cut where the rate changes; in absolute time.

        Where one entry follows another with an equal rate, nothing changes and nothing is cut. The beginning is
        taken to the millisecond; ValueError if it has no time zone.
        """
        began = _utc(started_at)
        if self._only is not None:
            return [Part(self._only.first, 0, talk_ms)]
        cuts: list[tuple[int, Rate]] = []
        for instant, rate in self._starts(began, began + talk_ms * _MILLISECOND):
            offset_ms = max(0, (instant - began) // _MILLISECOND)
            if offset_ms >= talk_ms:
                break
            if offset_ms == 0:
                cuts = [(0, rate)]
            elif rate is not cuts[-1][1] and rate != cuts[-1][1]:
                cuts.append((offset_ms, rate))
        ends = [offset_ms for offset_ms, _ in cuts[1:]] + [talk_ms]
        return [Part(rate, at_ms, end_ms - at_ms) for (at_ms, rate), end_ms in zip(cuts, ends, strict=True)]

    @property
    def rates(self) -> list[Rate]:
        """Every rate of the week, once."""
        return list(dict.fromkeys(entry.rate for entry in self.entries))

    @property
    def disconnects(self) -> bool:
        """Whether a call may not go on at the highest cost of some rate."""
        return any(rate.max_cost is not None and rate.max_cost_then == "disconnect" for rate in self.rates)

    def capped(self, per_minute: Money) -> Self:
        """The same week with each of its rates capped."""
        return self._each(lambda rate: rate.capped(per_minute))

    def without_fees(self) -> Self:
        """The same week without connection fees and minimums."""
        return self._each(lambda rate: replace(rate, connect_fee=ZERO, minimum=ZERO))

    def continued(self) -> Self:
        """The same week for talk that goes on after another's first block."""
        return self._each(lambda rate: rate.continued())

    def by_the_minute(self) -> Self:
        """The same week in increments of a minute at most, with nothing but cents added by rounding."""
        return self._each(lambda rate: rate.by_the_minute())

    def _each(self, changed: Callable[[Rate], Rate]) -> Self:
        entries = tuple(replace(each, rate=changed(each.rate)) for each in self.entries)
        return self if entries == self.entries else replace(self, entries=entries)

    def _starts(self, began: datetime, ends: datetime) -> list[tuple[datetime, Rate]]:
        """What starts in the course of a call, after the entry that holds when it begins; in order."""
        first, last = began.astimezone(self.zone).date(), ends.astimezone(self.zone).date() + _DAY
        starts = self._starts_on(_days(first - _DAY, last))
        if not starts or starts[0][0] > began:
            starts = self._starts_on(_days(first - _LOOK_BACK_DAYS * _DAY, last))
        return starts

    def _starts_on(self, days: Iterable[date]) -> list[tuple[datetime, Rate]]:
        kept: list[tuple[datetime, Rate]] = []
        starts = [
            (datetime.combine(day, start, self.zone).astimezone(UTC), rate)
            for day in days
            for start, rate in self._by_day[self._kind_of_day(day)]
        ]
        for instant, rate in reversed(starts):
            # a start that was skipped may fall behind the next one of its day: by then that one holds
            if not kept or instant < kept[-1][0]:
                kept.append((instant, rate))
        return kept[::-1]

    def _kind_of_day(self, day: date) -> int:
        return HOLIDAY if self._by_day[HOLIDAY] and day in self.holidays else day.isoweekday()


def always(rate: Rate, zone: ZoneInfo | None = None) -> Timetable:
    """The same rate at any time."""
    return Timetable((Entry(EVERY_DAY, time(0), rate),), zone or ZoneInfo("UTC"))


def _only_course(entries: tuple[Entry, ...], denominator: int) -> Course | None:
    rate = entries[0].rate
    if any(entry.rate != rate for entry in entries[1:]):
        return None
    return Course(rate, tuple(rate.stretches(0, FOREVER_MS, denominator)), denominator)


def _require_zone(started_at: datetime) -> None:
    if started_at.tzinfo is None:
        raise ValueError("the beginning of a talk has a time zone")


def _utc(started_at: datetime) -> datetime:
    _require_zone(started_at)
    utc = started_at.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _days(first: date, last: date) -> list[date]:
    return [first + number * _DAY for number in range((last - first).days + 1)]
