"""What a call is decided on beside the rules it meets: the inmate, the number, who may pay and the tariff, at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, exists, func, select

from accounts import payers
from accounts.billed import collect_account
from accounts.courtesy import courtesy_account
from accounts.db import Prepared
from ivr.facility import lookup, privileged, tariffs
from ivr.facility.bookings import Booking
from ivr.facility.lookup import Facility, NumberFacts
from ivr.policy.quantity import SHORTEST_COUNTED_MS
from ivr.policy.request import LastCall, Payer
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


#: How long a number that was offered a link to pay is not rung for another.
LINK_AGAIN: Final = timedelta(hours=24)
_LINK_OFFERED = exists().where(
    call.c.number == bindparam("number"),
    call.c.keyed_at > bindparam("link_since", type_=call.c.keyed_at.type),
    call.c.link_for.is_not(None),
)

#: Who calls: an inmate by the key of their row, somebody on a booking, or nobody who is known.
Caller = int | Booking | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Who pays because the inmate has said so, and of a card that was keyed the account."""

    payer: Payer
    card_id: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one statement tells."""

    number: NumberFacts
    paying: payers.PayerFacts
    tariff: Tariff | None
    intake_calls: int  # that the booking has had
    last_call: LastCall | None = None  # which may be continued
    link_is_due: bool = False
    list_in_doubt: bool = False  # of the facility's privileged numbers


def facts(  # noqa: PLR0917 - what a call is
    conn: Connection,
    facility: Facility,
    caller: Caller,
    number: str,
    at: datetime,
    choice: Choice | None = None,
) -> Facts:
    """The facts of a call to a number (E.164, or "") at an instant; of who may pay only whom the facility offers."""
    asked = {
        "facility_id": facility.id,
        "inmate_key": caller if isinstance(caller, int) else None,
        "booking_id": caller.id if isinstance(caller, Booking) else NO_BOOKING,
        "number": number,
        "exchange": lookup.exchange_of(number),
        "on": at.astimezone(ZoneInfo(facility.time_zone)).date(),
        "at": at,
        "card_id": choice.card_id if choice else None,
        "collect_id": collect_account(facility.id, number),
        "courtesy_id": courtesy_account(number),
        "link_since": at - LINK_AGAIN,
        **continuing.since(at, facility.continues_within_seconds),
    }
    statement, offered = _statement(facility.payers)
    row = statement.row(conn, asked)
    assert row is not None  # facilities are never deleted
    tariff = tariffs.tariff_of(conn, facility.id, facility.time_zone, row)
    found = payers.payer_facts_of(row, offered)
    return Facts(
        lookup.number_facts_of(row),
        found,
        tariff,
        row.intake_calls,
        continuing.last_call_of(row) if facility.continues_within_seconds else None,
        link_is_due=Payer.PAID_CALL in offered and found.takes_link and not row.link_offered,
        list_in_doubt=not privileged.is_intact(row),
    )


@cache
def _statement(offered: str) -> tuple[Prepared, frozenset[str]]:
    """The one statement that tells all facts, and whom it looks at: the words of a facility's payers."""
    words = frozenset(offered.split())
    return (
        Prepared(
            select(
                TAKEN.label("intake_calls"),
                *lookup.NUMBER_COLUMNS,
                *payers.columns(words),
                *([_LINK_OFFERED.label("link_offered")] if Payer.PAID_CALL in words else []),
                *tariffs.COLUMNS,
                *continuing.COLUMNS,
                *privileged.list_columns(bindparam("facility_id", type_=call.c.facility_id.type)),
            )
            .select_from(continuing.joined(tariffs.joined(payers.joined(lookup.NUMBER_FROM, words))))
            .where(lookup.OF_FACILITY)
        ),
        words,
    )
