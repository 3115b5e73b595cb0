from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rating.money import Money
from rating.price import (
    NOTHING,
    Price,
    Tax,
    TaxLine,
    charge,
    first_increment_price,
    longest_talk_ms,
    price_from_text,
)
from rating.tariff import Rate, Rounding, Step, simple_rate
from rating.timetable import EVERY_DAY, HOLIDAY, Entry, Timetable, always
from tests.rating import agreement
from tests.rating.slow import slow_continuation
from tests.rating.tariffs import DAYS, Case, random_case, random_talk_ms

LOADED_MACHINE = [HealthCheck.too_slow]
HOUR_MS = 3_600_000
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")

chances = st.randoms(use_true_random=False)
cases = chances.map(random_case)


def flat(rate: Rate, *taxes: Tax) -> Price:
    return Price(always(rate), taxes)


@settings(max_examples=1_000, deadline=None, suppress_health_check=LOADED_MACHINE)
@given(cases)
def test_a_charge_is_that_of_the_slow_way(case: Case) -> None:
    agreement.check_charge(case)


@settings(max_examples=500, deadline=None, suppress_health_check=LOADED_MACHINE)
@given(cases)
def test_the_longest_talk_is_paid_for_and_a_millisecond_more_is_not(case: Case) -> None:
    agreement.check_longest(case)


@settings(max_examples=500, deadline=None, suppress_health_check=LOADED_MACHINE)
@given(cases, chances)
def test_longer_talk_never_costs_less_and_more_money_never_shortens_it(case: Case, chance: Random) -> None:
    agreement.check_monotone(case, random_talk_ms(chance))
    agreement.check_more_money(case, Money(chance.randint(0, 20_000_000)))


@pytest.mark.parametrize("first_seed", [1, 1_001])
def test_thousands_of_tariffs_by_chance_agree(first_seed: int) -> None:
    for seed in range(first_seed, first_seed + 1_000):
        case = random_case(Random(seed))
        agreement.check_charge(case)
        agreement.check_longest(case)


def boundless(rate: Rate) -> Rate:
    return replace(rate, max_cost=None)


@settings(max_examples=200, deadline=None, suppress_health_check=LOADED_MACHINE)
@given(chances.map(lambda chance: random_case(chance, by_time=False)))
def test_a_continuation_costs_every_increment_but_the_first_and_no_fee(case: Case) -> None:
    [entry, *_] = case.price.timetable.entries
    price = replace(case.price, timetable=always(boundless(entry.rate), case.price.timetable.zone))
    fast = charge(price.continued(), case.started_at, case.talk_ms)
    slow = slow_continuation(price, case.started_at, case.talk_ms)
    if case.talk_ms:
        assert fast.billed_seconds == slow.billed_seconds
        assert (Fraction(fast.amount), Fraction(fast.total)) == (slow.amount, slow.total)
    assert fast.connect_fee == 0


@settings(max_examples=200, deadline=None, suppress_health_check=LOADED_MACHINE)
@given(cases, chances)
def test_a_continued_price_is_charged_limited_and_kept_like_any_other(case: Case, chance: Random) -> None:
    continued = replace(case, price=case.price.continued())
    agreement.check_charge(continued)
    agreement.check_longest(continued)
    agreement.check_monotone(continued, random_talk_ms(chance))
    assert price_from_text(continued.price.to_text()) == continued.price


@pytest.mark.parametrize(
    ("rate", "talk_s", "due"),
    [
        (simple_rate(Money(60_000), 60, 6), 6, 6_000),  # no first minute
        (simple_rate(Money(60_000), 60, 60), 61, 120_000),  # minute by minute, as ever
        (Rate((Step(0, Money(60_000)),), connect_fee=Money(500_000), minimum=Money(300_000)), 60, 60_000),
        (
            Rate((Step(0, Money(60_000)), Step(120, Money(30_000)))),
            120,
            90_000,
        ),  # the cheaper step comes sooner
    ],
)
def test_a_continuation_begins_where_the_first_block_ends(rate: Rate, talk_s: int, due: int) -> None:
    assert charge(flat(rate).continued(), NOON, talk_s * 1000).due == due


def test_a_tax_on_each_connected_call_is_not_paid_twice() -> None:
    price = flat(
        simple_rate(Money(60_000)), Tax("line", fixed=Money(10_000)), Tax("share", percent=Fraction(10))
    )
    [line] = charge(price.continued(), NOON, 60_000).taxes
    assert line == TaxLine("share", Money(6_000))


@settings(max_examples=500, deadline=None, suppress_health_check=LOADED_MACHINE)
@given(cases)
def test_the_text_of_a_price_makes_the_same_price(case: Case) -> None:
    text = case.price.to_text()
    assert price_from_text(text) == case.price
    assert price_from_text(text).to_text() == text


@settings(max_examples=500, deadline=None, suppress_health_check=LOADED_MACHINE)
@given(cases)
def test_a_price_kept_with_the_holidays_about_a_call_charges_the_same(case: Case) -> None:
    zone = case.price.timetable.zone
    first = case.started_at.astimezone(zone).date()
    last = (case.started_at + timedelta(milliseconds=case.talk_ms)).astimezone(zone).date()
    kept = price_from_text(case.price.to_text(first, last))
    assert charge(kept, case.started_at, case.talk_ms) == charge(case.price, case.started_at, case.talk_ms)


def test_a_kept_price_has_only_the_holidays_about_the_call() -> None:
    day, night = simple_rate(Money(1)), simple_rate(Money(2))
    entries = (Entry(EVERY_DAY, time(0), day), Entry(frozenset({HOLIDAY}), time(0), night))
    price = Price(Timetable(entries, NEW_YORK, frozenset(DAYS)))
    kept = price_from_text(price.to_text(date(2026, 12, 26), date(2026, 12, 26)))
    assert kept.timetable.holidays == {date(2026, 12, 25)}


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"rates":[],"entries":[],"holidays":[],"zone":"X","taxes":[]}']
)
def test_what_is_no_text_of_a_price_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not the text of a price|Expecting value"):
        price_from_text(text)


def test_a_balance_for_594_seconds_at_60_6_lets_the_call_last_594_seconds() -> None:
    price = flat(simple_rate(Money(600_000), 60, 6))
    assert longest_talk_ms(price, NOON, Money(5_940_000), HOUR_MS) == 594_000


def test_180_seconds_at_ten_cents_a_minute_are_30_cents_exactly() -> None:
    assert charge(flat(simple_rate(Money(100_000), 1, 1)), NOON, 180_000).total == 300_000


def test_a_call_of_a_thousand_and_more_is_charged_and_kept_exactly() -> None:
    price = flat(Rate((Step(0, Money(1_234_567_891), 1, 1),)))
    assert charge(price_from_text(price.to_text()), NOON, 10_000).total == 12_345_678_910


def test_a_call_over_the_spring_clock_change_is_charged_by_the_time_that_passed() -> None:
    entries = (
        Entry(EVERY_DAY, time(8), simple_rate(Money(20))),
        Entry(EVERY_DAY, time(18), simple_rate(Money(10))),
    )
    start, end = datetime(2026, 3, 8, 1, 30, tzinfo=NEW_YORK), datetime(2026, 3, 8, 3, 30, tzinfo=NEW_YORK)
    talk_ms = (end.astimezone(UTC) - start.astimezone(UTC)) // timedelta(milliseconds=1)
    assert talk_ms == HOUR_MS
    charged = charge(Price(Timetable(entries, NEW_YORK)), start, talk_ms)
    assert (charged.billed_seconds, charged.amount) == (3_600, 600)


def test_no_talk_costs_nothing_at_all() -> None:
    price = flat(
        Rate((Step(0, Money(1)),), connect_fee=Money(5), minimum=Money(9)), Tax("911", fixed=Money(3))
    )
    assert charge(price, NOON, 0) == NOTHING


def test_steps_are_counted_from_their_own_beginnings() -> None:
    rate = Rate((Step(0, Money(60), 60, 60), Step(60, Money(30), 60, 7), Step(80, Money(1), 1, 1)))
    charged = charge(flat(rate), NOON, 82_001)
    assert charged.billed_seconds == 60 + 21 + 3  # 20 s in sevens are 21
    assert charged.amount == 60 + 10 + 3  # 10.5 and 63 and 3 are 73.5, rounded down once
    assert charged.amount == 73


@pytest.mark.parametrize(
    ("method", "decimals", "amount"),
    [
        ("down", 2, 10_000),
        ("up", 2, 20_000),
        ("middle", 2, 20_000),
        ("middle", 3, 15_000),
        ("down", 0, 0),
        ("up", 6, 15_000),
    ],
)
def test_a_call_is_rounded_once_as_its_rate_says(method: str, decimals: int, amount: int) -> None:
    rounding = Rounding(method, decimals)  # type: ignore[arg-type]  # pytest gives words
    assert charge(flat(Rate((Step(0, Money(15_000)),), rounding=rounding)), NOON, 1).amount == amount


def test_a_connected_call_costs_at_least_the_minimum() -> None:
    price = flat(Rate((Step(0, Money(10)),), connect_fee=Money(5), minimum=Money(30)))
    assert [charge(price, NOON, minutes * 60_000).amount for minutes in (1, 2, 3)] == [30, 30, 35]


def test_a_call_goes_on_for_nothing_at_its_highest_cost() -> None:
    price = flat(Rate((Step(0, Money(10)),), connect_fee=Money(5), max_cost=Money(30), max_cost_then="free"))
    assert [charge(price, NOON, minutes * 60_000).amount for minutes in (2, 3, 300)] == [25, 30, 30]
    assert charge(price, NOON, 300 * 60_000).billed_seconds == 300 * 60
    assert longest_talk_ms(price, NOON, Money(30), HOUR_MS) == HOUR_MS


def test_a_call_may_not_go_on_beyond_its_highest_cost() -> None:
    price = flat(Rate((Step(0, Money(10)),), connect_fee=Money(5), max_cost=Money(30)))
    assert longest_talk_ms(price, NOON, Money(1_000), HOUR_MS) == 120_000
    assert charge(price, NOON, HOUR_MS) == charge(price, NOON, 120_000)


def test_a_highest_cost_below_the_first_increment_allows_no_talk() -> None:
    price = flat(Rate((Step(0, Money(10)),), max_cost=Money(9)))
    assert charge(price, NOON, HOUR_MS) == NOTHING
    assert longest_talk_ms(price, NOON, Money(1_000), HOUR_MS) == 0
    assert first_increment_price(price, NOON) == 10


def test_a_highest_cost_holds_also_where_rounding_goes_up() -> None:
    rate = Rate(
        (Step(0, Money(1)),), max_cost=Money(105_000), max_cost_then="free", rounding=Rounding("up", 2)
    )
    assert charge(flat(rate), NOON, 1).amount == 10_000
    assert (
        charge(
            flat(
                Rate(
                    (Step(0, Money(900_000)),),
                    max_cost=Money(105_000),
                    max_cost_then="free",
                    rounding=Rounding("up", 2),
                )
            ),
            NOON,
            1,
        ).amount
        == 105_000
    )


def test_tax_is_on_the_unrounded_price_and_each_line_is_rounded_once() -> None:
    rate = Rate((Step(0, Money(19_900)),), rounding=Rounding("down", 2))
    taxes = (
        Tax("state", percent=Fraction(100)),
        Tax("911", fixed=Money(35_000)),
        Tax("city", Fraction(100), None, Rounding("up", 2)),
    )
    charged = charge(flat(rate, *taxes), NOON, 1)
    assert charged.amount == 10_000
    assert charged.taxes == (
        TaxLine("state", Money(10_000)),
        TaxLine("911", Money(30_000)),
        TaxLine("city", Money(20_000)),
    )
    assert charged.total == 70_000


def test_the_balance_pays_for_tax_too() -> None:
    price = flat(simple_rate(Money(100_000)), Tax("state", percent=Fraction(10)))
    assert longest_talk_ms(price, NOON, Money(219_999), HOUR_MS) == 60_000
    assert longest_talk_ms(price, NOON, Money(220_000), HOUR_MS) == 120_000


def test_a_price_of_nothing_lasts_as_long_as_calls_may() -> None:
    assert longest_talk_ms(flat(simple_rate(Money(0))), NOON, Money(0), HOUR_MS) == HOUR_MS


def test_no_time_allows_no_talk_and_negative_time_does_not_exist() -> None:
    price = flat(simple_rate(Money(10)))
    assert longest_talk_ms(price, NOON, Money(100), 0) == 0
    with pytest.raises(ValueError, match="negative"):
        charge(price, NOON, -1)


def test_a_talk_begins_at_an_instant_of_some_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        charge(flat(simple_rate(Money(10))), NOON.replace(tzinfo=None), 1)


@pytest.mark.parametrize(
    "impossible",
    [
        {},
        {"percent": Fraction(1), "fixed": Money(1)},
        {"percent": Fraction(-1)},
        {"fixed": Money(-1)},
        {"percent": Fraction(1, 3)},
    ],
)
def test_a_tax_that_cannot_be_charged_is_refused(impossible: dict[str, Fraction]) -> None:
    with pytest.raises(ValueError, match=r"either|never negative|no decimal form"):
        Tax("tax", **impossible)  # type: ignore[arg-type]  # some of them are money
