"""Exact decimal numbers that are no amounts of money, such as the percentage of a tax."""

import re
from fractions import Fraction

_DECIMAL = re.compile(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)


def parse_decimal(text: str) -> Fraction:
    """The number that a decimal text such as "6.25" names; raises ValueError for anything else."""
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError(f"not a decimal number: {text!r} (write it like 6.25)")
    return Fraction(text)


def format_decimal(number: Fraction) -> str:
    """The shortest decimal text of a number that is not negative; ValueError if it has no more than 12 decimals."""
    scaled = number * 10**12
    if scaled.denominator != 1:
        raise ValueError(f"{number} has no decimal form of at most twelve decimals")
    whole, decimals = divmod(int(scaled), 10**12)
    return f"{whole}.{decimals:012d}".rstrip("0").rstrip(".")
