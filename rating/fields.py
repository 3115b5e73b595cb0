"""How the fields of a tariff are written, in TOML as in JSON, and how a mistake in one is told.

Each message says what was expected there.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import time
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from rating.decimals import parse_decimal
from rating.money import ZERO, Money, parse_money
from rating.tariff import MOST_DECIMALS, AtMaxCost, Step

#: As long as nobody talks.
LONGEST_S: Final = 10**9

_PLAIN: Final = re.compile(r"\d{1,10}(?:\.\d{1,3}0*)?", re.ASCII)
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?", re.ASCII)


def _money(value: object) -> Money:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError('expected an amount in quotes, such as "0.05", to be exact')
    try:
        return parse_money(value)
    except ValueError:
        raise ValueError(
            f'expected an amount with at most six decimals, such as "0.05", not {value!r}'
        ) from None


def _amount(value: object) -> Money:
    amount = _money(value)
    if amount < 0:
        raise ValueError(f"expected an amount that is not negative, not {value!r}")
    return amount


def _milliseconds(value: object) -> int:
    text = str(value) if isinstance(value, int | str | Decimal) and not isinstance(value, bool) else ""
    if _PLAIN.fullmatch(text) is None or Fraction(text) > LONGEST_S:
        raise ValueError(
            f"expected seconds from 0 to {LONGEST_S} with at most three decimals, such as 24 or 24.5"
        )
    return int(Fraction(text) * 1000)


def _percent(value: object) -> Fraction:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    try:
        return parse_decimal(text)
    except ValueError:
        raise ValueError('expected a percentage in quotes, such as "6.25"') from None


def _clock(value: object) -> time:
    if isinstance(value, time) and value.tzinfo is None and not value.microsecond:
        return value
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return time.fromisoformat(value)
    raise ValueError('expected a time of day such as "08:00" or "23:59:59"')


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('expected a time zone of the IANA database, such as "America/New_York"') from None


#: What pydantic's kinds of mistakes are called here.
_EXPECTED: Final = {
    "missing": "expected a value",
    "extra_forbidden": "expected no such field",
    "literal_error": "expected {expected}",
    "enum": "expected {expected}",
    "greater_than_equal": "expected a whole number of at least {ge}",
    "less_than_equal": "expected a whole number of at most {le}",
    "int_type": "expected a whole number",
    "string_type": "expected a text",
    "string_too_short": "expected a text that is not empty",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "too_short": "expected a list that is not empty",
    "model_type": "expected a group of fields",
    "value_error": "{error}",
}

AnyAmount = Annotated[Money, BeforeValidator(_money)]
Amount = Annotated[Money, BeforeValidator(_amount)]
Milliseconds = Annotated[int, BeforeValidator(_milliseconds)]
Percent = Annotated[Fraction, BeforeValidator(_percent)]
Clock = Annotated[time, BeforeValidator(_clock)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
FromSecond = Annotated[int, Field(ge=0, le=LONGEST_S, strict=True)]
Seconds = Annotated[int, Field(ge=1, le=LONGEST_S, strict=True)]
Decimals = Annotated[int, Field(ge=0, le=MOST_DECIMALS, strict=True)]
Weekday = Annotated[int, Field(ge=1, le=7, strict=True)]
Text = Annotated[str, Field(min_length=1, strict=True)]


class Fields(BaseModel):
    """Fields of which each is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class StepFields(Fields):
    """One step of a rate."""

    from_s: FromSecond
    price: Amount
    per_s: Seconds = 60
    increment_s: Seconds = 60

    def step(self) -> Step:
        """The value."""
        return Step(self.from_s, self.price, self.per_s, self.increment_s)


class CallFields(Fields):
    """What a rate says of a call as a whole."""

    connect_fee: Amount = ZERO
    minimum: Amount = ZERO
    max_cost: Amount | None = None
    max_cost_then: AtMaxCost = "disconnect"


def steps_mistake(steps: list[StepFields]) -> tuple[int, str] | None:
    """The number of the first step that begins where none can, and what was expected of it; None if all fit."""
    if steps and steps[0].from_s != 0:
        return 0, "expected 0: the first step begins with the talk"
    for number, (earlier, later) in enumerate(pairwise(steps), start=1):
        if later.from_s <= earlier.from_s:
            return number, f"expected more than {earlier.from_s}, where the step before begins"
    return None


def mistakes(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Each mistake: its field, such as "rate.0.steps.1.price", and what was expected there."""
    for each in error.errors(include_input=False, include_url=False):
        yield ".".join(str(part) for part in each["loc"]), _expected(each)


def _expected(error: ErrorDetails) -> str:
    limits: Mapping[str, Any] = error.get("ctx", {})
    form = _EXPECTED.get(error["type"])
    return f"expected something else: {error['msg']}" if form is None else form.format_map(limits)
