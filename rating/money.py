"""Money is a whole number of millionths of the ledger's currency; never a float."""

import re
from typing import NewType

Money = NewType("Money", int)

MICROS_PER_UNIT = 1_000_000
MICROS_PER_CENT = 10_000
ZERO = Money(0)
#: What one payment, limit or price may be: far more than anybody's, and far too little for any sum of them to overflow.
MOST = Money(1_000_000 * MICROS_PER_UNIT)

_DECIMAL = re.compile(r"(?P<sign>-?)(?P<whole>\d{1,12})(?:\.(?P<fraction>\d{1,6}))?", re.ASCII)


def parse_money(text: str) -> Money:
    """The exact amount that a decimal text such as "0.06" or "-12.5" names.

    Raises ValueError for anything but plain digits with at most six decimals: no exponent, sign "+", grouping
    or currency, so that a price is never guessed and never rounded while it is read.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"not an amount of money: {text!r} (write it like 12.50, with at most six decimals)")
    micros = int(match["whole"]) * MICROS_PER_UNIT + int((match["fraction"] or "").ljust(6, "0"))
    return Money(-micros if match["sign"] else micros)


def at_most(amount: Money) -> Money:
    """The amount; raises ValueError for one that is more than any payment, limit or price may be."""
    if amount > MOST:
        raise ValueError(f"expected at most ${MOST // MICROS_PER_UNIT:,}.00")
    return amount


def format_money(amount: Money) -> str:
    """The exact amount as decimal text with at least two decimals, such as "0.06"; no currency sign."""
    whole, micros = divmod(abs(amount), MICROS_PER_UNIT)
    cents, beyond_cents = divmod(micros, MICROS_PER_CENT)
    fraction = f"{cents:02d}" + (f"{beyond_cents:04d}".rstrip("0"))
    return f"{'-' if amount < 0 else ''}{whole}.{fraction}"


def floor_to_cent(amount: Money) -> Money:
    """The amount in whole cents, rounded down: what may be promised to somebody who owns the amount."""
    return Money(amount // MICROS_PER_CENT * MICROS_PER_CENT)


def ceil_to_cent(amount: Money) -> Money:
    """The amount in whole cents, rounded up: what is paid out to its owner, or authorised on a card."""
    return Money(-(-amount // MICROS_PER_CENT) * MICROS_PER_CENT)
