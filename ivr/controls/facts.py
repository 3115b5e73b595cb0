"""What a call is decided on beside the rules it meets: the inmate, the number, who may pay and the tariff, at once."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, func, select

from accounts import payers
from accounts.db import Prepared
from ivr.facility import lookup, tariffs
from ivr.facility.bookings import Booking
from ivr.facility.lookup import Facility, NumberFacts
from ivr.policy.quantity import SHORTEST_COUNTED_MS
from ivr.policy.request import LastCall
from ivr.records import continuing
from ivr.records.tables import call
from rating.prices import Tariff

NO_BOOKING = -1
#: The calls that a booking has had: those in progress count, those to privileged numbers do not.
TAKEN = (
    select(func.count())
    .where(
        call.c.booking_id == bindparam("booking_id"),
        call.c.privileged.is_(False),
        call.c.limit_ms.is_not(None),
        call.c.sealed_at.is_(None)
        | ((call.c.talk_ms >= SHORTEST_COUNTED_MS) & call.c.given_back.is_not(True)),
    )
    .scalar_subquery()
)
_FACTS = Prepared(
    select(
        TAKEN.label("intake_calls"),
        *lookup.NUMBER_COLUMNS,
        *payers.COLUMNS,
        *tariffs.COLUMNS,
        *continuing.COLUMNS,
    )
    .select_from(continuing.joined(tariffs.joined(payers.joined(lookup.NUMBER_FROM))))
    .where(lookup.OF_FACILITY)
)


#: Who calls: an inmate by the key of their row, somebody on a booking, or nobody who is known.
Caller = int | Booking | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one statement tells."""

    number: NumberFacts
    paying: payers.PayerFacts
    tariff: Tariff | None
    intake_calls: int  # that the booking has had
    last_call: LastCall | None = None  # which may be continued


def facts(conn: Connection, facility: Facility, caller: Caller, number: str, at: datetime) -> Facts:
    """The facts of a call to a number (E.164, or "") at an instant."""
    asked = {
        "facility_id": facility.id,
        "inmate_key": caller if isinstance(caller, int) else None,
        "booking_id": caller.id if isinstance(caller, Booking) else NO_BOOKING,
        "number": number,
        "exchange": lookup.exchange_of(number),
        "on": at.astimezone(ZoneInfo(facility.time_zone)).date(),
        "at": at,
        **continuing.since(at, facility.continues_within_seconds),
    }
    row = _FACTS.row(conn, asked)
    assert row is not None  # facilities are never deleted
    tariff = tariffs.tariff_of(conn, facility.id, facility.time_zone, row)
    return Facts(
        lookup.number_facts_of(row),
        payers.payer_facts_of(row),
        tariff,
        row.intake_calls,
        continuing.last_call_of(row) if facility.continues_within_seconds else None,
    )
