"""How the fields of a facility's file are written; each message says what was expected there."""

import re
from collections.abc import Collection, Iterator
from datetime import date, datetime, time
from itertools import groupby
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from ivr.policy.keys import ACCEPTING, BLOCKING
from ivr.policy.schedule import HOLIDAY
from rating.area_codes import states_by_area_code
from rating.days import bounded, written
from rating.form import like
from rating.money import Money, at_most, parse_money
from rating.numbers import ORDINARY_AND_TOLL_FREE, Number, read_e164, read_keys

#: Who may pay for a call that is not free, and who alone may for a number of an inmate's list. They are tried in an
#: order of their own (docs/accounts.md).
Funding = Literal[
    "subscription", "debit", "card", "prepaid", "paid_call", "direct_bill", "collect", "courtesy"
]
OnlyPayer = Literal["subscription", "debit", "card", "prepaid", "paid_call", "direct_bill", "collect"]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def named_days(days: Collection[int]) -> Iterator[str]:
    """Days as a file names them, those that follow each other together: "mon-fri", "holiday"."""
    week = sorted(set(days) - {HOLIDAY})
    for _, run in groupby(enumerate(week), key=lambda each: each[1] - each[0]):
        together = [DAYS[day] for _, day in run]
        yield together[0] if len(together) == 1 else f"{together[0]}-{together[-1]}"
    if HOLIDAY in days:
        yield "holiday"


def _number(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("expected a telephone number in quotes")
    keys = re.sub(r"[ ().-]", "", value)
    read = read_e164 if keys.startswith("+") else read_keys
    dialled = read(keys, allowed_kinds=ORDINARY_AND_TOLL_FREE)
    if not isinstance(dialled, Number):
        raise ValueError(f"{value!r} is not a telephone number that can be called ({dialled.reason})")
    return dialled.e164


def _prefix(value: object) -> object:
    """ "900" and "1900" are an area code, "+44" a country; shorter ones would block everything."""
    keys = re.sub(r"[ ().-]", "", value) if isinstance(value, str) else ""
    if re.fullmatch(r"\+[2-9][0-9]{0,14}|\+1[2-9][0-9]{2,9}", keys):
        return keys
    if match := re.fullmatch(r"1?([2-9][0-9]{2,9})", keys):
        return f"+1{match[1]}"
    raise ValueError('expected an area code or more in quotes, such as "900", or a country, such as "+44"')


def _money(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('expected an amount in quotes, such as "0.06"')
    return parse_money(value)


def _days(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('expected days such as "mon-fri" or "sat"')
    if value == "holiday":
        return [HOLIDAY]
    first, _, last = value.partition("-")
    try:
        start, end = DAYS.index(first), DAYS.index(last or first)
    except ValueError:
        raise ValueError(f"{value!r} is not a day or a range of days ({', '.join(DAYS)}, holiday)") from None
    return [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]


def _clock(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        return time.fromisoformat(value)
    raise ValueError('expected a time of day such as "08:00"')


def _closing(value: object) -> object:
    return time(0) if value == "24:00" else _clock(value)


def _accepting(key: int) -> int:
    if key not in ACCEPTING:
        raise ValueError("expected the key 1, 3, 5 or 0")
    return key


def _blocking(key: int) -> int:
    if key not in BLOCKING:
        raise ValueError("expected the key 9, 6 or 7")
    return key


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value!r} is not a time zone of the IANA database") from None
    return value


def _state(value: str) -> str:
    if f"US-{value}" not in states_by_area_code().values():
        raise ValueError(f"{value!r} is not a US state or territory, such as IL")
    return value


def _local(value: datetime) -> datetime:
    if value.tzinfo is not None:
        raise ValueError("expected the facility's own time, written without an offset")
    return value


def _pin_digits(value: object) -> object:
    """6 or "4-8"."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    match = re.fullmatch(r"([0-9]{1,2})(?:-([0-9]{1,2}))?", value) if isinstance(value, str) else None
    least, most = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 4 <= least <= most <= 12:
        raise ValueError('expected 4 to 12 digits, such as 6 or "4-8"')
    return least, most


#: A day, a time with or without an offset, and a facility's own time: in the years that are taken.
Day = Annotated[date, AfterValidator(bounded), BeforeValidator(written)]
Time = Annotated[datetime, AfterValidator(bounded), BeforeValidator(written)]
LocalTime = Annotated[Time, AfterValidator(_local)]
Whole = Annotated[int, Field(strict=True)]  # true is no number
AcceptKey = Annotated[Whole, AfterValidator(_accepting)]
BlockKey = Annotated[Whole, AfterValidator(_blocking)]
E164 = Annotated[str, BeforeValidator(_number)]
Email = Annotated[str, like(r"[^\s@<>,]+@[\w-]+(\.[\w-]+)*", "an e-mail address")]
Amount = Annotated[Money, BeforeValidator(_money), Field(ge=0), AfterValidator(at_most)]
PLAIN_NAME = r"^[A-Za-z0-9_-][A-Za-z0-9._-]*\.toml$"  # beside the file, nowhere else
FileName = Annotated[str, like(PLAIN_NAME, "the name of a .toml file beside this one")]
Note = Annotated[str, Field(min_length=3)]
InmateId = Annotated[
    str, like(r"[0-9]{3,12}", "3 to 12 digits")
]  # also of one that was made before IDs had four
Digits = Annotated[str, like(r"[0-9]{4,12}", "4 to 12 digits")]  # of a new inmate's ID, a PIN or a booking
SpeedDial = Annotated[str, like(r"[0-9]{1,2}", "one or two digits")]
Days = Annotated[list[int], BeforeValidator(_days)]
Opening = Annotated[time, BeforeValidator(_clock)]
Closing = Annotated[time, BeforeValidator(_closing)]
Prefix = Annotated[str, BeforeValidator(_prefix)]
PinDigits = Annotated[tuple[int, int], BeforeValidator(_pin_digits)]
State = Annotated[str, AfterValidator(_state)]
TimeZone = Annotated[str, AfterValidator(_zone)]
