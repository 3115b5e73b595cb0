from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rating.call_type import CallType
from rating.money import Money
from rating.price import Price, charge
from rating.prices import Tariff, tariff_at
from rating.tariff import Rate, Rounding, Step, simple_rate
from rating.tariff_file import TariffFileError, parse_tariff
from rating.timetable import always

EXAMPLE = (Path(__file__).parents[2] / "examples" / "tariff.toml").read_text("utf-8")
CHICAGO, NEW_YORK = ZoneInfo("America/Chicago"), ZoneInfo("America/New_York")

HEADER = """
id = "t"
valid_from = 2026-01-01
currency = "USD"
"""
RATE = """
[[rate]]
name = "flat"
per_minute = "0.06"
"""
PRICE = """
[[price]]
rate = "flat"
call_types = ["local"]
"""


def tariff(text: str) -> Tariff:
    return tariff_at(parse_tariff(text, "t.toml"), NEW_YORK)


def row_of(prefix_or_type: str, rate: str = "flat") -> str:
    return f'[[price]]\nrate = "{rate}"\n{prefix_or_type}\n'


def test_the_example_prices_calls_by_number_type_and_time() -> None:
    example = tariff(EXAMPLE)
    assert example.warnings == ()
    assert example.is_valid_on(date(2026, 12, 31))
    assert not example.is_valid_on(date(2027, 1, 1))
    local = example.price_of("+13125550123", CallType.LOCAL)
    assert local is not None
    assert (local.rate, local.destination, local.zone) == ("day and night", "local", None)
    rates = {
        wall: charge(
            Price(local.timetable), datetime.fromisoformat(wall).replace(tzinfo=CHICAGO), 60_000
        ).amount
        for wall in (
            "2026-05-20T12:00",
            "2026-05-20T20:00",
            "2026-05-23T12:00",
            "2026-12-25T12:00",
            "2026-12-24T12:00",
        )
    }
    assert list(rates.values()) == [60_000, 45_000, 45_000, 45_000, 45_000]


def test_the_longest_prefix_decides_before_the_call_type() -> None:
    example = tariff(EXAMPLE)
    found = [
        example.price_of(number, CallType.INTERNATIONAL)
        for number in ("+12425550123", "+442071234567", "+33123")
    ]
    assert [row and (row.rate, row.destination, row.zone) for row in found] == [
        ("Bahamas", "1242", "Bahamas"),
        ("overseas", "44", None),
        ("overseas", "international", None),
    ]
    deeper = tariff(
        HEADER
        + RATE
        + RATE.replace("flat", "deep")
        + row_of('prefix = "44"')
        + row_of('prefix = "4420"', "deep")
    )
    assert [
        row and row.rate for row in (deeper.price_of(n, CallType.LOCAL) for n in ("+44201", "+4421", "+45"))
    ] == ["deep", "flat", None]


def test_a_call_without_a_rate_is_no_free_call() -> None:
    assert tariff(HEADER + RATE + PRICE).price_of("+13125550123", CallType.INTERSTATE) is None


def test_a_tariff_without_a_time_zone_is_in_that_of_the_facility() -> None:
    row = tariff(HEADER + RATE + PRICE).price_of("+13125550123", CallType.LOCAL)
    assert row is not None
    assert row.timetable == always(simple_rate(Money(60_000)), NEW_YORK)


def test_all_that_a_rate_may_say_is_in_its_value() -> None:
    said = """
[[rate]]
name = "flat"
steps = [{ from_s = 0, price = "0.5", per_s = 30, increment_s = 6 }, { from_s = 60, price = "0.1" }]
connect_fee = "0.15"
minimum = "0.25"
max_cost = 10
max_cost_then = "free"
rounding = "up"
decimals = 2
"""
    row = tariff(HEADER + said + PRICE).price_of("+1", CallType.LOCAL)
    assert row is not None
    assert row.timetable.entries[0].rate == Rate(
        (Step(0, Money(500_000), 30, 6), Step(60, Money(100_000), 60, 60)),
        Money(150_000),
        Money(250_000),
        Money(10_000_000),
        "free",
        Rounding("up", 2),
    )


def test_what_stands_there_for_nothing_is_told_as_a_warning() -> None:
    unused = """
[[rate]]
name = "spare"
per_minute = "1"
[[time]]
name = "week"
days = "mon-sun"
start = "08:00"
rate = "spare"
[[time]]
name = "week"
days = "holiday"
start = 09:00:00
rate = "spare"
[[zone]]
name = "moon"
prefixes = ["999"]
"""
    assert tariff(HEADER + RATE + PRICE + unused).warnings == (
        "rate 'spare' is used by no price",
        "rows of time 'week' are used by no price",
        "zone 'moon' is used by no price",
        "rows of time for holidays never start: the tariff names no holidays",
    )
    assert tariff(HEADER + 'holidays = "US"\n' + RATE + PRICE).warnings == (
        "holidays change nothing: no row of time is for them",
    )


TIME = """
[[time]]
name = "week"
days = "mon"
start = "08:00"
rate = "flat"
"""
ZONE = '[[zone]]\nname = "a"\nprefixes = ["44"]\n'
STEPS = '[[rate]]\nname = "flat"\nsteps = [{steps}]\n'


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("id = ", ["not TOML: Invalid value (at end of document)"]),
        (HEADER, ["rate: expected a value", "price: expected a value"]),
        (
            HEADER.replace('"t"', '"T t"') + RATE + PRICE,
            ["id: expected small letters, digits and hyphens, a letter first, 40 at most"],
        ),
        (
            HEADER.replace("2026-01-01", '"2026-01-01"') + RATE + PRICE,
            ["valid_from: expected a date without quotes, such as 2026-01-01"],
        ),
        (HEADER.replace("USD", "EUR") + RATE + PRICE, ["currency: expected 'USD'"]),
        (
            HEADER + "valid_to = 2025-12-31" + RATE + PRICE,
            ["valid_to: expected a date not before valid_from, 2026-01-01"],
        ),
        (
            HEADER + 'time_zone = "Mars"' + RATE + PRICE,
            ['time_zone: expected a time zone of the IANA database, such as "America/New_York"'],
        ),
        (
            HEADER + 'holidays = "US-XX"' + RATE + PRICE,
            ['holidays: expected a country or a part of one whose holidays are known, such as "US-IL"'],
        ),
        (HEADER + 'color = "red"' + RATE + PRICE, ["color: expected no such field"]),
        (
            HEADER + RATE.replace('"0.06"', "0.06") + PRICE,
            ['rate.0.per_minute: expected an amount in quotes, such as "0.05", to be exact'],
        ),
        (
            HEADER + RATE.replace("0.06", "0.0000001") + PRICE,
            [
                "rate.0.per_minute: expected an amount with at most six decimals, such as \"0.05\", not '0.0000001'"
            ],
        ),
        (
            HEADER + RATE.replace("0.06", "-1") + PRICE,
            ["rate.0.per_minute: expected an amount that is not negative, not '-1'"],
        ),
        (
            HEADER + RATE + "first_seconds = 0\nnext_seconds = '6'" + PRICE,
            [
                "rate.0.first_seconds: expected a whole number of at least 1",
                "rate.0.next_seconds: expected a whole number",
            ],
        ),
        (
            HEADER + RATE + "decimals = 7\nrounding = 'off'" + PRICE,
            [
                "rate.0.rounding: expected 'up', 'down' or 'middle'",
                "rate.0.decimals: expected a whole number of at most 6",
            ],
        ),
        (
            HEADER + RATE + "steps = [{ from_s = 0, price = '1' }]" + PRICE,
            ["rate.0: expected either per_minute or steps"],
        ),
        (
            HEADER + STEPS.format(steps="{ from_s = 0, price = '1' }") + "next_seconds = 6" + PRICE,
            ["rate.0: expected no first_seconds and next_seconds beside steps, which have their increments"],
        ),
        (
            HEADER + RATE + "max_cost_then = 'free'" + PRICE,
            ["rate.0: expected a max_cost beside max_cost_then"],
        ),
        (
            HEADER + RATE + "connect_fee = '2'\nmax_cost = '1'" + PRICE,
            ["rate.0.max_cost: expected at least the connect_fee and the minimum"],
        ),
        (
            HEADER
            + STEPS.format(steps="{ from_s = 0, price = '1' }")
            + "connect_fee = '2'\nmax_cost = '2.99'"
            + PRICE,
            ["rate.0.max_cost: expected at least the price of the first increment, lest no call be allowed"],
        ),
        (HEADER + STEPS.format(steps="") + PRICE, ["rate.0.steps: expected a list that is not empty"]),
        (
            HEADER + STEPS.format(steps="{ from_s = 1, price = '1' }") + PRICE,
            ["rate.0.steps.0.from_s: expected 0: the first step begins with the talk"],
        ),
        (
            HEADER + STEPS.format(steps="{ from_s = 0, price = '1' }, { from_s = 0, price = '1' }") + PRICE,
            ["rate.0.steps.1.from_s: expected more than 0, where the step before begins"],
        ),
        (
            HEADER + STEPS.format(steps="{ from_s = 0, price = '1' }, { from_s = 90, price = '1' }") + PRICE,
            [
                "rate.0.steps.1.from_s: expected a whole number of 60 s increments after 0, lest time be charged twice"
            ],
        ),
        (HEADER + RATE + RATE + PRICE, ["rate.1.name: expected another name: there is a rate 'flat'"]),
        (
            HEADER + RATE + TIME.replace("week", "flat") + PRICE,
            ["time.0.name: expected another name: there is a rate 'flat'"],
        ),
        (
            HEADER + RATE + TIME.replace('"flat"', '"gone"') + PRICE,
            ["time.0.rate: expected the name of a rate, not 'gone'"],
        ),
        (
            HEADER + RATE + TIME + TIME + PRICE,
            ["time.1.start: expected another time: 'week' has this one on the same day"],
        ),
        (
            HEADER + RATE + TIME.replace('"mon"', '"holiday"') + PRICE,
            ["time: expected a row of 'week' for days of the week"],
        ),
        (
            HEADER + RATE + TIME.replace('"mon"', '"daily"') + PRICE,
            ['time.0.days: expected days such as "mon-fri" or "sat", or "holiday"'],
        ),
        (
            HEADER + RATE + TIME.replace("08:00", "8") + PRICE,
            ['time.0.start: expected a time of day such as "08:00" or "23:59:59"'],
        ),
        (
            HEADER + RATE + ZONE.replace('"44"', '"+44"') + PRICE,
            ['zone.0.prefixes.0: expected the first digits of numbers without "+", such as "1242"'],
        ),
        (
            HEADER + RATE + ZONE + ZONE.replace('"44"', '"45"') + PRICE,
            ["zone.1.name: expected another name: there is a zone 'a'"],
        ),
        (
            HEADER + RATE + ZONE + ZONE.replace('"a"', '"b"') + PRICE,
            ["zone.1.prefixes.0: expected another prefix: zone 'a' has 44"],
        ),
        (HEADER + RATE + row_of(""), ["price.0: expected one of call_types, prefix and zone"]),
        (
            HEADER + RATE + row_of('call_types = ["moon"]'),
            [
                "price.0.call_types.0: expected 'local', 'intrastate', 'interstate', 'international' or 'toll_free'"
            ],
        ),
        (
            HEADER + RATE + row_of('prefix = "44"', "gone"),
            ["price.0.rate: expected the name of a rate or of rows of time, not 'gone'"],
        ),
        (HEADER + RATE + row_of('zone = "gone"'), ["price.0.zone: expected the name of a zone, not 'gone'"]),
        (HEADER + RATE + PRICE + PRICE, ["price.1.call_types: expected one price for local: price.0 has it"]),
        (
            HEADER + RATE + ZONE + row_of('zone = "a"') + row_of('prefix = "44"'),
            ["price.1.prefix: expected one price for 44: price.0 has it"],
        ),
        (
            HEADER + RATE + ZONE + row_of('zone = "a"') + row_of('zone = "a"'),
            ["price.1.zone: expected one price for 44: price.0 has it"],
        ),
    ],
)
def test_a_mistake_is_told_with_its_field_and_what_was_expected(text: str, mistakes: list[str]) -> None:
    with pytest.raises(TariffFileError) as refused:
        parse_tariff(text, "t.toml")
    assert str(refused.value).splitlines() == [f"t.toml: {mistake}" for mistake in mistakes]


def test_five_thousand_prefixes_are_found_by_a_few_looks() -> None:
    prefixes = [f'"{number}"' for number in range(2_000, 7_000)]
    text = (
        HEADER + RATE + f'[[zone]]\nname = "a"\nprefixes = [{", ".join(prefixes)}]\n' + row_of('zone = "a"')
    )
    many = tariff(text)
    assert [
        many.price_of(f"+{each}555", CallType.LOCAL) is not None for each in (1999, 2000, 6999, 7000)
    ] == [False, True, True, False]


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_tariff_holds_in_the_years_that_are_taken(day: str) -> None:
    with pytest.raises(TariffFileError, match=r"far\.toml: valid_from: expected a year from 2000 to 2100"):
        parse_tariff(f"valid_from = {day}", "far.toml")
