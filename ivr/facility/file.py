"""A facility's TOML file: what may stand in it, and where a mistake is."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ivr.policy.request import InmateState
from rating.area_codes import states_by_area_code
from rating.dated_table import TableError
from rating.money import Money, parse_money
from rating.numbers import Number, read_e164, read_keys
from rating.site import FacilityKind, Operator, Site
from rating.tariff_file import TariffFile, TariffFileError, parse_tariff
from rating.taxes import parse as parse_taxes

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class FacilityFileError(Exception):
    """The file can't be used; the message has one line a mistake, each naming its field."""


def _number(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("expected a telephone number in quotes")
    keys = re.sub(r"[ ().-]", "", value)
    dialled = read_e164(keys) if keys.startswith("+") else read_keys(keys)
    if not isinstance(dialled, Number):
        raise ValueError(f"{value!r} is not a telephone number that can be called ({dialled.reason})")
    return dialled.e164


def _money(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('expected an amount in quotes, such as "0.06"')
    return parse_money(value)


def _days(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('expected days such as "mon-fri" or "sat"')
    first, _, last = value.partition("-")
    try:
        start, end = DAYS.index(first), DAYS.index(last or first)
    except ValueError:
        raise ValueError(f"{value!r} is not a day or a range of days ({', '.join(DAYS)})") from None
    return [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]


def _clock(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        return time.fromisoformat(value)
    raise ValueError('expected a time of day such as "08:00"')


def _closing(value: object) -> object:
    return time(0) if value == "24:00" else _clock(value)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{value!r} is not a time zone of the IANA database") from None
    return value


def _state(value: str) -> str:
    if f"US-{value}" not in states_by_area_code().values():
        raise ValueError(f"{value!r} is not a US state or territory, such as IL")
    return value


E164 = Annotated[str, BeforeValidator(_number)]
Amount = Annotated[Money, BeforeValidator(_money), Field(ge=0)]
PLAIN_NAME = r"^[A-Za-z0-9_-][A-Za-z0-9._-]*\.toml$"  # beside the file, nowhere else
FileName = Annotated[str, Field(pattern=PLAIN_NAME)]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WindowEntry(_Entry):
    """One row of `[[facility.schedule]]`; `closes` may be "24:00", or before `opens` to run over midnight."""

    days: Annotated[list[int], BeforeValidator(_days)]
    opens: Annotated[time, BeforeValidator(_clock)]
    closes: Annotated[time, BeforeValidator(_closing)]


class FacilityEntry(_Entry):
    """`[facility]`: a jail or prison and what holds for all of its calls."""

    id: Slug
    name: str
    kind: FacilityKind
    operator: Operator  # in whose custody people are; with state and kind it decides what is free by law
    average_daily_population: Annotated[int, Field(ge=0)] | None = (
        None  # of last year; unknown: the lowest cap
    )
    state: Annotated[str, AfterValidator(_state)]
    time_zone: Annotated[str, AfterValidator(_zone)]
    caller_id: E164
    inmate_id_digits: Annotated[int, Field(ge=3, le=12)]
    longest_call_minutes: Annotated[int, Field(ge=1, le=240)]
    ring_seconds: Annotated[int, Field(ge=10, le=90)] = 45
    records: bool = True
    local_exchanges: list[Annotated[str, Field(pattern=r"^[0-9]{6}$")]] = []
    tariffs: list[FileName] = []  # files beside this one: rating/tariff_file.py
    taxes: FileName | None = None  # a file beside this one: rating/taxes.py
    localities: list[Slug] = []  # whose taxes of their own are due here
    schedule: list[WindowEntry]

    @property
    def site(self) -> Site:
        """The facility as laws see it."""
        return Site(self.state, self.kind, self.operator, self.average_daily_population)


class PlanEntry(_Entry):
    """`[[plan]]`: so many calls to one number for one price a period; nobody need have one (47 CFR 64.6140)."""

    id: Slug
    price: Amount  # taxes and fees included
    calls: Annotated[int, Field(ge=1, le=100)]  # what can be spoken


class StationEntry(_Entry):
    """`[[station]]`: one telephone; its id is also the name it registers with."""

    id: Slug
    label: str


class AllowedEntry(_Entry):
    """A number of an inmate's list; `records = false` keeps calls to it from being recorded."""

    number: E164
    speed_dial: Annotated[str, Field(pattern=r"^[0-9]{1,2}$")] | None = None
    records: bool = True


class InmateEntry(_Entry):
    """`[[inmate]]`: who may call. The PIN is hashed at loading and kept nowhere else."""

    id: Annotated[str, Field(pattern=r"^[0-9]{3,12}$")]
    pin: Annotated[str, Field(pattern=r"^[0-9]{4,12}$", repr=False)]
    name: str
    state: InmateState = InmateState.ACTIVE
    numbers: list[AllowedEntry] = []

    @model_validator(mode="after")
    def _numbers_once(self) -> Self:
        _refuse_twins("number", [each.number for each in self.numbers])
        _refuse_twins("speed dial", [each.speed_dial for each in self.numbers if each.speed_dial])
        return self


class SpecialEntry(_Entry):
    """`[[number]]`: a number that everybody may call; privileged ones are never recorded, free ones never charged."""

    number: E164
    label: str
    privileged: bool = False
    free: bool = False


class BlockedEntry(_Entry):
    """`[[blocked]]`: a number that the facility forbids, with the reason for it."""

    number: E164
    note: Annotated[str, Field(min_length=3)]


class PrepaidEntry(_Entry):
    """`[[prepaid]]`: a called party's account, opened with a deposit."""

    account: Slug
    numbers: list[E164]
    opening_balance: Amount


class SubscriptionEntry(_Entry):
    """`[[subscription]]`: so many calls to one number. Without `starts_on` a period of a month starts at loading."""

    number: E164
    calls: Annotated[int, Field(ge=1, le=100)] | None = None  # what can be spoken; else those of the plan
    plan: Slug | None = None
    starts_on: date | None = None
    ends_on: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _refuse_backwards("starts_on", self.starts_on, "ends_on", self.ends_on)
        if (self.calls is None) == (self.plan is None):
            raise ValueError("expected either calls or plan")
        return self


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A tariff as people reviewed it, and what it says."""

    text: str
    says: TariffFile


class FacilityFile(_Entry):
    """The whole file, with the tariffs and taxes that it names."""

    facility: FacilityEntry
    tariff: list[Reviewed] = []
    tax: str = ""  # the text of the table of taxes
    plan: list[PlanEntry] = []
    station: list[StationEntry] = []
    inmate: list[InmateEntry] = []
    number: list[SpecialEntry] = []
    blocked: list[BlockedEntry] = []
    prepaid: list[PrepaidEntry] = []
    subscription: list[SubscriptionEntry] = []

    @model_validator(mode="after")
    def _ids_fit_the_facility(self) -> Self:
        digits = self.facility.inmate_id_digits
        for inmate in self.inmate:
            if len(inmate.id) != digits:
                raise ValueError(f"inmate {inmate.id}: facility.inmate_id_digits says {digits} digits")
        _refuse_twins("inmate", [inmate.id for inmate in self.inmate])
        _refuse_twins("station", [station.id for station in self.station])
        _refuse_twins("blocked number", [entry.number for entry in self.blocked])
        _refuse_twins("number", [entry.number for entry in self.number])
        _refuse_twins("local exchange", self.facility.local_exchanges)
        _refuse_twins("tariff", [each.says.id for each in self.tariff])
        _refuse_overlaps([each.says for each in self.tariff])
        _refuse_twins("plan", [each.id for each in self.plan])
        for each in self.subscription:
            if each.plan is not None:
                self.calls_of(each)
        _refuse_twins("prepaid account", [entry.account for entry in self.prepaid])
        _refuse_twins("prepaid number", [number for entry in self.prepaid for number in entry.numbers])
        return self

    def calls_of(self, subscription: SubscriptionEntry) -> int:
        """How many calls a subscription has in a period; ValueError for a plan that there is not."""
        if subscription.calls is not None:
            return subscription.calls
        for plan in self.plan:
            if plan.id == subscription.plan:
                return plan.calls
        raise ValueError(f"subscription {subscription.number}: there is no plan {subscription.plan}")


def _refuse_backwards(first: str, begins: date | None, last: str, ends: date | None) -> None:
    if begins is not None and ends is not None and ends < begins:
        raise ValueError(f"{last} {ends} is before {first} {begins}")


def _refuse_overlaps(tariffs: list[TariffFile]) -> None:
    """One tariff at most holds on any day."""
    ordered = sorted(tariffs, key=lambda each: each.valid_from)
    for earlier, later in pairwise(ordered):
        if earlier.valid_to is None or earlier.valid_to >= later.valid_from:
            raise ValueError(f"tariffs {earlier.id} and {later.id} both hold on {later.valid_from}")


def _refuse_twins(what: str, ids: list[str]) -> None:
    if twins := sorted({each for each in ids if ids.count(each) > 1}):
        raise ValueError(f"{what} given more than once: {', '.join(twins)}")


@dataclass(frozen=True, slots=True)
class Sources:
    """The text of a facility's file, and those of the files that it names, by their names."""

    text: str
    beside: Mapping[str, str]


def read(path: Path) -> Sources:
    """The file and those beside it that it names; raises FacilityFileError if one can't be read."""
    text = _read(path)
    named = _named(_toml(text, str(path)))
    return Sources(text, {name: _read(path.with_name(name)) for name in named if _is_plain(name)})


def parse(sources: Sources, name: str) -> FacilityFile:
    """The content of a facility file; raises FacilityFileError with a line for each mistake, beginning with `name`."""
    content = _toml(sources.text, name)
    for wrong in ("tariff", "tax"):
        if wrong in content:
            raise FacilityFileError(f"{name}: {wrong}: expected its own file, named in facility")
    try:
        if missing := {each for each in _named(content) if _is_plain(each)} - sources.beside.keys():
            raise FacilityFileError(f"{name}: facility: {', '.join(sorted(missing))} is not there")
        rating = _rating(content, sources.beside)
    except (TariffFileError, TableError) as mistake:
        raise FacilityFileError(str(mistake)) from None
    try:
        return FacilityFile.model_validate({**content, **rating})
    except ValidationError as error:
        raise FacilityFileError("\n".join(_mistakes(name, error))) from None


def _rating(content: Mapping[str, Any], beside: Mapping[str, str]) -> dict[str, Any]:
    """The tariffs and taxes of the files that are there; the model tells what is missing or misnamed."""
    facility = content.get("facility")
    taxes = facility.get("taxes") if isinstance(facility, dict) else None
    found = [name for name in _named(content) if _is_plain(name)]
    if taxes in found:
        parse_taxes(beside[taxes], taxes)
    return {
        "tariff": [
            Reviewed(beside[name], parse_tariff(beside[name], name)) for name in found if name != taxes
        ],
        "tax": beside.get(taxes, "") if isinstance(taxes, str) else "",
    }


def _named(content: Mapping[str, Any]) -> list[str]:
    """The files that a facility's file names, as far as it is well formed."""
    facility = content.get("facility")
    if not isinstance(facility, dict):
        return []
    tariffs = facility.get("tariffs")
    named = [*(tariffs if isinstance(tariffs, list) else []), facility.get("taxes")]
    return [each for each in named if isinstance(each, str)]


def _is_plain(name: str) -> bool:
    return re.fullmatch(PLAIN_NAME, name) is not None


def _toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FacilityFileError(f"{name}: not TOML: {error}") from None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise FacilityFileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise FacilityFileError(f"{path}: not UTF-8: {error}") from None


def _mistakes(name: str, error: ValidationError) -> list[str]:
    return [
        f"{name}: {'.'.join(str(part) for part in each['loc']) or 'file'}: {each['msg'].removeprefix('Value error, ')}"
        for each in error.errors(include_input=False)
    ]
