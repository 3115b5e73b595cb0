"""The words and figures of a paper, in its reader's language."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

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
    """A date with its year and a time of day; the instant is in the zone that it is to be told in."""
    return f"{day(value.date(), language)} {value:%H:%M}"


def zone_name(zone: ZoneInfo, language: str) -> str:
    """A time zone as people call it, such as Central Time."""
    name = dates.get_timezone_name(zone, locale=LOCALES[language])
    return zone.key if "UTC" in name else name


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


def in_cells(amount: int | None) -> str:
    """Dollars as a spreadsheet reads them: digits, a point, a minus sign; empty for none."""
    return "" if amount is None else format_money(Money(amount))


def length_in_cells(talk_ms: int | None) -> str:
    """Talk as a spreadsheet reads it: hours, minutes, seconds, since it takes two figures for hours and minutes."""
    if talk_ms is None:
        return ""
    minutes, seconds = divmod(talk_ms // 1000, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def offset(value: datetime) -> str:
    """How far the time of day is from UTC, such as UTC-06:00: it tells the hour that an autumn has twice apart."""
    return value.strftime("UTC%z")[:6] + ":" + value.strftime("%z")[3:5]
