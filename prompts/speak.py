"""How the variables of a prompt are spoken: as a few recorded phrases, the same ones in each language.

A phrase is a clip, named by its path below the folder of a language: `money/dollars.12`, `date/month.10`.
Single words sound wrong when they are put together, so a phrase holds a number together with what it counts.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from pathlib import PurePosixPath

from prompts.numbers import Before, english, english_ordinal, spanish

MICROS_IN_A_CENT = 10_000
HIGHEST_CENTS = 999_999  # $9,999.99
LONGEST_MINUTES = 24 * 60
MOST_CALLS = 100
YEARS = range(2020, 2041)

_WHOLE_DOLLARS = (*range(100), *range(100, 1000, 100), *range(1000, 10_000, 1000))
_ONE_MORE_DOLLAR = "money/more_dollars.1"  # after hundreds, one dollar is said as several
_WHOLE_MINUTES = 120
# fmt: off
_ENGLISH_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
]
_SPANISH_MONTHS = [
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
    "octubre", "noviembre", "diciembre",
]
# fmt: on


class PromptError(Exception):
    """The catalogue contradicts itself, or a prompt was asked for that it cannot speak."""


class Kind(StrEnum):
    """How a variable is spoken, and so what type its value has."""

    MONEY = "money"  # int, millionths of a dollar
    MINUTES = "minutes"  # int
    CALLS_REMAINING = "calls_remaining"  # int; a whole sentence for each number
    CALLS = "calls"  # int
    DATE = "date"  # datetime.date; the year is not spoken
    FULL_DATE = "full_date"  # datetime.date, with its year
    DIGITS = "digits"  # str
    FACILITY = "facility"  # str, the facility's short name
    RECORDING = "recording"  # str or Path, absolute; a file made in this call


def money(value: object) -> list[str]:
    """The clips of an amount in millionths of a dollar; part of a cent is spoken as a whole one."""
    micros = _number(value, Kind.MONEY, 0, HIGHEST_CENTS * MICROS_IN_A_CENT)
    dollars, cents = divmod(-(-micros // MICROS_IN_A_CENT), 100)
    if cents and not dollars:
        return [f"money/cents.{cents}"]
    return [*_dollars(dollars), *([f"money/and_cents.{cents}"] if cents else [])]


def _dollars(dollars: int) -> list[str]:
    """The fewest phrases for an amount of whole dollars: 1234 is "one thousand", then 234."""
    if dollars in _WHOLE_DOLLARS:
        return [f"money/dollars.{dollars}"]
    for size, name in ((1000, "thousand"), (100, "hundred")):
        head, rest = divmod(dollars, size)
        if head:
            return [f"money/{name}.{head}", *(_dollars(rest) if rest > 1 else [_ONE_MORE_DOLLAR])]
    raise PromptError(f"no phrase for {dollars} dollars")


def minutes(value: object) -> list[str]:
    """The clips of a length of time in whole minutes, in hours and minutes above two hours."""
    number = _number(value, Kind.MINUTES, 0, LONGEST_MINUTES)
    if number <= _WHOLE_MINUTES:
        return [f"minutes/{number}"]
    hours, rest = divmod(number, 60)
    return [f"hours/{hours}", *([f"minutes/{rest}"] if rest else [])]


def calls_remaining(value: object) -> list[str]:
    """The one clip that says how many calls of a subscription are left, from 1 to 100."""
    return [f"calls_remaining/{_number(value, Kind.CALLS_REMAINING, 1, MOST_CALLS)}"]


def calls(value: object) -> list[str]:
    """The one clip of a number of calls, from 1 to 100."""
    return [f"calls/{_number(value, Kind.CALLS, 1, MOST_CALLS)}"]


def day_and_month(value: object) -> list[str]:
    """The clips of a date: the day, then the month."""
    if not isinstance(value, date):
        raise PromptError(f"a date is wanted, not {value!r}")
    return [f"date/day.{value.day}", f"date/month.{value.month}"]


def full_date(value: object) -> list[str]:
    """The clips of a date: the day, the month, the year."""
    clips = day_and_month(value)
    year = value.year if isinstance(value, date) else 0
    return [*clips, f"date/year.{_number(year, Kind.FULL_DATE, YEARS[0], YEARS[-1])}"]


def digits(value: object) -> list[str]:
    """One clip for each digit of a text that has nothing but digits."""
    if not isinstance(value, str) or not re.fullmatch("[0-9]+", value):
        raise PromptError(f"digits are wanted, not {value!r}")
    return [f"digits/{digit}" for digit in value]


def recording(value: object) -> list[str]:
    """The path of a recording made in this call, as it is."""
    path = str(value)
    if not PurePosixPath(path).is_absolute():
        raise PromptError(f"the absolute path of a recording is wanted, not {value!r}")
    return [path]


# A facility is missing here: what names there are is known to the catalogue alone.
SPEAKERS: Mapping[Kind, Callable[[object], list[str]]] = {
    Kind.MONEY: money,
    Kind.MINUTES: minutes,
    Kind.CALLS_REMAINING: calls_remaining,
    Kind.CALLS: calls,
    Kind.DATE: day_and_month,
    Kind.FULL_DATE: full_date,
    Kind.DIGITS: digits,
    Kind.RECORDING: recording,
}


def phrases(language: str) -> dict[str, str]:
    """The words of every phrase of a language, by clip id."""
    return {"en": _english_phrases, "es": _spanish_phrases}[language]()


def _number(value: object, kind: Kind, lowest: int, highest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise PromptError(f"{kind}: a whole number is wanted, not {value!r}")
    if not lowest <= value <= highest:
        raise PromptError(f"{kind}: {value} is not between {lowest} and {highest}")
    return value


def _english_phrases() -> dict[str, str]:
    found = {
        f"money/dollars.{n}": f"{english(n)} {'dollar' if n == 1 else 'dollars'}" for n in _WHOLE_DOLLARS
    }
    found[_ONE_MORE_DOLLAR] = "one dollars"
    found |= {f"money/hundred.{n}": f"{english(n)} hundred" for n in range(1, 10)}
    found |= {f"money/thousand.{n}": f"{english(n)} thousand" for n in range(1, 10)}
    for n in range(1, 100):
        cents = f"{english(n)} {'cent' if n == 1 else 'cents'}"
        found |= {f"money/cents.{n}": cents, f"money/and_cents.{n}": f"and {cents}"}
    for n in range(_WHOLE_MINUTES + 1):
        found[f"minutes/{n}"] = f"{english(n)} {'minute' if n == 1 else 'minutes'}"
    found |= {f"hours/{n}": f"{english(n)} hours" for n in range(2, 25)}
    for n in range(1, MOST_CALLS + 1):
        counted = f"{english(n)} {'call' if n == 1 else 'calls'}"
        found[f"calls/{n}"] = counted
        found[f"calls_remaining/{n}"] = f"You have {counted} remaining in your subscription."
    found |= {f"date/day.{n}": f"the {english_ordinal(n)} day" for n in range(1, 32)}
    found |= {f"date/month.{n}": f"of {month}" for n, month in enumerate(_ENGLISH_MONTHS, 1)}
    found |= {f"date/year.{n}": f"in the year {english(20)} {english(n - 2000)}" for n in YEARS}
    return found | {f"digits/{n}": english(n) for n in range(10)}


def _spanish_phrases() -> dict[str, str]:
    found = {f"money/dollars.{n}": _counted(n, "dólar", "dólares") for n in _WHOLE_DOLLARS}
    found[_ONE_MORE_DOLLAR] = "un dólares"
    found |= {f"money/hundred.{n}": spanish(100 * n) for n in range(2, 10)} | {"money/hundred.1": "ciento"}
    found |= {f"money/thousand.{n}": spanish(1000 * n) for n in range(1, 10)}
    for n in range(1, 100):
        cents = _counted(n, "centavo", "centavos")
        found |= {f"money/cents.{n}": cents, f"money/and_cents.{n}": f"con {cents}"}
    found |= {f"minutes/{n}": _counted(n, "minuto", "minutos") for n in range(_WHOLE_MINUTES + 1)}
    found |= {f"hours/{n}": f"{spanish(n, Before.FEMININE)} horas" for n in range(2, 25)}
    found["calls_remaining/1"] = "Le queda una llamada."
    for n in range(2, MOST_CALLS + 1):
        found[f"calls_remaining/{n}"] = f"Le quedan {spanish(n, Before.FEMININE)} llamadas."
    found |= {f"date/day.{n}": f"el día {spanish(n) if n > 1 else 'primero'}" for n in range(1, 32)}
    found |= {f"date/month.{n}": f"del mes de {month}" for n, month in enumerate(_SPANISH_MONTHS, 1)}
    found |= {f"date/year.{n}": f"del año dos mil {spanish(n - 2000)}" for n in YEARS}
    found["calls/1"] = "una llamada"
    found |= {f"calls/{n}": f"{spanish(n, Before.FEMININE)} llamadas" for n in range(2, MOST_CALLS + 1)}
    return found | {f"digits/{n}": spanish(n) for n in range(10)}


def _counted(number: int, one: str, many: str) -> str:
    """A number before the masculine noun that it counts."""
    return f"{spanish(number, Before.MASCULINE)} {one if number == 1 else many}"
