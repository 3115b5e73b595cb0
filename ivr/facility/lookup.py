"""Look-ups by a call: each one statement, each by index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, exists, func, literal, or_, select

from accounts.db import Prepared
from ivr.facility import privileged
from ivr.facility.tables import (
    allowed_number,
    facility,
    inmate,
    local_exchange,
    passive_number,
    plan,
    privileged_number,
    special_number,
    station,
    switch,
)
from ivr.policy.hotline import HotlineKind
from ivr.policy.level import Level
from ivr.policy.request import InmateState
from rating.money import Money
from rating.numbers import ORDINARY_AND_TOLL_FREE, ORDINARY_ONLY, NumberKind
from rating.site import FacilityKind, Operator, Site


@dataclass(frozen=True, slots=True)
class Facility:
    """What a call needs of its facility, and of the station that it is made from."""

    id: str
    kind: str
    operator: str
    average_daily_population: int | None
    state: str
    time_zone: str
    caller_id: str
    inmate_id_digits: int
    identify_by: str
    pin_least: int
    pin_most: int
    pin_change_by_phone: bool
    intake_calls: int
    intake_calls_for_parents: int
    intake_within_minutes: int
    longest_call_ms: int
    ring_seconds: int
    records: bool
    taxes: str
    localities: str
    toll_free: bool
    pan_mode: str = "enforced"
    pan_maximum: int | None = None
    requests_by_phone: bool = False
    requests_waiting_maximum: int = 5
    relay_limit_factor: int = 1
    overlay_seconds: int | None = None
    payers: str = "subscription prepaid"
    collect_limit: int = 0
    courtesy_seconds: int = 0
    dropped_within_seconds: int = 0
    continues_within_seconds: int = 0
    station_id: str | None = None
    intake: bool = False  # the station's
    unit_id: str | None = None  # the station's
    agency_id: str | None = None
    switched_off: bool = False  # the station, or what it is part of

    @property
    def site(self) -> Site:
        """The facility as laws see it."""
        return Site(
            self.state, FacilityKind(self.kind), Operator(self.operator), self.average_daily_population
        )

    @property
    def kinds(self) -> frozenset[NumberKind]:
        """The kinds of numbers that may be called."""
        return ORDINARY_AND_TOLL_FREE if self.toll_free else ORDINARY_ONLY


_OF_FACILITY = [facility.c[name] for name in Facility.__dataclass_fields__ if name in facility.c]
_SWITCHED_OFF = exists().where(
    switch.c.ended_at.is_(None),
    switch.c.scope.in_(
        [
            literal(f"{Level.STATION}/") + station.c.id,
            literal(f"{Level.UNIT}/") + station.c.facility_id + "/" + station.c.unit_id,
            literal(f"{Level.FACILITY}/") + station.c.facility_id,
            literal(f"{Level.AGENCY}/") + facility.c.agency_id,
        ]
    ),
)
_FACILITY_OF_STATION = Prepared(
    select(
        *_OF_FACILITY,
        station.c.id.label("station_id"),
        station.c.unit_id,
        station.c.intake,
        _SWITCHED_OFF.label("switched_off"),
    )
    .join(station, station.c.facility_id == facility.c.id)
    .where(station.c.id == bindparam("station_id"))
)
_DROPPED_WITHIN = Prepared(
    select(facility.c.dropped_within_seconds).where(facility.c.id == bindparam("facility_id"))
)
_INMATE = Prepared(
    select(
        inmate.c.id,
        inmate.c.inmate_id,
        inmate.c.pin_hash,
        inmate.c.language,
        inmate.c.volume,
        inmate.c.recorded_name.is_not(None).label("has_name"),
    ).where(inmate.c.facility_id == bindparam("facility_id"), inmate.c.inmate_id == bindparam("keyed"))
)
_INMATE_BY_PIN = Prepared(
    select(
        inmate.c.id,
        inmate.c.inmate_id,
        inmate.c.language,
        inmate.c.volume,
        inmate.c.recorded_name.is_not(None).label("has_name"),
    ).where(inmate.c.facility_id == bindparam("facility_id"), inmate.c.pin_hash == bindparam("hashed"))
)
_SPEED_DIAL = Prepared(
    select(allowed_number.c.number).where(
        allowed_number.c.inmate == bindparam("inmate_key"), allowed_number.c.speed_dial == bindparam("code")
    )
)
_SHORT_CODE = Prepared(
    select(special_number.c.number).where(
        special_number.c.facility_id == bindparam("facility_id"),
        special_number.c.relay,
        special_number.c.short_code == bindparam("code"),
    )
)
_PRIVILEGED = privileged.holds(
    bindparam("at", type_=privileged_number.c.lapses_at.type),
    facility_id=bindparam("facility_id"),
    number=bindparam("number"),
    inmate_key=inmate.c.id,
)
#: Another's number is privileged for whoever calls unknown, but does not make their call untimed.
_IS_UNTIMED = and_(
    privileged_number.c.untimed,
    or_(inmate.c.id.is_not(None), privileged.is_everybodys()),
)
_PASSIVE = and_(
    passive_number.c.facility_id == bindparam("facility_id"),
    passive_number.c.number == bindparam("number"),
    passive_number.c.confirmed_at.is_not(None),
)
_listed = allowed_number.alias("listed")
_LISTED = select(func.count()).where(_listed.c.inmate == inmate.c.id).scalar_subquery()
#: What `NumberFacts` are made of: the columns, and where they are found. Parameters `facility_id`, `inmate_key`,
#: `number` (E.164), `exchange`, `at`.
NUMBER_COLUMNS: Sequence[Any] = (
    inmate.c.unit_id,
    func.coalesce(inmate.c.state, InmateState.ACTIVE).label("state"),
    inmate.c.suspended_from,
    inmate.c.suspended_to,
    or_(inmate.c.id.is_(None), inmate.c.recorded_name.is_not(None)).label("has_recorded_name"),
    _LISTED.label("listed"),
    or_(allowed_number.c.number.is_not(None), func.coalesce(special_number.c.allowed, False)).label(
        "allowed"
    ),
    allowed_number.c.payer,
    func.coalesce(allowed_number.c.records, True).label("records"),
    allowed_number.c.override_note.is_not(None).label("block_overridden"),
    exists().where(_PRIVILEGED).label("privileged"),
    exists().where(_PRIVILEGED, _IS_UNTIMED).label("untimed"),
    func.coalesce(special_number.c.free, False).label("free"),
    func.coalesce(special_number.c.hotline, False).label("hotline"),
    func.coalesce(special_number.c.office, False).label("office"),
    and_(func.coalesce(special_number.c.passive, False), exists().where(_PASSIVE)).label("passive"),
    func.coalesce(special_number.c.relay, False).label("relay"),
    func.coalesce(special_number.c.overlay, True).label("overlay"),
    special_number.c.hotline_kind,
    local_exchange.c.exchange.is_not(None).label("local"),
)
NUMBER_FROM = (
    facility.outerjoin(inmate, inmate.c.id == bindparam("inmate_key"))
    .outerjoin(
        allowed_number,
        and_(allowed_number.c.inmate == inmate.c.id, allowed_number.c.number == bindparam("number")),
    )
    .outerjoin(
        special_number,
        and_(
            special_number.c.facility_id == bindparam("facility_id"),
            special_number.c.number == bindparam("number"),
        ),
    )
    .outerjoin(
        local_exchange,
        and_(
            local_exchange.c.facility_id == bindparam("facility_id"),
            local_exchange.c.exchange == bindparam("exchange"),
        ),
    )
)
OF_FACILITY = facility.c.id == bindparam("facility_id")
_HOTLINE = Prepared(
    select(special_number.c.number, special_number.c.hotline_kind).where(
        special_number.c.facility_id == bindparam("facility_id"), special_number.c.code == bindparam("keyed")
    )
)


@dataclass(frozen=True, slots=True)
class Hotline:
    """A hotline, by the code that was keyed for it."""

    code: str
    number: str
    kind: HotlineKind


def facility_of_station(conn: Connection, station_id: str) -> Facility | None:
    """The facility whose telephone this is; None for an unknown one."""
    row = _FACILITY_OF_STATION.row(conn, {"station_id": station_id})
    return Facility(**row._mapping) if row else None


def facility_by_id(conn: Connection, facility_id: str) -> Facility | None:
    """The facility with this id."""
    row = conn.execute(select(*_OF_FACILITY).where(facility.c.id == facility_id)).one_or_none()
    return Facility(**row._mapping) if row else None


def facilities_showing(conn: Connection, number: str) -> list[Facility]:
    """The facilities whose calls show this number (E.164), by their ids."""
    wanted = select(*_OF_FACILITY).where(facility.c.caller_id == number).order_by(facility.c.id)
    return [Facility(**row._mapping) for row in conn.execute(wanted)]


def plans_of(conn: Connection, facility_id: str) -> list[tuple[str, Money, int]]:
    """The subscription plans that the facility offers: id, price, calls a month."""
    offered = select(plan.c.id, plan.c.price, plan.c.calls).where(plan.c.facility_id == facility_id)
    return [(each, price, calls) for each, price, calls in conn.execute(offered.order_by(plan.c.id))]


def facilities(conn: Connection, facility_id: str | None = None) -> list[Facility]:
    """Every facility, or the one of this id; two at most: enough to see whether it is one."""
    wanted = select(*_OF_FACILITY).order_by(facility.c.id).limit(2)
    if facility_id is not None:
        wanted = wanted.where(facility.c.id == facility_id)
    return [Facility(**row._mapping) for row in conn.execute(wanted)]


def dropped_within_seconds(conn: Connection, facility_id: str) -> int:
    """A talk that fails within so many seconds is given back; 0: none is."""
    return int(_DROPPED_WITHIN.value(conn, {"facility_id": facility_id}))


def inmate_by_id(conn: Connection, facility_id: str, inmate_id: str) -> Row[Any] | None:
    """The inmate that keyed this ID; None for an unknown one."""
    return _INMATE.row(conn, {"facility_id": facility_id, "keyed": inmate_id})


def inmate_by_pin(conn: Connection, facility_id: str, hashed: str) -> Row[Any] | None:
    """The inmate of whose PIN this is kept; None if it is nobody's."""
    return _INMATE_BY_PIN.row(conn, {"facility_id": facility_id, "hashed": hashed})


def hotline_by_code(conn: Connection, facility_id: str, keyed: str) -> Hotline | None:
    """The hotline whose code was keyed; None where it is none's."""
    row = _HOTLINE.row(conn, {"facility_id": facility_id, "keyed": keyed})
    return Hotline(keyed, row.number, HotlineKind(row.hotline_kind)) if row else None


def number_of_speed_dial(conn: Connection, inmate_key: int, code: str) -> str | None:
    """The number behind an inmate's speed dial."""
    number: str | None = _SPEED_DIAL.value(conn, {"inmate_key": inmate_key, "code": code})
    return number


def number_of_short_code(conn: Connection, facility_id: str, code: str) -> str | None:
    """The relay's number that a code such as 711 stands for at this facility."""
    number: str | None = _SHORT_CODE.value(conn, {"facility_id": facility_id, "code": code})
    return number


def free_and_local(conn: Connection, facility_id: str, number: str) -> tuple[bool, bool]:
    """Whether nobody pays for calls to this number, and whether its exchange is of the facility's list."""
    free = conn.scalar(
        select(special_number.c.free | special_number.c.relay).where(
            special_number.c.facility_id == facility_id, special_number.c.number == number
        )
    )
    exchange = conn.scalar(
        select(local_exchange.c.exchange).where(
            local_exchange.c.facility_id == facility_id,
            local_exchange.c.exchange == exchange_of(number),
        )
    )
    return bool(free), exchange is not None


def exchange_of(number: str) -> str:
    """Area code and exchange of a number in E.164, where it has them."""
    return number.removeprefix("+1")[:6]


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What one inmate's facility knows of one number."""

    unit_id: str | None  # the inmate's
    state: str
    suspended_from: datetime | None
    suspended_to: datetime | None
    has_recorded_name: bool
    listed: int  # how many numbers stand in the inmate's list
    allowed: bool
    payer: str | None  # who alone may pay
    records: bool
    block_overridden: bool
    privileged: bool
    untimed: bool
    free: bool
    hotline: bool
    office: bool
    passive: bool
    relay: bool
    overlay: bool
    hotline_kind: str | None
    local: bool


def number_facts_of(row: Row[Any]) -> NumberFacts:
    """What the columns of a row say of an inmate and a number."""
    found = row._mapping
    return NumberFacts(**{name: found[name] for name in NumberFacts.__dataclass_fields__})
