"""Whole numbers from 0 to 9,999 in words, as they are said in the United States in English and Spanish."""

from enum import Enum

HIGHEST = 9_999


class Before(Enum):
    """What a Spanish number stands before, which decides how its "one" and its hundreds end."""

    MASCULINE = "masculine"  # veintiún dólares, doscientos dólares
    FEMININE = "feminine"  # veintiuna llamadas, doscientas llamadas
    NOTHING = "nothing"  # veintiuno


# fmt: off
_ENGLISH_UNITS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
_ENGLISH_TENS = [
    "zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
]
_ENGLISH_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}

_SPANISH_UNITS = [
    "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez",
    "once", "doce", "trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho",
    "diecinueve", "veinte", "veintiuno", "veintidós", "veintitrés", "veinticuatro", "veinticinco",
    "veintiséis", "veintisiete", "veintiocho", "veintinueve",
]
_SPANISH_TENS = [
    "cero", "diez", "veinte", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta",
    "noventa",
]
_SPANISH_HUNDREDS = [
    "cero", "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos",
    "setecientos", "ochocientos", "novecientos",
]
# fmt: on


def english(number: int) -> str:
    """The cardinal in American English, without "and": 134 is "one hundred thirty-four"."""
    _refuse_beyond_range(number)
    if number < 20:
        return _ENGLISH_UNITS[number]
    if number < 100:
        tens, units = divmod(number, 10)
        return _ENGLISH_TENS[tens] + (f"-{_ENGLISH_UNITS[units]}" if units else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    head, rest = divmod(number, size)
    return f"{english(head)} {name}" + (f" {english(rest)}" if rest else "")


def english_ordinal(number: int) -> str:
    """The ordinal in American English: 22 is "twenty-second"."""
    words = english(number)
    stem, mark, last = words.rpartition("-")
    if last in _ENGLISH_ORDINALS:
        return stem + mark + _ENGLISH_ORDINALS[last]
    return f"{words[:-1]}ieth" if words.endswith("y") else f"{words}th"


def spanish(number: int, before: Before = Before.NOTHING) -> str:
    """The cardinal in Spanish, with the ending that the noun after it asks for."""
    _refuse_beyond_range(number)
    if number < 30:
        return _spanish_one(_SPANISH_UNITS[number], before)
    if number < 100:
        tens, units = divmod(number, 10)
        return _SPANISH_TENS[tens] + (f" y {spanish(units, before)}" if units else "")
    if number == 100:
        return "cien"
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return _spanish_hundred(hundreds, before) + (f" {spanish(rest, before)}" if rest else "")
    thousands, rest = divmod(number, 1000)
    head = "mil" if thousands == 1 else f"{spanish(thousands)} mil"
    return head + (f" {spanish(rest, before)}" if rest else "")


def _spanish_one(words: str, before: Before) -> str:
    """A number in "uno" loses the o before a masculine noun and takes an a before a feminine one."""
    if not words.endswith("uno") or before is Before.NOTHING:
        return words
    if before is Before.FEMININE:
        return f"{words[:-1]}a"
    return "veintiún" if words == "veintiuno" else words[:-1]


def _spanish_hundred(hundreds: int, before: Before) -> str:
    words = _SPANISH_HUNDREDS[hundreds]
    return f"{words[:-2]}as" if before is Before.FEMININE and hundreds > 1 else words


def _refuse_beyond_range(number: int) -> None:
    if not 0 <= number <= HIGHEST:
        raise ValueError(f"{number} is not between 0 and {HIGHEST}")
