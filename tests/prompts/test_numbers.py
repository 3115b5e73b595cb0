import re

import pytest

from prompts.numbers import HIGHEST, Before, english, english_ordinal, spanish

ENGLISH = [
    (0, "zero"),
    (13, "thirteen"),
    (21, "twenty-one"),
    (40, "forty"),
    (100, "one hundred"),
    (134, "one hundred thirty-four"),
    (1000, "one thousand"),
    (1015, "one thousand fifteen"),
    (9999, "nine thousand nine hundred ninety-nine"),
]
SPANISH = [
    (0, "cero", "cero", "cero"),
    (1, "uno", "un", "una"),
    (16, "dieciséis", "dieciséis", "dieciséis"),
    (21, "veintiuno", "veintiún", "veintiuna"),
    (22, "veintidós", "veintidós", "veintidós"),
    (31, "treinta y uno", "treinta y un", "treinta y una"),
    (100, "cien", "cien", "cien"),
    (101, "ciento uno", "ciento un", "ciento una"),
    (221, "doscientos veintiuno", "doscientos veintiún", "doscientas veintiuna"),
    (500, "quinientos", "quinientos", "quinientas"),
    (1000, "mil", "mil", "mil"),
    (1001, "mil uno", "mil un", "mil una"),
    (2700, "dos mil setecientos", "dos mil setecientos", "dos mil setecientas"),
]


@pytest.mark.parametrize(("number", "words"), ENGLISH)
def test_an_english_number_is_said_as_in_the_united_states(number: int, words: str) -> None:
    assert english(number) == words


@pytest.mark.parametrize(("number", "counting", "masculine", "feminine"), SPANISH)
def test_a_spanish_number_agrees_with_the_noun_after_it(
    number: int, counting: str, masculine: str, feminine: str
) -> None:
    said = [spanish(number, before) for before in (Before.NOTHING, Before.MASCULINE, Before.FEMININE)]
    assert said == [counting, masculine, feminine]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "first"),
        (2, "second"),
        (3, "third"),
        (5, "fifth"),
        (8, "eighth"),
        (9, "ninth"),
        (11, "eleventh"),
        (12, "twelfth"),
        (20, "twentieth"),
        (22, "twenty-second"),
        (30, "thirtieth"),
        (31, "thirty-first"),
    ],
)
def test_an_english_ordinal_changes_its_last_word_alone(number: int, words: str) -> None:
    assert english_ordinal(number) == words


# fmt: off
UNDER_THIRTY_IN_SPANISH = [
    "cero", "un", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce",
    "trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve", "veinte", "veintiun",
    "veintidós", "veintitrés", "veinticuatro", "veinticinco", "veintiséis", "veintisiete", "veintiocho", "veintinueve",
]
TENS_IN_SPANISH = ["treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"]
HUNDREDS_IN_SPANISH = [
    "cient", "doscient", "trescient", "cuatrocient", "quinient", "seiscient", "setecient", "ochocient", "novecient",
]
# fmt: on


def value_of_spanish(words: str) -> int:
    """Read a number back, by a way that shares nothing with the writing."""
    total = 0
    for word in words.split():
        if word == "mil":
            total = max(total, 1) * 1000
        elif word == "cien":
            total += 100
        elif (stem := re.sub("[oa]s?$", "", word)) in HUNDREDS_IN_SPANISH:
            total += 100 * (HUNDREDS_IN_SPANISH.index(stem) + 1)
        elif word in TENS_IN_SPANISH:
            total += 10 * (TENS_IN_SPANISH.index(word) + 3)
        elif word != "y":
            total += UNDER_THIRTY_IN_SPANISH.index(re.sub("un[oa]$|ún$", "un", word))
    return total


def value_of_english(words: str) -> int:
    """Read a number back, by a way that shares nothing with the writing."""
    ones = {english(n): n for n in range(20)} | {english(n): n for n in range(20, 100, 10)}
    total = 0
    for word in re.split("[ -]", words):
        if word == "thousand":
            total *= 1000
        elif word == "hundred":
            total += 99 * (total % 1000)
        else:
            total += ones[word]
    return total


def test_every_english_number_reads_back_as_itself() -> None:
    assert [value_of_english(english(n)) for n in range(HIGHEST + 1)] == list(range(HIGHEST + 1))


@pytest.mark.parametrize("before", list(Before))
def test_every_spanish_number_reads_back_as_itself(before: Before) -> None:
    assert [value_of_spanish(spanish(n, before)) for n in range(HIGHEST + 1)] == list(range(HIGHEST + 1))


@pytest.mark.parametrize("number", [-1, HIGHEST + 1])
def test_a_number_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="is not between"):
        english(number)
    with pytest.raises(ValueError, match="is not between"):
        spanish(number)
