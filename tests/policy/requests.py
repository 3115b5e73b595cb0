"""A request that is allowed, to be changed in one fact at a time."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from ivr.policy.request import CallRequest, Funds, InmateState, Payer
from ivr.policy.schedule import Schedule, Window
from rating.call_type import CallType
from rating.money import Money
from rating.numbers import Number, NumberKind
from rating.price import Price
from rating.tariff import simple_rate
from rating.timetable import always

CHICAGO = ZoneInfo("America/Chicago")
EVERY_DAY = Schedule([Window(day, time(7), time(22)) for day in range(7)])
NUMBER = Number("+12175550102", "US", "US-IL", NumberKind.ORDINARY)
NOON = datetime(2026, 11, 23, 12, tzinfo=CHICAGO)

OK = CallRequest(
    at=NOON,
    inmate_state=InmateState.ACTIVE,
    has_recorded_name=True,
    dialled=NUMBER,
    blocked_by=frozenset(),
    on_allowed_list=True,
    privileged=False,
    free=False,
    schedules=[EVERY_DAY],
    call_type=CallType.LOCAL,
    price=Price(always(simple_rate(Money(60_000), first_seconds=60, next_seconds=1))),
    starts=(NOON, NOON),
    agency_rule=None,
    subscription=None,
    funds={Payer.PREPAID: Funds("prepaid/family", Money(5_000_000))},
    longest_call_ms=900_000,
    facility_records=True,
    number_records=True,
)
