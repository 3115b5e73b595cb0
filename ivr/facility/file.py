"""A facility's TOML file: what may stand in it, and where a mistake is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    ValidationError,
    model_validator,
)

from ivr.facility.entries import Entry, HolidayEntry, LevelEntry, RecordedEntry, WindowEntry
from ivr.facility.fields import (
    E164,
    AcceptKey,
    BlockKey,
    Digits,
    FileName,
    LocalTime,
    Note,
    OnlyPayer,
    PinDigits,
    Prefix,
    SpeedDial,
    State,
    TimeZone,
    Whole,
)
from ivr.facility.payer_entries import FundingEntry, PlanEntry, PrepaidEntry, SubscriptionEntry
from ivr.facility.refusing import (
    Contradictions,
    Found,
    Place,
    overlaps,
    placed,
    refuse_service_code,
    refuse_twins,
    twins,
    unfit_codes,
    unfit_pins,
)
from ivr.facility.sources import FacilityFileError, Sources, is_plain, mistakes, named, read, toml
from ivr.policy.hotline import HotlineKind
from ivr.policy.identity import IdentifyBy
from ivr.policy.keys import Dtmf
from ivr.policy.recording import Unrecorded
from ivr.policy.request import InmateState, PanMode
from rating.dated_table import TableError
from rating.form import Slug, like
from rating.site import FacilityKind, Operator, Site
from rating.tariff_file import TariffFile, TariffFileError, parse_tariff
from rating.taxes import parse as parse_taxes

__all__ = ["FacilityFile", "FacilityFileError", "Sources", "parse", "read"]


class AgencyEntry(RecordedEntry):
    """`[agency]`: who runs several facilities, and what holds for all of them; a file of its own."""

    id: Slug
    name: str


class FacilityEntry(LevelEntry):
    """`[facility]`: a jail or prison and what holds for all of its calls."""

    id: Slug
    name: str
    agency: FileName | None = None  # a file beside this one: AgencyFile
    kind: FacilityKind
    operator: Operator  # in whose custody people are; with state and kind it decides what is free by law
    average_daily_population: Annotated[Whole, Field(ge=0, le=1_000_000)] | None = (
        None  # of last year; unknown: the lowest cap
    )
    state: State
    time_zone: TimeZone
    caller_id: E164
    inmate_id_digits: Annotated[Whole, Field(ge=4, le=12)]
    pin_digits: PinDigits = (4, 12)  # 6, or "4-8"
    identify_by: IdentifyBy = IdentifyBy.ID_AND_PIN
    pin_change_by_phone: bool = True
    intake_calls: Annotated[Whole, Field(ge=0, le=100)] = 3  # completed local ones after an arrest, free
    intake_calls_for_parents: Annotated[Whole, Field(ge=0, le=100)] = (
        2  # more, for who has minor children in custody
    )
    intake_within_minutes: Annotated[Whole, Field(ge=1, le=10_080)] = 180
    longest_call_minutes: Annotated[Whole, Field(ge=1, le=240)]
    ring_seconds: Annotated[Whole, Field(ge=10, le=90)] = 45
    records: bool = True
    toll_free: bool = False  # whether toll-free numbers may be called; the tariff must have a price for them
    pan_mode: PanMode = PanMode.ENFORCED
    pan_maximum: Annotated[Whole, Field(ge=1, le=10_000)] | None = None
    requests_by_phone: bool = (
        False  # whether inmates may ask by telephone for a number to be added to their list
    )
    requests_waiting_maximum: Annotated[Whole, Field(ge=1, le=100)] = 5  # of one inmate
    relay_limit_factor: Annotated[Whole, Field(ge=1, le=10)] = (
        3  # how many times as long a talk over a relay may be
    )
    accept_key: AcceptKey = 1  # of the called party; the price is heard by 3, or by 1 where 3 accepts
    block_key: BlockKey = 9
    block_confirm_key: BlockKey = 6
    overlay_minutes: Annotated[Whole, Field(ge=1, le=60)] | None = (
        None  # how often a talk tells where it is from
    )
    local_exchanges: list[Annotated[str, like(r"[0-9]{6}", "six digits")]] = []
    tariffs: list[FileName] = []  # files beside this one: rating/tariff_file.py
    taxes: FileName | None = None  # a file beside this one: rating/taxes.py
    localities: list[Slug] = []  # whose taxes of their own are due here
    schedule: list[WindowEntry]  # a facility without hours is never open
    holiday: list[HolidayEntry] = []

    @model_validator(mode="after")
    def _each_is_one_thing(self) -> Self:
        if self.block_confirm_key == self.block_key:
            raise ValueError(f"block_confirm_key: expected another key than block_key {self.block_key}")
        for name, what in ((self.agency, "agency"), (self.taxes, "taxes")):
            if name in self.tariffs:
                raise ValueError(f"tariffs: {name} is the file that {what} names, and no tariff")
        return self

    @property
    def site(self) -> Site:
        """The facility as laws see it."""
        return Site(self.state, self.kind, self.operator, self.average_daily_population)


class UnitEntry(RecordedEntry):
    """`[[unit]]`: a housing unit; what it sets holds for its stations and for its inmates."""

    id: Slug
    label: str


class StationEntry(RecordedEntry):
    """`[[station]]`: one telephone; its id is also the name it registers with."""

    id: Slug
    label: str
    unit: Slug | None = None
    intake: bool = False  # a booking is keyed, no ID and PIN
    dtmf: Dtmf = Dtmf.AUTO  # how its keys come in: rfc4733, inband, info


class AllowedEntry(LevelEntry):
    """A number of an inmate's list; `records = false` keeps calls to it from being recorded.

    With a `payer` nobody else pays for calls to it. With `override_note` the inmate may call it although the facility
    has blocked it; the note says why.
    """

    number: E164
    speed_dial: SpeedDial | None = None
    records: bool = True
    relation: str | None = None
    payer: OnlyPayer | None = None
    override_note: Note | None = None


class NoContactEntry(Entry):
    """`[[no_contact]]`, or one inmate's: a number of somebody who is not to be called, whatever else is set."""

    number: E164
    note: Note


class InmateEntry(RecordedEntry):
    """`[[inmate]]`: who may call. The PIN is hashed at loading and kept nowhere else.

    Without one the PIN that stands is kept; an inmate who is new needs one.
    """

    id: Digits
    pin: Digits | None = Field(None, repr=False)
    name: str
    unit: Slug | None = None
    state: InmateState = InmateState.ACTIVE
    state_note: Note | None = None
    suspended_from: LocalTime | None = None  # local times; none: from ever, until further notice
    suspended_to: LocalTime | None = None
    no_contact: list[NoContactEntry] = []
    numbers: list[AllowedEntry] = []

    @model_validator(mode="after")
    def _numbers_once(self) -> Self:
        if self.state is not InmateState.SUSPENDED and (self.suspended_from or self.suspended_to):
            raise ValueError(
                f"suspended_from and suspended_to belong to the state suspended, not {self.state}"
            )
        if self.suspended_from and self.suspended_to and self.suspended_to <= self.suspended_from:
            raise ValueError(
                f"suspended_to {self.suspended_to} is not after suspended_from {self.suspended_from}"
            )
        refuse_twins("number", [each.number for each in self.numbers])
        refuse_twins("speed dial", [each.speed_dial for each in self.numbers if each.speed_dial])
        return self


class SpecialEntry(RecordedEntry):
    """`[[number]]`: a number with rules of its own. Everybody may call a privileged or free one, a hotline, a relay.

    An office takes several calls at a time, a hotline suspended inmates; an allowed one stands in everybody's
    list, at its price; `passive` needs two operators; the `short_code` of a relay is what is keyed for it.
    The inmate's keys reach privileged numbers and offices. Without `overlay` nothing is announced in a talk.
    With a `hotline_kind` it is a free hotline that is called by its `code` before anybody says who they are; crime_tips
    and prea keep no trace of the caller.
    """

    number: E164
    label: str
    privileged: bool = False
    free: bool = False
    office: bool = False
    overlay: bool = True
    hotline: bool = False
    allowed: bool = False
    passive: bool = False
    relay: bool = False
    short_code: Literal["711"] | None = None
    hotline_kind: HotlineKind | None = None
    code: Annotated[str, like(r"[0-9]{2,5}", "2 to 5 digits")] | None = None

    @model_validator(mode="after")
    def _asks_nobody_only_where_it_may(self) -> Self:
        if self.passive and not (self.hotline or (self.privileged and self.office)):
            raise ValueError("passive is for a hotline, or an office that is privileged")
        if self.short_code is not None and not self.relay:
            raise ValueError("short_code belongs to a relay")
        return self

    @model_validator(mode="before")
    @classmethod
    def _kind_is_free(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("hotline_kind") is not None:
            for name in ("hotline", "free"):
                if given.get(name, True) is not True:
                    raise ValueError(f"a number with a hotline_kind is always {name}")
            return {**given, "hotline": True, "free": True}
        return given

    @model_validator(mode="after")
    def _code_with_its_kind(self) -> Self:
        if (self.code is None) != (self.hotline_kind is None):
            raise ValueError("hotline_kind and code belong together")
        refuse_service_code(self.code)
        return self


#: The types of numbers that a block may cover.
BLOCKED_TYPES = Literal["international", "toll_free", "premium", "directory", "time_and_weather", "special"]


class BlockedEntry(Entry):
    """`[[blocked]]`: a number, all that begin with a prefix, or a type of number; with the reason for it."""

    number: E164 | None = None
    prefix: Prefix | None = None
    type: BLOCKED_TYPES | None = None
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


class RecordingEntry(Entry):
    """`[recording]`: how long recordings are kept, and what becomes of a talk that should be recorded and is not."""

    kept_days: Annotated[Whole, Field(ge=1, le=36_500)] = 365
    when_it_fails: Unrecorded = Unrecorded.END


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A tariff as people reviewed it, and what it says."""

    text: str
    says: TariffFile


class PrivilegedEntry(Entry):
    """`[[privileged]]` of an agency's file: a number that no facility of the agency ever records."""

    number: E164
    label: Note


class AgencyFile(Entry):
    """An agency's file: what it has of a facility's holds for each of its facilities."""

    agency: AgencyEntry
    privileged: list[PrivilegedEntry] = []
    blocked: list[BlockedEntry] = []
    no_contact: list[NoContactEntry] = []

    @model_validator(mode="after")
    def _once(self) -> Self:
        listed = placed("privileged", "number", [each.number for each in self.privileged])
        if found := [*_twin_blocks(self.blocked), *twins("privileged number", listed)]:
            raise Contradictions(found)
        return self


class FacilityFile(Entry):
    """The whole file, with the agency, the tariffs and the taxes that it names."""

    facility: FacilityEntry
    agency: AgencyFile | None = None
    tariff: list[Reviewed] = []
    tax: str = ""  # the text of the table of taxes
    funding: FundingEntry = FundingEntry()
    recording: RecordingEntry = RecordingEntry()
    plan: list[PlanEntry] = []
    unit: list[UnitEntry] = []
    station: list[StationEntry] = []
    inmate: list[InmateEntry] = []
    number: list[SpecialEntry] = []
    blocked: list[BlockedEntry] = []
    no_contact: list[NoContactEntry] = []
    prepaid: list[PrepaidEntry] = []
    subscription: list[SubscriptionEntry] = []

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if found := [*self._unfit_for_the_facility(), *self._given_twice(), *self._named_for_nothing()]:
            raise Contradictions(found)
        return self

    def _unfit_for_the_facility(self) -> Found:
        digits = self.facility.inmate_id_digits
        for place, inmate_id in placed("inmate", "id", [each.id for each in self.inmate]):
            if len(inmate_id) != digits:
                yield place, f"inmate {inmate_id}: facility.inmate_id_digits says {digits} digits"
        by_pin = self.facility.identify_by is IdentifyBy.PIN
        least, most = self.facility.pin_digits
        yield from unfit_pins([(each.id, each.pin) for each in self.inmate], least, most, alone=by_pin)
        shortest = least if by_pin else least + digits
        yield from unfit_codes([(each.number, each.code) for each in self.number], shortest)
        most_listed = self.facility.pan_maximum
        for number, inmate in enumerate(self.inmate):
            listed = len(inmate.numbers)
            if most_listed is not None and listed > most_listed:
                told = f"inmate {inmate.id}: {listed} numbers, facility.pan_maximum is {most_listed}"
                yield ("inmate", number, "numbers"), told
        yield from ((_TARIFFS, told) for told in overlaps(each.says for each in self.tariff))

    def _given_twice(self) -> Found:
        for table in ("inmate", "unit", "station", "plan"):
            yield from twins(table, placed(table, "id", [each.id for each in getattr(self, table)]))
        yield from _twin_blocks(self.blocked)
        yield from twins("number", placed("number", "number", [each.number for each in self.number]))
        codes = placed("number", "short_code", [each.short_code for each in self.number])
        yield from twins("short code", codes)
        exchanges = self.facility.local_exchanges
        yield from twins("local exchange", [(("facility", "local_exchanges"), each) for each in exchanges])
        yield from twins("tariff", [(_TARIFFS, each.says.id) for each in self.tariff])
        yield from twins("payer", [(("funding", "payers"), each) for each in self.funding.payers])
        accounts = placed("prepaid", "account", [each.account for each in self.prepaid])
        yield from twins("prepaid account", accounts)
        paid_for = ((n, number) for n, each in enumerate(self.prepaid) for number in each.numbers)
        yield from twins("prepaid number", [(("prepaid", n, "numbers"), number) for n, number in paid_for])

    def _named_for_nothing(self) -> Found:
        units = {unit.id for unit in self.unit}
        entries: Mapping[str, Sequence[StationEntry | InmateEntry]]
        entries = {"station": self.station, "inmate": self.inmate}
        for table, some in entries.items():
            for number, each in enumerate(some):
                if each.unit is not None and each.unit not in units:
                    told = f"{table} {each.id}: there is no unit {each.unit} in this file"
                    yield (table, number, "unit"), told
        plans = {each.id for each in self.plan}
        for number, bought in enumerate(self.subscription):
            if bought.plan is not None and bought.plan not in plans:
                yield ("subscription", number, "plan"), _no_plan(bought)

    def calls_of(self, subscription: SubscriptionEntry) -> int:
        """How many calls a subscription has in a period; ValueError for a plan that there is not."""
        if subscription.calls is not None:
            return subscription.calls
        for plan in self.plan:
            if plan.id == subscription.plan:
                return plan.calls
        raise ValueError(_no_plan(subscription))


_TARIFFS: Place = ("facility", "tariffs")


def _no_plan(subscription: SubscriptionEntry) -> str:
    return f"subscription {subscription.number}: there is no plan {subscription.plan}"


def _twin_blocks(blocked: list[BlockedEntry]) -> Found:
    covers = [(("blocked", n), " ".join((*each.covered, each.cause))) for n, each in enumerate(blocked)]
    return twins("blocked number", covers)


def parse(sources: Sources, name: str) -> FacilityFile:
    """The content of a facility file; raises FacilityFileError with a line for each mistake, beginning with `name`."""
    content = toml(sources.text, name)
    for wrong in ("agency", "tariff", "tax"):
        if wrong in content:
            raise FacilityFileError(f"{name}: {wrong}: expected its own file, named in facility")
    try:
        if missing := {each for each in named(content) if is_plain(each)} - sources.beside.keys():
            raise FacilityFileError(f"{name}: facility: {', '.join(sorted(missing))} is not there")
        rating = _rating(content, sources.beside)
        agency = _agency(content, sources.beside)
    except (TariffFileError, TableError) as mistake:
        raise FacilityFileError(str(mistake)) from None
    try:
        return FacilityFile.model_validate({**content, **rating, "agency": agency})
    except ValidationError as error:
        raise FacilityFileError("\n".join(mistakes(name, sources.text, error))) from None


def _rating(content: Mapping[str, Any], beside: Mapping[str, str]) -> dict[str, Any]:
    """The tariffs and taxes of the files that are there; the model tells what is missing or misnamed."""
    facility = content.get("facility")
    taxes = facility.get("taxes") if isinstance(facility, dict) else None
    found = [name for name in named(content) if is_plain(name) and name != _agency_named(content)]
    if taxes in found:
        parse_taxes(beside[taxes], taxes)
    return {
        "tariff": [
            Reviewed(beside[name], parse_tariff(beside[name], name)) for name in found if name != taxes
        ],
        "tax": beside.get(taxes, "") if isinstance(taxes, str) else "",
    }


def _agency(content: Mapping[str, Any], beside: Mapping[str, str]) -> AgencyFile | None:
    """The agency's file, if the facility's names one; raises FacilityFileError with its mistakes."""
    name = _agency_named(content)
    if name is None or not is_plain(name):
        return None
    try:
        return AgencyFile.model_validate(toml(beside[name], name))
    except ValidationError as error:
        raise FacilityFileError("\n".join(mistakes(name, beside[name], error))) from None


def _agency_named(content: Mapping[str, Any]) -> str | None:
    facility = content.get("facility")
    name = facility.get("agency") if isinstance(facility, dict) else None
    return name if isinstance(name, str) else None
