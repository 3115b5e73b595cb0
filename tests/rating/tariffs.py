"""Tariffs and calls by chance, the same for hypothesis and for `python -m tests.rating.many`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

from rating.money import Money
from rating.price import Price, Tax
from rating.tariff import MOST_DECIMALS, AtMaxCost, Method, Rate, Rounding, Step
from rating.timetable import EVERY_DAY, HOLIDAY, Entry, Timetable, always

US_ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Adak",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
    "Pacific/Guam",
)
#: Days about which something happens: a clock change, a holiday, an ordinary day.
DAYS = (
    date(2026, 3, 8),
    date(2026, 11, 1),
    date(2026, 7, 3),
    date(2026, 12, 25),
    date(2027, 1, 1),
    date(2026, 5, 20),
)
METHODS: tuple[Method, ...] = ("up", "down", "middle")
THEN: tuple[AtMaxCost, ...] = ("free", "disconnect")
STARTS = (time(0), time(1), time(1, 30), time(2), time(2, 30), time(3), time(8), time(18), time(23, 59, 59))


@dataclass(frozen=True)
class Case:
    """A call under a price, and what there is to pay it with."""

    price: Price
    started_at: datetime
    talk_ms: int
    available: Money


def random_case(chance: Random, *, by_time: bool | None = None) -> Case:
    timetable = random_timetable(chance, by_time=by_time)
    return Case(
        Price(timetable, tuple(random_tax(chance, number) for number in range(chance.choice((0, 0, 1, 2))))),
        random_start(chance, timetable.zone),
        random_talk_ms(chance),
        Money(chance.choice((chance.randint(0, 200_000), chance.randint(0, 20_000_000)))),
    )


def random_talk_ms(chance: Random) -> int:
    minutes = chance.choice((chance.randint(0, 20), chance.randint(0, 240)))
    return chance.choice(
        (minutes * 60_000, minutes * 60_000 + 1, chance.randint(0, 60_000), chance.randint(0, 2_000_000))
    )


def random_start(chance: Random, zone: ZoneInfo) -> datetime:
    day = datetime.combine(chance.choice(DAYS), time(0), zone).astimezone(UTC)
    return day + timedelta(
        milliseconds=chance.choice((-3_600_000, 0, 7_199_999, chance.randint(-50_000_000, 50_000_000)))
    )


def random_timetable(chance: Random, *, by_time: bool | None = None) -> Timetable:
    zone = ZoneInfo(chance.choice(US_ZONES))
    if by_time is False or (by_time is None and chance.randint(0, 1) == 0):
        return always(random_rate(chance), zone)
    rates = [random_rate(chance) for _ in range(chance.randint(2, 4))]
    entries: dict[tuple[int, time], Rate] = {}
    for days in chance.choice((((1, 2, 3, 4, 5), (6, 7)), (tuple(EVERY_DAY),), ((1,), (3, 7)), ((7,),))):
        for _ in range(chance.randint(1, 4)):
            start, rate = chance.choice(STARTS), chance.choice(rates)
            entries |= {(day, start): rate for day in days}
    holidays = frozenset(
        chance.choice(((), DAYS, (date(2026, 12, 24), date(2026, 12, 25), date(2026, 3, 7))))
    )
    if chance.randint(0, 2) == 0:
        entries[HOLIDAY, chance.choice(STARTS)] = chance.choice(rates)
    return Timetable(
        tuple(Entry(frozenset({day}), start, rate) for (day, start), rate in entries.items()), zone, holidays
    )


def random_rate(chance: Random) -> Rate:
    begins = [0]
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        begins.append(begins[-1] + chance.choice((1, 30, 60, 600, chance.randint(1, 3_000))))
    highest = Money(chance.randint(0, 5_000_000)) if chance.randint(0, 2) == 0 else None
    return Rate(
        tuple(random_step(chance, from_s) for from_s in begins),
        connect_fee=Money(chance.choice((0, 0, 150_000, chance.randint(0, 3_000_000)))),
        minimum=Money(chance.choice((0, 0, chance.randint(0, 1_000_000)))),
        max_cost=highest,
        max_cost_then=chance.choice(THEN),
        rounding=chance.choice((Rounding(), random_rounding(chance))),
    )


def random_step(chance: Random, from_s: int) -> Step:
    return Step(
        from_s,
        Money(chance.choice((0, 50_000, 100_000, chance.randint(0, 2_000_000)))),
        chance.choice((1, 60, 60, chance.randint(1, 3_600))),
        chance.choice((1, 6, 60, chance.randint(1, 600))),
    )


def random_rounding(chance: Random) -> Rounding:
    return Rounding(chance.choice(METHODS), chance.randint(0, MOST_DECIMALS))


def random_tax(chance: Random, number: int) -> Tax:
    rounding = chance.choice((None, random_rounding(chance)))
    if chance.randint(0, 1):
        return Tax(
            f"tax {number}", percent=Fraction(chance.randint(0, 3_000_000), 100_000), rounding=rounding
        )
    return Tax(f"tax {number}", fixed=Money(chance.randint(0, 500_000)), rounding=rounding)
