"""Keys pressed at a facility phone, read as a telephone number in E.164 or refused by name.

Emergency numbers and service codes are recognised before anything else, so that they are refused because of
what they are, never because they happen not to parse.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

from rating.area_codes import state_of_area_code
from rating.number_types import special_kind

US_REGIONS: Final = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})


class NumberKind(StrEnum):
    """What sort of service a number belongs to."""

    ORDINARY = "ordinary"  # land line, mobile, internet telephone
    TOLL_FREE = "toll_free"
    PREMIUM = "premium"
    DIRECTORY = "directory"  # directory assistance, beside 411, which is a service code
    TIME_AND_WEATHER = "time_and_weather"
    SPECIAL = "special"  # personal, shared-cost, pager, company-wide and voicemail numbers


class NumberRefusal(StrEnum):
    """Why keyed digits are not a number that may be called; the value is the reason's word everywhere."""

    NUMBER_INVALID = "number_invalid"
    EMERGENCY_NUMBER = "emergency_number"
    SERVICE_CODE = "service_code"
    NUMBER_TYPE_BLOCKED = "number_type_blocked"


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number that exists in its country's numbering plan."""

    e164: str  # with "+"
    region: str  # ISO 3166-1: "US", "CA", "PR" …
    state: str | None  # ISO 3166-2 of a US number: "US-MA"; None abroad and where the area code is not known
    kind: NumberKind

    @property
    def digits(self) -> str:
        """The number as it is sent to the carrier: E.164 without "+"."""
        return self.e164[1:]


@dataclass(frozen=True, slots=True)
class Unusable:
    """Keys that must not be dialled."""

    reason: NumberRefusal


Dialled = Number | Unusable

ORDINARY_ONLY: Final = frozenset({NumberKind.ORDINARY})
ORDINARY_AND_TOLL_FREE: Final = ORDINARY_ONLY | {NumberKind.TOLL_FREE}

# No area code is N11, so keys that begin like one are meant as the code, whatever follows them.
_EMERGENCY = re.compile(r"9?1?911|1?911\d*|112")
_SERVICE = re.compile(
    r".*[*#].*"  # star codes
    r"|1?[2-8]11\d*|988|933"  # 988 is the crisis line, 933 reads back an emergency address
    r"|0(?!11)\d*"  # the operator, and calls through one
    r"|101\d{4,}"  # another carrier's access code
)
_NORTH_AMERICAN = re.compile(r"1?([2-9]\d{9})")
_INTERNATIONAL = re.compile(r"011(\d{5,15})")
_E164 = re.compile(r"\+\d{5,15}")

_KINDS: Final = {
    PhoneNumberType.FIXED_LINE: NumberKind.ORDINARY,
    PhoneNumberType.MOBILE: NumberKind.ORDINARY,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.ORDINARY,
    PhoneNumberType.VOIP: NumberKind.ORDINARY,
    PhoneNumberType.TOLL_FREE: NumberKind.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM,
}


def read_keys(keyed: str, *, allowed_kinds: frozenset[NumberKind] = ORDINARY_ONLY) -> Dialled:
    """The number that keys pressed at a US phone mean: 10 digits, 1 and 10 digits, or 011 and a foreign one.

    Anything else is refused by name. A facility that lets toll-free numbers be called says so in
    `allowed_kinds`.
    """
    if _EMERGENCY.fullmatch(keyed):
        return Unusable(NumberRefusal.EMERGENCY_NUMBER)
    if _SERVICE.fullmatch(keyed):
        return Unusable(NumberRefusal.SERVICE_CODE)
    if match := _NORTH_AMERICAN.fullmatch(keyed):
        return read_e164(f"+1{match[1]}", allowed_kinds=allowed_kinds)
    if match := _INTERNATIONAL.fullmatch(keyed):
        return read_e164(f"+{match[1]}", allowed_kinds=allowed_kinds)
    return Unusable(NumberRefusal.NUMBER_INVALID)


@lru_cache(maxsize=10_000)  # the same few are called again and again
def read_e164(text: str, *, allowed_kinds: frozenset[NumberKind] = ORDINARY_ONLY) -> Dialled:
    """The number written in E.164 with its "+", in its one normal form."""
    if not (text.isascii() and _E164.fullmatch(text)):
        return Unusable(NumberRefusal.NUMBER_INVALID)
    try:
        parsed = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return Unusable(NumberRefusal.NUMBER_INVALID)
    region = phonenumbers.region_code_for_number(parsed)
    if region is None or not phonenumbers.is_valid_number_for_region(parsed, region):
        return Unusable(NumberRefusal.NUMBER_INVALID)
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    kind = _kind(parsed, e164)
    if kind not in allowed_kinds:
        return Unusable(NumberRefusal.NUMBER_TYPE_BLOCKED)
    return Number(e164, region, state_of_area_code(e164[2:5]) if region in US_REGIONS else None, kind)


def _kind(parsed: phonenumbers.PhoneNumber, e164: str) -> NumberKind:
    if (known := special_kind(e164)) is not None:
        return NumberKind(known)
    return _KINDS.get(phonenumbers.number_type(parsed), NumberKind.SPECIAL)
