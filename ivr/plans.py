"""The subscription plans that a facility offers, and what somebody is about to buy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from accounts.periods import last_date
from accounts.subscribed import Terms
from accounts.tables import Renewal
from ivr.facility.lawfulness import free_by_law_since
from ivr.facility.lookup import Facility, plans_of
from ivr.facility.tariffs import tariff_on
from rating.dated_table import Period
from rating.ordinary import ordinary_minute
from rating.plans import BreakEven, Plan, break_even

#: So long before its end the next period is paid for, so that no day is without one.
PAID_DAYS_BEFORE = 1
#: So long before it a renewal is told, with its price: a week has three business days whatever holidays are in it.
TOLD_DAYS_BEFORE = 7
#: How often a renewal that was not paid for is tried again, once a day.
TRIED_AGAIN = 3


def offered(conn: Connection, place: Facility, on: date) -> Mapping[str, Terms]:
    """The plans that may be bought on a local day for the month from then on, by their ids.

    None where the facility takes no subscriptions, or where calls are free by law on a day of that month: no plan pays
    then (47 CFR 64.6140(b)(1)).
    """
    month = Period(on, last_date(on, on.day))
    if "subscription" not in place.payers.split() or free_by_law_since(place, month):
        return {}
    return {plan_id: Terms(plan_id, price, calls) for plan_id, price, calls in plans_of(conn, place.id)}


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody is about to buy; dates are the facility's, both included."""

    place: Facility
    account_id: str  # that pays
    number: str  # E.164
    terms: Terms
    renewal: Renewal
    first_date: date
    last_date: date


def pays_from(conn: Connection, offer: Offer) -> BreakEven | None:
    """From which use on the plan costs no more than the same talk by the minute, at the first day's prices."""
    place, on = offer.place, offer.first_date
    longest = place.longest_call_ms // 60_000
    tariff = tariff_on(conn, place.id, place.time_zone, on)
    ordinary = ordinary_minute(tariff, place.site, Period(on, on), longest) if tariff else None
    return break_even(Plan(offer.terms.price, offer.terms.calls), ordinary, longest) if ordinary else None
