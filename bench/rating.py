"""`python -m bench.rating`: what rating a call costs on one core, beside the least that could be called rating.

The tariff has 5,000 prefixes. The measure is one look-up in a dictionary and one multiplication, taken in the same
run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import cycle, islice
from random import Random
from zoneinfo import ZoneInfo

from bench.rows import Row, print_rows
from rating.call_type import CallType
from rating.money import Money
from rating.price import Price, Tax, charge, longest_talk_ms
from rating.prices import Tariff, tariff_at
from rating.tariff_file import parse_tariff

PREFIXES = 5_000
CALLS = 20_000
HOUR_MS = 3_600_000
AVAILABLE = Money(2_500_000)
NEW_YORK = ZoneInfo("America/New_York")
TAXES = (Tax("state", percent=Fraction(25, 4)), Tax("911", fixed=Money(100_000)))

HEAD = """
id = "bench"
valid_from = 2026-01-01
currency = "USD"
holidays = "US"
[[rate]]
name = "day"
per_minute = "0.06"
[[rate]]
name = "night"
per_minute = "0.045"
first_seconds = 60
next_seconds = 6
[[time]]
name = "week"
days = "mon-fri"
start = "08:00"
rate = "day"
[[time]]
name = "week"
days = "mon-fri"
start = "18:00"
rate = "night"
[[time]]
name = "week"
days = "sat-sun"
start = "00:00"
rate = "night"
[[time]]
name = "week"
days = "holiday"
start = "00:00"
rate = "night"
[[price]]
rate = "week"
call_types = ["local"]
"""


@dataclass(frozen=True, slots=True)
class Call:
    """A call to be rated."""

    number: str
    started_at: datetime
    talk_ms: int


def tariff(prefixes: Sequence[str]) -> Tariff:
    """One with a rate of its own for each ten prefixes, of three to seven digits."""
    zones = [prefixes[at : at + 10] for at in range(0, len(prefixes), 10)]
    rows = (
        f'[[rate]]\nname = "{at}"\nper_minute = "0.{at + 100}"\nfirst_seconds = 60\nnext_seconds = 6\n'
        f'[[zone]]\nname = "{at}"\nprefixes = {list(zone)}\n[[price]]\nrate = "{at}"\nzone = "{at}"\n'
        for at, zone in enumerate(zones)
    )
    return tariff_at(parse_tariff(HEAD + "".join(rows), "bench"), NEW_YORK)


def numbers(chance: Random) -> list[str]:
    """The prefixes by chance."""
    found: set[str] = set()
    while len(found) < PREFIXES:
        found.add(str(chance.randint(2, 9)) + f"{chance.randint(0, 999_999):06}"[: chance.randint(2, 6)])
    return sorted(found)


def rows() -> Iterator[Row]:
    """What is measured, how, and with which calls."""
    made, fewer = calls(), calls()[: CALLS // 10]
    chance = Random(1)
    prefixes = numbers(chance)
    many = tariff(prefixes)
    by_number = {each + "5550123": each_cents for each_cents, each in enumerate(prefixes)}
    first, local = many.price_of(prefixes[0], CallType.INTERNATIONAL), many.price_of("1", CallType.LOCAL)
    assert first is not None
    assert local is not None
    flat, taxed, week = Price(first.timetable), Price(first.timetable, TAXES), Price(local.timetable)

    def look_up_and_charge(call: Call) -> object:
        row = many.price_of(call.number, CallType.INTERNATIONAL)
        assert row is not None
        return charge(Price(row.timetable), call.started_at, call.talk_ms)

    yield "bare: one look-up, one product", lambda call: by_number[call.number] * call.talk_ms, made
    yield "look-up of the prefix", lambda call: many.price_of(call.number, CallType.INTERNATIONAL), made
    yield "look-up and charge", look_up_and_charge, made
    yield "charge, one price", lambda call: charge(flat, call.started_at, call.talk_ms), made
    yield "charge, with two taxes", lambda call: charge(taxed, call.started_at, call.talk_ms), made
    yield (
        "charge, by the time of the week",
        lambda call: charge(week, call.started_at, call.talk_ms),
        fewer,
    )
    yield (
        "longest talk, one price",
        lambda call: longest_talk_ms(flat, call.started_at, AVAILABLE, HOUR_MS),
        fewer,
    )
    yield (
        "longest talk, with two taxes",
        lambda call: longest_talk_ms(taxed, call.started_at, AVAILABLE, HOUR_MS),
        fewer,
    )
    yield (
        "longest talk, by the time of the week",
        lambda call: longest_talk_ms(week, call.started_at, AVAILABLE, HOUR_MS),
        fewer,
    )


def calls() -> list[Call]:
    """As many by chance, all over a year."""
    chance = Random(1)
    year = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Call(
            number + "5550123",
            year + timedelta(seconds=chance.randint(0, 31_000_000)),
            chance.randint(1, HOUR_MS),
        )
        for number in islice(cycle(numbers(Random(1))), CALLS)
    ]


def main() -> None:
    """Measure and print the table."""
    print_rows(f"Rating: {PREFIXES:,} prefixes", rows())


if __name__ == "__main__":
    main()
