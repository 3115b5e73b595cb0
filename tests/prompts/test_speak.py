from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts import speak
from prompts.catalogue import LANGUAGES
from prompts.numbers import Before, english, spanish
from prompts.speak import HIGHEST_CENTS, MICROS_IN_A_CENT, PromptError, phrases

WORDS = {language: phrases(language) for language in LANGUAGES}

amounts = st.integers(0, HIGHEST_CENTS)


def said(language: str, clips: list[str]) -> str:
    return " ".join(WORDS[language][clip] for clip in clips)


def dollars(amount: str) -> int:
    whole, cents = amount.split(".")
    return (int(whole) * 100 + int(cents)) * MICROS_IN_A_CENT


@pytest.mark.parametrize(
    ("amount", "in_english", "in_spanish"),
    [
        ("0.00", "zero dollars", "cero dólares"),
        ("0.01", "one cent", "un centavo"),
        ("0.06", "six cents", "seis centavos"),
        ("0.31", "thirty-one cents", "treinta y un centavos"),
        ("1.00", "one dollar", "un dólar"),
        ("1.01", "one dollar and one cent", "un dólar con un centavo"),
        ("12.40", "twelve dollars and forty cents", "doce dólares con cuarenta centavos"),
        ("21.21", "twenty-one dollars and twenty-one cents", "veintiún dólares con veintiún centavos"),
        ("100.00", "one hundred dollars", "cien dólares"),
        ("101.00", "one hundred one dollars", "ciento un dólares"),
        ("134.07", "one hundred thirty-four dollars and seven cents",
         "ciento treinta y cuatro dólares con siete centavos"),
        ("1001.00", "one thousand one dollars", "mil un dólares"),
        ("1000.00", "one thousand dollars", "mil dólares"),
        ("2000.50", "two thousand dollars and fifty cents", "dos mil dólares con cincuenta centavos"),
        ("2221.00", "two thousand two hundred twenty-one dollars", "dos mil doscientos veintiún dólares"),
    ],
)  # fmt: skip
def test_money_is_said_in_dollars_and_cents(amount: str, in_english: str, in_spanish: str) -> None:
    clips = speak.money(dollars(amount))
    assert said("en", clips) == in_english
    assert said("es", clips) == in_spanish


@given(amounts)
def test_every_amount_is_said_as_its_number_in_english(cents: int) -> None:
    whole, rest = divmod(cents, 100)
    parts = [f"{english(whole)} {'dollar' if whole == 1 else 'dollars'}"] if whole or not rest else []
    parts += [f"{english(rest)} {'cent' if rest == 1 else 'cents'}"] if rest else []
    assert said("en", speak.money(cents * MICROS_IN_A_CENT)) == " and ".join(parts)


@given(amounts)
def test_every_amount_is_said_as_its_number_in_spanish(cents: int) -> None:
    whole, rest = divmod(cents, 100)
    in_words = [spanish(number, Before.MASCULINE) for number in (whole, rest)]
    parts = [f"{in_words[0]} {'dólar' if whole == 1 else 'dólares'}"] if whole or not rest else []
    parts += [f"{in_words[1]} {'centavo' if rest == 1 else 'centavos'}"] if rest else []
    assert said("es", speak.money(cents * MICROS_IN_A_CENT)) == " con ".join(parts)


@given(amounts.filter(bool), st.integers(1, MICROS_IN_A_CENT - 1))
def test_part_of_a_cent_is_said_as_a_whole_one(cents: int, missing: int) -> None:
    assert speak.money(cents * MICROS_IN_A_CENT - missing) == speak.money(cents * MICROS_IN_A_CENT)


@pytest.mark.parametrize("value", [-1, HIGHEST_CENTS * MICROS_IN_A_CENT + 1, 0.06, "6", None, True])
def test_money_that_cannot_be_said_is_refused(value: object) -> None:
    with pytest.raises(PromptError):
        speak.money(value)


@pytest.mark.parametrize(
    ("minutes", "in_english", "in_spanish"),
    [
        (0, "zero minutes", "cero minutos"),
        (1, "one minute", "un minuto"),
        (21, "twenty-one minutes", "veintiún minutos"),
        (101, "one hundred one minutes", "ciento un minutos"),
        (120, "one hundred twenty minutes", "ciento veinte minutos"),
        (180, "three hours", "tres horas"),
        (1261, "twenty-one hours one minute", "veintiuna horas un minuto"),
        (1440, "twenty-four hours", "veinticuatro horas"),
    ],
)
def test_minutes_are_said_in_hours_above_two(minutes: int, in_english: str, in_spanish: str) -> None:
    clips = speak.minutes(minutes)
    assert (said("en", clips), said("es", clips)) == (in_english, in_spanish)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_length_of_a_call_has_its_clips(language: str) -> None:
    needed = {clip for minutes in range(speak.LONGEST_MINUTES + 1) for clip in speak.minutes(minutes)}
    assert needed <= WORDS[language].keys()


@pytest.mark.parametrize(
    ("calls", "in_english", "in_spanish"),
    [
        (1, "one call", "Le queda una llamada"),
        (21, "twenty-one calls", "Le quedan veintiuna llamadas"),
        (31, "thirty-one calls", "Le quedan treinta y una llamadas"),
        (100, "one hundred calls", "Le quedan cien llamadas"),
    ],
)  # fmt: skip
def test_the_calls_that_remain_are_a_whole_sentence(calls: int, in_english: str, in_spanish: str) -> None:
    clips = speak.calls_remaining(calls)
    assert said("en", clips) == f"You have {in_english} remaining in your subscription."
    assert said("es", clips) == f"{in_spanish}."


def test_a_number_of_calls_is_one_phrase() -> None:
    assert [said("es", speak.calls(n)) for n in (1, 21, 100)] == [
        *("una llamada", "veintiuna llamadas", "cien llamadas")
    ]
    assert said("en", speak.calls(100)) == "one hundred calls"


def test_a_year_is_said_where_it_matters() -> None:
    clips = speak.full_date(date(2026, 3, 5))
    assert said("en", clips) == "the fifth day of March in the year twenty twenty-six"
    assert said("es", clips) == "el día cinco del mes de marzo del año dos mil veintiséis"
    with pytest.raises(PromptError):
        speak.full_date(date(2041, 1, 1))


@pytest.mark.parametrize("calls", [0, 101])
def test_calls_without_a_sentence_are_refused(calls: int) -> None:
    with pytest.raises(PromptError):
        speak.calls_remaining(calls)


@pytest.mark.parametrize(
    ("day", "in_english", "in_spanish"),
    [
        (date(2026, 10, 22), "the twenty-second day of October", "el día veintidós del mes de octubre"),
        (date(2026, 1, 1), "the first day of January", "el día primero del mes de enero"),
        (date(2028, 2, 29), "the twenty-ninth day of February", "el día veintinueve del mes de febrero"),
        (date(2026, 12, 31), "the thirty-first day of December", "el día treinta y uno del mes de diciembre"),
    ],
)
def test_a_date_is_said_as_day_and_month(day: date, in_english: str, in_spanish: str) -> None:
    clips = speak.day_and_month(day)
    assert (said("en", clips), said("es", clips)) == (in_english, in_spanish)


def test_digits_are_said_one_by_one() -> None:
    assert said("en", speak.digits("5550142")) == "five five five zero one four two"
    assert said("es", speak.digits("5550142")) == "cinco cinco cinco cero uno cuatro dos"


@pytest.mark.parametrize("value", ["", "12a", "٣", 12])
def test_digits_that_are_none_are_refused(value: object) -> None:
    with pytest.raises(PromptError):
        speak.digits(value)


def test_a_recording_is_passed_on_as_it_is() -> None:
    assert speak.recording(Path("/var/names/a1")) == ["/var/names/a1"]
    with pytest.raises(PromptError):
        speak.recording("names/a1")


def test_both_languages_have_the_same_phrases() -> None:
    assert WORDS["en"].keys() == WORDS["es"].keys()
