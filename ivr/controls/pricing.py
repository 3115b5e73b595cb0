"""What a call from a facility to a number costs: its type, its price, and what the agency pays by law."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ivr.facility import tariffs
from ivr.facility.lookup import Facility
from rating.call_type import CallType, call_type
from rating.dated_table import Period
from rating.free_by_law import Share, highest_share
from rating.lawful import lawful_price
from rating.numbers import Dialled, Unusable
from rating.price import Price
from rating.prices import Tariff
from rating.taxes import taxes_due

#: The dialplan ends the called party's dialogue after so long (`dialplan.render`).
LONGEST_ACCEPTANCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Priced:
    """A call as tariff and law see it."""

    call_type: CallType | None  # None where the keys are no number
    price: Price | None  # None where the tariff of the day has none: no call, never a free one
    share: Share | None  # what the agency pays by law

    @property
    def is_free_by_law(self) -> bool:
        """Whether the agency pays everything."""
        return self.share is not None and self.share.is_free


NO_CALL = Priced(None, None, None)


def priced(
    facility: Facility,
    tariff: Tariff | None,
    dialled: Dialled,
    at: datetime,
    *,
    local: bool,
    free: bool,
    talk_until: datetime | None = None,
) -> Priced:
    """The price of a call that is decided on now, by the tariff and the taxes of its local day.

    Of all days that its talk can touch, the lowest cap holds and the highest share that an agency pays. `local`: the
    exchange is of the facility's list; `free`: a number nobody pays for. `talk_until`: an appointment's end.
    """
    if isinstance(dialled, Unusable):
        return NO_CALL
    kind = call_type(
        dialled,
        facility_state=f"US-{facility.state}",
        local_exchanges={dialled.e164[2:8]} if local else set(),
    )
    days = days_of_call(facility, at, talk_until)
    on = days.since
    share = None if free else highest_share(facility.site, days, kind)
    row = tariff.price_of(dialled.e164, kind) if tariff else None
    if row is None:
        return Priced(kind, None, share)
    rows, localities = tariffs.tax_rows(facility.taxes), facility.localities.split()
    taxes = taxes_due(rows, facility.state, kind, on, localities=localities)
    return Priced(kind, lawful_price(row, facility.site, kind, days, taxes=taxes, share=share), share)


def days_of_call(facility: Facility, at: datetime, talk_until: datetime | None = None) -> Period:
    """The local days that the talk of a call decided on now can touch, from the first on."""
    zone = ZoneInfo(facility.time_zone)
    ends = at + _latest_start(facility) + timedelta(milliseconds=facility.longest_call_ms)
    ends = max(ends, talk_until or ends)
    return Period(at.astimezone(zone).date(), ends.astimezone(zone).date())


def talk_starts(facility: Facility, price: Price | None, at: datetime) -> tuple[datetime, datetime]:
    """When a talk decided on now may begin: at once, or after the longest ringing and acceptance."""
    if price is None or price.timetable.same_always:
        return at, at
    return at, at + _latest_start(facility)


def _latest_start(facility: Facility) -> timedelta:
    """After the longest ringing and acceptance."""
    return timedelta(seconds=facility.ring_seconds + LONGEST_ACCEPTANCE_SECONDS)
