"""The words of notices: every kind in both languages, and how values are written in them."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from string import Formatter
from typing import Any, Final, Self

import phonenumbers
from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_currency, format_decimal

from accounts.outbox import NoticeKind
from rating.money import format_money, parse_money

FILE = Path(__file__).with_name("texts.toml")
#: The languages of holders, and the locale by which numbers, money and dates are written in each.
LOCALES: Final = {"en": Locale.parse("en_US"), "es": Locale.parse("es_US")}
_PARTS = ("sms", "subject", "body")


class TextError(Exception):
    """The texts contradict themselves, or a notice was told something that its text has no place for."""


class Written(StrEnum):
    """How a variable is written."""

    MONEY = "money"  # from "12.50"
    NUMBER = "number"  # a telephone number, from E.164
    COUNT = "count"  # from an int, with the words for one or for several
    DATE = "date"  # from an ISO date
    MONTH = "month"  # from "2026-11"
    REASON = "reason"  # from a reason of a call's record
    TEXT = "text"  # as it is


@dataclass(frozen=True, slots=True)
class Email:
    """A mail as it is sent."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Text:
    """A kind of notice in one language; `counts` are the words of its counts, by plural form."""

    sms: str
    subject: str
    body: str
    counts: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts, checked: each kind has each language, and every text has the variables of its kind."""

    variables: Mapping[NoticeKind, Mapping[str, Written]]
    texts: Mapping[tuple[NoticeKind, str], Text]
    layout: Mapping[str, Mapping[str, str]]
    reasons: Mapping[str, Mapping[str, str]]

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        """Read the file; raises TextError naming the first text that breaks a rule."""
        read = tomllib.loads(path.read_text("utf-8"))
        layout, reasons = read.pop("layout"), read.pop("reasons")
        if set(read) != set(NoticeKind):
            raise TextError(f"texts without a kind, or kinds without: {sorted(set(read) ^ set(NoticeKind))}")
        variables = {NoticeKind(name): _variables(name, entry["variables"]) for name, entry in read.items()}
        texts = {
            (kind, language): _text(f"{kind}.{language}", read[kind].get(language, {}), variables[kind])
            for kind in NoticeKind
            for language in LOCALES
        }
        return cls(variables, texts, layout, reasons)

    def sms(self, kind: NoticeKind, language: str, told: Mapping[str, object], *, sender: str) -> str:
        """What an SMS says, with who it is from and how to end them; raises TextError for what it can't tell."""
        text = self.texts[kind, language].sms.format_map(self._written(kind, language, told))
        return self.layout[language]["sms"].format(sender=sender, text=text)

    def email(self, kind: NoticeKind, language: str, told: Mapping[str, object], *, sender: str) -> Email:
        """What a mail says; raises TextError for what it can't tell."""
        written, text = self._written(kind, language, told), self.texts[kind, language]
        body = self.layout[language]["email"].format(sender=sender, text=text.body.format_map(written))
        return Email(text.subject.format_map(written), body)

    def _written(self, kind: NoticeKind, language: str, told: Mapping[str, object]) -> dict[str, str]:
        variables = self.variables[kind]
        if told.keys() != variables.keys():
            raise TextError(f"{kind}: told {sorted(told)}, but it has {sorted(variables)}")
        return {name: self._value(kind, language, name, told[name]) for name in variables}

    def _value(self, kind: NoticeKind, language: str, name: str, value: object) -> str:
        how = self.variables[kind][name]
        try:
            if how is Written.COUNT:
                return _count(value, self.texts[kind, language].counts[name], LOCALES[language])
            if how is Written.REASON:
                return self.reasons[language][str(value)]
            return _WRITERS[how](str(value), LOCALES[language])
        except (KeyError, ValueError, phonenumbers.NumberParseException):
            raise TextError(f"{kind}: {name} can't be {how}: {value!r}") from None


def _variables(name: str, table: Mapping[str, str]) -> Mapping[str, Written]:
    try:
        return {variable: Written(how) for variable, how in table.items()}
    except ValueError as error:
        raise TextError(f"{name}: {error}") from None


def _text(name: str, entry: Mapping[str, Any], variables: Mapping[str, Written]) -> Text:
    """One text; its SMS and its body tell every variable, its subject some of them."""
    counts = {variable for variable, how in variables.items() if how is Written.COUNT}
    if set(entry) != {*_PARTS, *counts}:
        raise TextError(f"{name}: has {sorted(entry)}, but should have {sorted({*_PARTS, *counts})}")
    used = {part: _used(entry[part]) for part in _PARTS}
    if (
        used["sms"] != set(variables)
        or used["body"] != set(variables)
        or not used["subject"] <= set(variables)
    ):
        raise TextError(f"{name}: uses other variables than {sorted(variables)}")
    for variable in counts:
        if set(entry[variable]) != {"one", "other"}:
            raise TextError(f"{name}.{variable}: expected words for one and for other")
    body = entry["body"].removeprefix("\n")
    return Text(entry["sms"], entry["subject"], body, {each: entry[each] for each in counts})


def _used(text: str) -> set[str]:
    return {field for _, field, *_ in Formatter().parse(text) if field is not None}


def _count(value: object, words: Mapping[str, str], locale: Locale) -> str:
    if not isinstance(value, int):
        raise ValueError(value)
    form = words.get(locale.plural_form(value), words["other"])
    return form.format(n=format_decimal(value, locale=locale))


def _money(value: str, locale: Locale) -> str:
    """Exactly: a charge of less than a cent is not rounded away."""
    amount = Decimal(format_money(parse_money(value)))
    form = locale.currency_formats["standard"].pattern + "####"
    return format_currency(amount, "USD", form, locale, currency_digits=False).replace("\xa0", " ")


def _number(value: str, _locale: Locale) -> str:
    number = phonenumbers.parse(value)
    form = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(
        number, form.NATIONAL if number.country_code == 1 else form.INTERNATIONAL
    )


def _date(value: str, locale: Locale) -> str:
    return format_date(date.fromisoformat(value), "long", locale=locale)


def _month(value: str, locale: Locale) -> str:
    return format_skeleton("yMMMM", date.fromisoformat(f"{value}-01"), locale=locale)


def _as_it_is(value: str, _locale: Locale) -> str:
    return value


_WRITERS: Mapping[Written, Callable[[str, Locale], str]] = {
    Written.MONEY: _money,
    Written.NUMBER: _number,
    Written.DATE: _date,
    Written.MONTH: _month,
    Written.TEXT: _as_it_is,
}
