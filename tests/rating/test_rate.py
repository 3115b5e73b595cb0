from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.money import Money
from rating.rate import Charge, Rate, charge, first_increment_price, longest_talk_ms

HOUR_MS = 3_600_000

rates = st.builds(
    Rate,
    per_minute=st.integers(0, 2_000_000).map(Money),
    first_seconds=st.sampled_from([1, 6, 10, 30, 60, 180]) | st.integers(1, 600),
    next_seconds=st.sampled_from([1, 6, 10, 60]) | st.integers(1, 120),
    connect_fee=st.just(Money(0)) | st.integers(0, 3_000_000).map(Money),
)
talks = st.integers(0, HOUR_MS) | st.integers(0, 60).map(lambda minutes: minutes * 60_000)
amounts = st.integers(0, 50_000_000).map(Money)

SIX_CENTS_60_60 = Rate(Money(60_000))


@pytest.mark.parametrize(
    ("talk_ms", "billed_seconds", "amount"),
    [
        (0, 0, 0),
        (1, 60, 60_000),
        (60_000, 60, 60_000),
        (60_001, 120, 120_000),
        (59 * 60_000 + 1, 3_600, 3_600_000),
    ],
)
def test_whole_minutes(talk_ms: int, billed_seconds: int, amount: int) -> None:
    assert charge(SIX_CENTS_60_60, talk_ms) == Charge(billed_seconds, Money(amount))


@pytest.mark.parametrize(
    ("talk_ms", "billed_seconds", "amount"),
    [
        (83_000, 90, 90_000),
        (60_000, 60, 60_000),
        (60_001, 70, 70_000),
        (70_000, 70, 70_000),
        (70_001, 80, 80_000),
    ],
)
def test_increments_are_counted_after_the_initial_block(
    talk_ms: int, billed_seconds: int, amount: int
) -> None:
    assert charge(Rate(Money(60_000), 60, 10), talk_ms) == Charge(billed_seconds, Money(amount))


def test_an_initial_block_that_is_no_multiple_of_the_increment() -> None:
    assert charge(Rate(Money(60_000), 30, 20), 51_000).billed_seconds == 30 + 2 * 20


def test_a_price_is_rounded_down_once_for_the_whole_call() -> None:
    a_third = Rate(Money(100_000), 1, 1)  # 1,666.67 micros a second
    assert charge(a_third, 1_000).amount == 1_666
    assert charge(a_third, 180_000).amount == 300_000


def test_the_connection_fee_is_for_calls_that_were_connected() -> None:
    rate = Rate(Money(60_000), connect_fee=Money(250_000))
    assert charge(rate, 0).amount == 0
    assert charge(rate, 1).amount == first_increment_price(rate) == 310_000


def test_a_call_of_594_seconds_is_let_to_talk_for_all_that_is_paid_for() -> None:
    rate = Rate(Money(600_000), 60, 6)
    assert longest_talk_ms(rate, Money(5_940_000), HOUR_MS) == 594_000


@pytest.mark.parametrize(
    ("available", "longest"), [(59_999, 0), (60_000, 60_000), (119_999, 60_000), (10**9, HOUR_MS)]
)
def test_longest_talk(available: int, longest: int) -> None:
    assert longest_talk_ms(SIX_CENTS_60_60, Money(available), HOUR_MS) == longest


def test_a_price_of_nothing_lasts_as_long_as_calls_may() -> None:
    assert longest_talk_ms(Rate(Money(0)), Money(0), HOUR_MS) == HOUR_MS


def test_no_time_costs_nothing_and_negative_time_does_not_exist() -> None:
    assert longest_talk_ms(SIX_CENTS_60_60, Money(10**9), 0) == 0
    with pytest.raises(ValueError, match="negative"):
        charge(SIX_CENTS_60_60, -1)


@pytest.mark.parametrize(
    "impossible", [{"per_minute": -1}, {"connect_fee": -1}, {"first_seconds": 0}, {"next_seconds": 0}]
)
def test_a_rate_that_cannot_be_charged_is_refused(impossible: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"never negative|at least one second"):
        Rate(**{"per_minute": Money(1), **impossible})  # type: ignore[arg-type]  # some of them are money


@given(rates, talks)
def test_a_charge_is_that_of_exact_fractions(rate: Rate, talk_ms: int) -> None:
    """A second way to the same price: seconds are bought one block after the other."""
    bought = Fraction(0)
    exact = Fraction(0)
    if talk_ms > 0:
        bought = Fraction(rate.first_seconds)
        missing = Fraction(talk_ms, 1000) - bought
        if missing > 0:
            bought += rate.next_seconds * ceil(missing / rate.next_seconds)
        exact = rate.connect_fee + Fraction(rate.per_minute, 60) * bought
    assert charge(rate, talk_ms) == Charge(int(bought), Money(floor(exact)))


@given(rates, talks)
def test_a_charge_is_never_above_the_price_of_the_billed_time(rate: Rate, talk_ms: int) -> None:
    charged = charge(rate, talk_ms)
    assert charged.billed_seconds * 1000 >= talk_ms
    if charged.billed_seconds:
        assert Fraction(charged.amount - rate.connect_fee, charged.billed_seconds) <= Fraction(
            rate.per_minute, 60
        )


@given(rates, talks, talks)
def test_longer_talk_never_costs_less(rate: Rate, one_ms: int, other_ms: int) -> None:
    shorter, longer = sorted((one_ms, other_ms))
    assert charge(rate, shorter).amount <= charge(rate, longer).amount
    assert charge(rate, shorter).billed_seconds <= charge(rate, longer).billed_seconds


@given(rates, amounts, talks)
def test_the_longest_talk_is_paid_for_and_a_millisecond_more_is_not(
    rate: Rate, available: Money, cap_ms: int
) -> None:
    longest_ms = longest_talk_ms(rate, available, cap_ms)
    assert 0 <= longest_ms <= cap_ms
    assert charge(rate, longest_ms).amount <= available
    if longest_ms < cap_ms:
        assert charge(rate, longest_ms + 1).amount > available


@given(rates, amounts)
def test_without_the_price_of_the_first_increment_there_is_no_talk(rate: Rate, available: Money) -> None:
    assert (longest_talk_ms(rate, available, HOUR_MS) == 0) == (available < first_increment_price(rate))


@given(rates, amounts, amounts)
def test_more_money_never_shortens_the_talk(rate: Rate, one: Money, other: Money) -> None:
    less, more = sorted((one, other))
    assert longest_talk_ms(rate, less, HOUR_MS) <= longest_talk_ms(rate, more, HOUR_MS)
