from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rating.money import Money
from rating.tariff import Rate, Rounding, Step, simple_rate
from tests.rating.tariffs import random_rate

LOADED_MACHINE = [HealthCheck.too_slow]
rates = st.randoms(use_true_random=False).map(random_rate)


def test_a_simple_rate_is_an_initial_block_and_further_increments() -> None:
    assert simple_rate(Money(60_000), 60, 6).steps == (
        Step(0, Money(60_000), 60, 60),
        Step(60, Money(60_000), 60, 6),
    )
    assert simple_rate(Money(60_000)).steps == (Step(0, Money(60_000), 60, 60),)


@settings(max_examples=200, deadline=None, suppress_health_check=LOADED_MACHINE)
@given(rates, st.integers(0, 1_000_000).map(Money))
def test_a_capped_rate_is_nowhere_above_the_cap_and_else_unchanged(rate: Rate, cap: Money) -> None:
    capped = rate.capped(cap)
    for before, after in zip(rate.steps, capped.steps, strict=True):
        assert after.price * 60 <= cap * after.per_s
        assert after == before or before.price * 60 > cap * before.per_s
        assert (after.from_s, after.increment_s) == (before.from_s, before.increment_s)
    assert replace(capped, steps=rate.steps) == rate


def test_a_price_by_the_second_is_capped_exactly() -> None:
    by_second = Rate((Step(0, Money(1_001), 1, 1),))  # 60,060 a minute
    assert by_second.capped(Money(60_000)).steps == (Step(0, Money(60_000), 60, 1),)
    assert by_second.capped(Money(60_060)) == by_second


@pytest.mark.parametrize(
    ("impossible", "said"),
    [
        ({"steps": ()}, "second 0"),
        ({"steps": (Step(1, Money(1)),)}, "second 0"),
        ({"steps": (Step(0, Money(1)), Step(9, Money(1)), Step(9, Money(1)))}, "later"),
        ({"connect_fee": Money(-1)}, "never negative"),
        ({"minimum": Money(-1)}, "never negative"),
        ({"max_cost": Money(-1)}, "never negative"),
        ({"max_cost_then": "ring"}, '"free" or "disconnect"'),
    ],
)
def test_a_rate_that_cannot_be_charged_is_refused(impossible: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Rate(**{"steps": (Step(0, Money(1)),), **impossible})


@pytest.mark.parametrize(
    ("impossible", "said"),
    [
        ({"from_s": -1}, "second 0"),
        ({"price": Money(-1)}, "never negative"),
        ({"per_s": 0}, "at least one second"),
        ({"increment_s": 0}, "at least one second"),
    ],
)
def test_a_step_that_cannot_be_charged_is_refused(impossible: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Step(**{"from_s": 0, "price": Money(1), **impossible})


@pytest.mark.parametrize(("method", "decimals"), [("sideways", 2), ("up", -1), ("up", 7)])
def test_a_rounding_that_is_none_is_refused(method: Any, decimals: int) -> None:
    with pytest.raises(ValueError, match=r"rounding goes|0 to 6 decimals"):
        Rounding(method, decimals)


def test_chance_makes_the_same_tariff_of_the_same_seed() -> None:
    assert random_rate(Random(7)) == random_rate(Random(7))
