"""A facility's TOML file: what may stand in it, and where a mistake is."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Literal, Self
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

from ivr.policy.quantity import Counted, DayKind, Each, From
from ivr.policy.request import InmateState, PanMode
from ivr.policy.schedule import HOLIDAY
from rating.area_codes import states_by_area_code
from rating.call_type import CallType
from rating.money import Money, parse_money
from rating.numbers import Number, read_e164, read_keys

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
Note = Annotated[str, Field(min_length=3)]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WindowEntry(_Entry):
    """One row of a `schedule`; `closes` may be "24:00", or before `opens` to run over midnight.

    Where a schedule has windows for the day "holiday", they hold on holidays in place of the weekday's.
    """

    days: Annotated[list[int], BeforeValidator(_days)]
    opens: Annotated[time, BeforeValidator(_clock)]
    closes: Annotated[time, BeforeValidator(_closing)]


class DatedEntry(_Entry):
    """One row of a `closure` or an `opening`: from one local time until another, with the reason for it."""

    starts: datetime
    ends: datetime
    note: Note

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name, value in (("starts", self.starts), ("ends", self.ends)):
            if value.tzinfo is not None:
                raise ValueError(f"{name} is the facility's own time, written without an offset")
        if self.ends <= self.starts:
            raise ValueError(f"ends {self.ends} is not after starts {self.starts}")
        return self


class HolidayEntry(_Entry):
    """One row of `[[facility.holiday]]`: a day that counts as a holiday beside the state's own."""

    date: date
    name: Note


class LimitEntry(_Entry):
    """One row of a `limit`: how long, how many or how often; exactly one of these, with what belongs to it.

    `counts` says whose calls are counted together: the inmate's, everybody's to the number, or the inmate's to it.
    """

    longest_call_minutes: Annotated[int, Field(ge=1, le=240)] | None = None
    calls: Annotated[int, Field(ge=1, le=10_000)] | None = None
    minutes: Annotated[int, Field(ge=1, le=100_000)] | None = None
    cooling_off_minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    attempts: Annotated[int, Field(ge=1, le=1000)] | None = None
    call_type: CallType | None = None
    days: DayKind | None = None
    each: Each | None = None
    in_minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    measured_from: From | None = None
    counts: Counted | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        given = self.model_fields_set
        kinds = [name for name in LIMIT_KINDS if name in given]
        if len(kinds) != 1:
            raise ValueError(f"expected exactly one of {', '.join(LIMIT_KINDS)}")
        needed, possible = LIMIT_KINDS[kinds[0]]
        if missing := sorted(needed - given):
            raise ValueError(f"{kinds[0]} needs {', '.join(missing)}")
        if other := sorted(given - {kinds[0]} - needed - possible):
            raise ValueError(f"{kinds[0]} has no {', '.join(other)}")
        return self


#: What says what a limit is of; what has to stand beside it, and what may.
LIMIT_KINDS: Mapping[str, tuple[set[str], set[str]]] = {
    "longest_call_minutes": (set(), {"call_type", "days"}),
    "calls": ({"each"}, {"counts"}),
    "minutes": ({"each"}, {"counts"}),
    "cooling_off_minutes": (set(), {"measured_from", "counts"}),
    "attempts": ({"in_minutes"}, {"counts"}),
}


class LevelEntry(_Entry):
    """What every level may set: hours (none: no limit), closures, openings beside its own hours, and limits."""

    schedule: list[WindowEntry] = []
    closure: list[DatedEntry] = []
    opening: list[DatedEntry] = []
    limit: list[LimitEntry] = []


class FacilityEntry(LevelEntry):
    """`[facility]`: a jail or prison and what holds for all of its calls."""

    id: Slug
    name: str
    kind: Literal["jail", "prison"]
    state: Annotated[str, AfterValidator(_state)]
    time_zone: Annotated[str, AfterValidator(_zone)]
    caller_id: E164
    inmate_id_digits: Annotated[int, Field(ge=3, le=12)]
    longest_call_minutes: Annotated[int, Field(ge=1, le=240)]
    ring_seconds: Annotated[int, Field(ge=10, le=90)] = 45
    records: bool = True
    pan_mode: PanMode = PanMode.ENFORCED
    pan_maximum: Annotated[int, Field(ge=1, le=10_000)] | None = None
    local_exchanges: list[Annotated[str, Field(pattern=r"^[0-9]{6}$")]] = []
    schedule: list[WindowEntry]  # a facility without hours is never open
    holiday: list[HolidayEntry] = []


class UnitEntry(LevelEntry):
    """`[[unit]]`: a housing unit; what it sets holds for its stations and for its inmates."""

    id: Slug
    label: str


class TariffEntry(_Entry):
    """`[[tariff]]`: the price of one or several call types, from a date on."""

    call_types: list[CallType]
    valid_from: date
    valid_to: date | None = None
    per_minute: Amount
    first_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    next_seconds: Annotated[int, Field(ge=1, le=3600)] = 60

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _refuse_backwards("valid_from", self.valid_from, "valid_to", self.valid_to)
        return self


class StationEntry(LevelEntry):
    """`[[station]]`: one telephone; its id is also the name it registers with."""

    id: Slug
    label: str
    unit: Slug | None = None


class AllowedEntry(LevelEntry):
    """A number of an inmate's list; `records = false` keeps calls to it from being recorded.

    With `override_note` the inmate may call it although the facility has blocked it; the note says why.
    """

    number: E164
    speed_dial: Annotated[str, Field(pattern=r"^[0-9]{1,2}$")] | None = None
    records: bool = True
    relation: str | None = None
    override_note: Note | None = None


class NoContactEntry(_Entry):
    """`[[no_contact]]`, or one inmate's: a number of somebody who is not to be called, whatever else is set."""

    number: E164
    note: Note


class InmateEntry(LevelEntry):
    """`[[inmate]]`: who may call. The PIN is hashed at loading and kept nowhere else."""

    id: Annotated[str, Field(pattern=r"^[0-9]{3,12}$")]
    pin: Annotated[str, Field(pattern=r"^[0-9]{4,12}$", repr=False)]
    name: str
    unit: Slug | None = None
    state: InmateState = InmateState.ACTIVE
    state_note: Note | None = None
    suspended_from: datetime | None = None  # local times; none: from ever, until further notice
    suspended_to: datetime | None = None
    no_contact: list[NoContactEntry] = []
    numbers: list[AllowedEntry] = []

    @model_validator(mode="after")
    def _numbers_once(self) -> Self:
        if self.state is not InmateState.SUSPENDED and (self.suspended_from or self.suspended_to):
            raise ValueError(
                f"suspended_from and suspended_to belong to the state suspended, not {self.state}"
            )
        _refuse_twins("number", [each.number for each in self.numbers])
        _refuse_twins("speed dial", [each.speed_dial for each in self.numbers if each.speed_dial])
        return self


class SpecialEntry(LevelEntry):
    """`[[number]]`: a number with rules of its own. Everybody may call a privileged or free one, and a hotline.

    Privileged ones are never recorded, free ones never charged; an office takes several calls at the same time; a
    hotline is for everybody, suspended inmates too.
    """

    number: E164
    label: str
    privileged: bool = False
    free: bool = False
    office: bool = False
    hotline: bool = False


class BlockedEntry(_Entry):
    """`[[blocked]]`: a number, all that begin with a prefix, or a type of number; with the reason for it."""

    number: E164 | None = None
    prefix: Annotated[str, BeforeValidator(_prefix)] | None = None
    type: Literal["international", "toll_free", "premium", "special"] | None = None
    cause: Literal["facility", "security", "agent"] = "facility"
    note: Note

    @model_validator(mode="after")
    def _covers_one_thing(self) -> Self:
        if len([each for each in (self.number, self.prefix, self.type) if each]) != 1:
            raise ValueError("expected exactly one of number, prefix, type")
        return self

    @property
    def covered(self) -> tuple[str, str]:
        """What it covers: number, prefix or type, and which."""
        return next(
            (what, value)
            for what, value in (("number", self.number), ("prefix", self.prefix), ("type", self.type))
            if value
        )


class PrepaidEntry(_Entry):
    """`[[prepaid]]`: a called party's account, opened with a deposit."""

    account: Slug
    numbers: list[E164]
    opening_balance: Amount


class SubscriptionEntry(_Entry):
    """`[[subscription]]`: so many calls to one number. Without `starts_on` a period of a month starts at loading."""

    number: E164
    calls: Annotated[int, Field(ge=1, le=100)]  # what can be spoken
    starts_on: date | None = None
    ends_on: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _refuse_backwards("starts_on", self.starts_on, "ends_on", self.ends_on)
        return self


class FacilityFile(_Entry):
    """The whole file."""

    facility: FacilityEntry
    tariff: list[TariffEntry] = []
    unit: list[UnitEntry] = []
    station: list[StationEntry] = []
    inmate: list[InmateEntry] = []
    number: list[SpecialEntry] = []
    blocked: list[BlockedEntry] = []
    no_contact: list[NoContactEntry] = []
    prepaid: list[PrepaidEntry] = []
    subscription: list[SubscriptionEntry] = []

    @model_validator(mode="after")
    def _ids_fit_the_facility(self) -> Self:
        digits = self.facility.inmate_id_digits
        for inmate in self.inmate:
            if len(inmate.id) != digits:
                raise ValueError(f"inmate {inmate.id}: facility.inmate_id_digits says {digits} digits")
        self._refuse_unknown_units()
        _refuse_twins("inmate", [inmate.id for inmate in self.inmate])
        _refuse_twins("unit", [unit.id for unit in self.unit])
        _refuse_twins("station", [station.id for station in self.station])
        _refuse_twins("blocked number", [" ".join((*each.covered, each.cause)) for each in self.blocked])
        self._refuse_long_lists()
        _refuse_twins("number", [entry.number for entry in self.number])
        _refuse_twins("local exchange", self.facility.local_exchanges)
        prices = [f"{kind} from {each.valid_from}" for each in self.tariff for kind in each.call_types]
        _refuse_twins("tariff", prices)
        _refuse_twins("prepaid account", [entry.account for entry in self.prepaid])
        _refuse_twins("prepaid number", [number for entry in self.prepaid for number in entry.numbers])
        return self

    def _refuse_long_lists(self) -> None:
        most = self.facility.pan_maximum
        for inmate in self.inmate:
            if most is not None and len(inmate.numbers) > most:
                raise ValueError(
                    f"inmate {inmate.id}: {len(inmate.numbers)} numbers, facility.pan_maximum is {most}"
                )

    def _refuse_unknown_units(self) -> None:
        units = {unit.id for unit in self.unit}
        placed = [(f"station {each.id}", each.unit) for each in self.station]
        placed += [(f"inmate {each.id}", each.unit) for each in self.inmate]
        for who, unit in placed:
            if unit is not None and unit not in units:
                raise ValueError(f"{who}: there is no unit {unit} in this file")


def _refuse_backwards(first: str, begins: date | None, last: str, ends: date | None) -> None:
    if begins is not None and ends is not None and ends < begins:
        raise ValueError(f"{last} {ends} is before {first} {begins}")


def _refuse_twins(what: str, ids: list[str]) -> None:
    if twins := sorted({each for each in ids if ids.count(each) > 1}):
        raise ValueError(f"{what} given more than once: {', '.join(twins)}")


def read(path: Path) -> str:
    """The file's text; raises FacilityFileError if it can't be read."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise FacilityFileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise FacilityFileError(f"{path}: not UTF-8: {error}") from None


def parse(text: str, name: str) -> FacilityFile:
    """The content of a facility file; raises FacilityFileError with a line for each mistake, beginning with `name`."""
    try:
        return FacilityFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise FacilityFileError(f"{name}: not TOML: {error}") from None
    except ValidationError as error:
        raise FacilityFileError("\n".join(_mistakes(name, error))) from None


def _mistakes(name: str, error: ValidationError) -> list[str]:
    return [
        f"{name}: {'.'.join(str(part) for part in each['loc']) or 'file'}: {each['msg'].removeprefix('Value error, ')}"
        for each in error.errors(include_input=False)
    ]
