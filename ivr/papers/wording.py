"""The words and figures of a paper, in its reader's language."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files

from babel import dates, numbers

from rating.money import MICROS_PER_UNIT, Money, format_money

LOCALES = {"en": "en_US", "es": "es_US"}


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """Every word by its id and language."""
    return tomllib.loads((files("ivr.papers") / "words.toml").read_text(encoding="utf-8"))


def word(id_: str, language: str) -> str:
    """One word; raises KeyError for one that the papers do not have."""
    return words()[id_][language]


def day(value: date, language: str) -> str:
    """A date, as the language writes it."""
    return dates.format_date(value, "medium", LOCALES[language])


def moment(value: datetime, language: str) -> str:
    """A date and a time of day, short; the instant is in the zone that it is to be told in."""
    pattern = "dd/MM HH:mm" if language == "es" else "MM/dd HH:mm"
    return dates.format_datetime(value, pattern, tzinfo=value.tzinfo, locale=LOCALES[language])


def money(amount: int | None, language: str) -> str:
    """Dollars, with all decimals that the amount has; empty for none."""
    if amount is None:
        return ""
    exact = format_money(Money(amount))
    if amount % (MICROS_PER_UNIT // 100) == 0:
        exact = numbers.format_decimal(exact, "#,##0.00", LOCALES[language])
    return exact.replace("-", "-$", 1) if exact.startswith("-") else f"${exact}"


def length(talk_ms: int | None) -> str:
    """Minutes and seconds of talk, a started second not counted; empty for none."""
    if talk_ms is None:
        return ""
    seconds = talk_ms // 1000
    return f"{seconds // 60}:{seconds % 60:02d}"
