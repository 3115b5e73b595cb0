from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.money import Money, floor_to_cent, format_money, parse_money

amounts = st.integers(-(10**17), 10**17).map(Money)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0", 0),
        ("0.06", 60_000),
        ("12.5", 12_500_000),
        ("0.000001", 1),
        ("-3.10", -3_100_000),
        ("123456789012.123456", 123_456_789_012_123_456),
    ],
)
def test_decimal_text_is_read_exactly(text: str, micros: int) -> None:
    assert parse_money(text) == micros


@pytest.mark.parametrize(
    "text",
    ["", ".5", "5.", "1e2", "+1", "1,000", "$1", " 1", "1\n", "0.0000001", "--1", "٣", "1234567890123"],
)
def test_anything_else_is_not_money(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount of money"):
        parse_money(text)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0.00"),
        (60_000, "0.06"),
        (1, "0.000001"),
        (12_500_000, "12.50"),
        (105_500, "0.1055"),
        (-60_000, "-0.06"),
    ],
)
def test_money_is_written_with_cents_and_whatever_is_beyond(micros: int, text: str) -> None:
    assert format_money(Money(micros)) == text


@given(amounts)
def test_what_is_written_reads_as_the_same_amount(amount: Money) -> None:
    assert parse_money(format_money(amount)) == amount


@given(amounts)
def test_rounding_down_to_cents_goes_less_than_a_cent(amount: Money) -> None:
    cents = Fraction(amount, 10_000)
    assert cents - 1 < Fraction(floor_to_cent(amount), 10_000) <= cents
    assert floor_to_cent(amount) % 10_000 == 0
