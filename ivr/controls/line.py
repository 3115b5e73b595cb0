"""What both halves of the service line tell and take: prices, and what somebody asks of people."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ivr.controls.pricing import priced
from ivr.facility import lookup
from ivr.facility.lookup import Facility
from ivr.facility.tariffs import tariff_on
from ivr.policy.service import RequestKind, due_on
from ivr.records import service_requests
from rating.numbers import read_e164
from rating.quote import NO_CHARGE, Quote, quote, spoken_minutes


@dataclass(frozen=True, slots=True)
class Rates:
    """What a call from the facility to the number costs now; no quote where there is no price."""

    quote: Quote | None
    is_free: bool
    limit_minutes: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What somebody was told who has asked for something: under which number, and by which day it is answered."""

    number: str
    due_on: date


def local_date(facility: Facility, at: datetime) -> date:
    """The facility's day."""
    return at.astimezone(ZoneInfo(facility.time_zone)).date()


def rates_to(conn: Connection, facility: Facility, number: str, at: datetime) -> Rates:
    """By the minute and in all, from the function that bills."""
    free, local = lookup.free_and_local(conn, facility.id, number)
    tariff = tariff_on(conn, facility.id, facility.time_zone, local_date(facility, at))
    asked = priced(facility, tariff, read_e164(number), at, local=local, free=free)
    minutes = spoken_minutes(facility.longest_call_ms)
    if free or asked.is_free_by_law:
        return Rates(NO_CHARGE, is_free=True, limit_minutes=minutes)
    told = quote(asked.price, at, facility.longest_call_ms) if asked.price else None
    return Rates(told, is_free=False, limit_minutes=minutes)


def ask_people(  # noqa: PLR0917 - who asks what, where
    conn: Connection,
    facility: Facility,
    number: str,
    kind: RequestKind,
    language: str,
    call_back_id: str | None,
    at: datetime,
) -> Receipt:
    """Put it into the list that staff see; the same asked again while it waits has the receipt of before."""
    row = service_requests.ask(
        conn,
        kind,
        facility_id=facility.id,
        number=number,
        language=language,
        call_back_id=call_back_id,
        at=at,
        due_on=due_on(local_date(facility, at), kind),
    )
    return Receipt(str(row.id), row.due_on)
