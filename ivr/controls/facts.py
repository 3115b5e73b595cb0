"""What a call is decided on beside the rules it meets: the inmate, the number, who may pay and the tariff, at once."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from accounts import payers
from accounts.db import Prepared
from ivr.facility import lookup, tariffs
from ivr.facility.lookup import Facility, NumberFacts
from rating.prices import Tariff

_FACTS = Prepared(
    select(*lookup.NUMBER_COLUMNS, *payers.COLUMNS, *tariffs.COLUMNS)
    .select_from(tariffs.joined(payers.joined(lookup.NUMBER_FROM)))
    .where(lookup.OF_INMATE)
)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one statement tells."""

    number: NumberFacts
    paying: payers.PayerFacts
    tariff: Tariff | None


def facts(conn: Connection, facility: Facility, inmate: int, number: str, at: datetime) -> Facts:
    """The facts of an inmate's call to a number (E.164, or "") at an instant."""
    asked = {
        "facility_id": facility.id,
        "inmate_key": inmate,
        "number": number,
        "exchange": lookup.exchange_of(number),
        "on": at.astimezone(ZoneInfo(facility.time_zone)).date(),
        "at": at,
    }
    row = _FACTS.row(conn, asked)
    assert row is not None  # inmates are never deleted
    tariff = tariffs.tariff_of(conn, facility.id, facility.time_zone, row)
    return Facts(lookup.number_facts_of(row), payers.payer_facts_of(row), tariff)
