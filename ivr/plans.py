"""The subscription plans that a facility offers, and a plan's terms as they are told before anybody buys it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from accounts.periods import last_date
from accounts.subscribed import Terms
from accounts.tables import Renewal
from ivr.facility.lawfulness import free_by_law_since
from ivr.facility.lookup import Facility, plans_of
from ivr.facility.tariffs import tariff_on
from rating.dated_table import Period
from rating.money import format_money
from rating.ordinary import ordinary_minute
from rating.plans import Plan, break_even

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
    number: str  # E.164
    terms: Terms
    renewal: Renewal
    first_date: date
    last_date: date


def terms_told(conn: Connection, offer: Offer) -> Iterator[str]:
    """A plan's terms as 47 CFR 64.6140(c) wants them told before it is bought, a line for each."""
    place, terms = offer.place, offer.terms
    price, longest = format_money(terms.price), place.longest_call_ms // 60_000
    yield f"plan: {terms.plan_id}; nobody needs one, calls can be paid for by the minute"
    yield f"price: ${price} a period in all; taxes and fees are included, and nothing else is charged"
    yield (
        f"included: {terms.calls} calls from {place.id} to {offer.number}, each as long as the facility permits "
        f"({longest} minutes at most); further calls are charged by the minute, at the facility's rate"
    )
    yield f"period: from {offer.first_date} to {offer.last_date}, both included"
    yield f"break-even: {break_even_told(conn, place, terms, offer.first_date)}"
    yield (
        "dropped calls: a call that the network or we break off in its first "
        f"{place.dropped_within_seconds} seconds is given back at once, and one in which nobody talks does not count"
    )
    yield (
        "cancellation: at any time and without a fee; the plan goes on to its period's end, and until then the "
        "cancellation can be undone"
    )
    yield (
        "given back: the unused part of the price, where the person called from there is released, transferred, "
        "dies or may call no more, or where the facility is served no longer"
    )
    yield f"renewal: {renewal_told(offer.renewal, terms, offer.last_date)}"


def break_even_told(conn: Connection, place: Facility, terms: Terms, on: date) -> str:
    """From which use on the plan costs no more than the same talk by the minute, at that day's prices."""
    longest = place.longest_call_ms // 60_000
    tariff = tariff_on(conn, place.id, place.time_zone, on)
    ordinary = ordinary_minute(tariff, place.site, Period(on, on), longest) if tariff else None
    if not ordinary:
        return "never; calls inside the state cost nothing, or have no price"
    least = break_even(Plan(terms.price, terms.calls), ordinary, longest)
    return (
        f"it pays from {least.minutes} minutes of talk a period on, or {least.calls} calls of {longest} minutes; "
        "less talk is cheaper by the minute"
    )


def renewal_told(renewal: Renewal, terms: Terms, last: date) -> str:
    """What happens at the end of a period, in words."""
    if renewal is Renewal.MANUAL:
        return f"none by itself; after {last} calls are paid for by the minute, until it is renewed"
    paid = last - timedelta(days=PAID_DAYS_BEFORE)
    return (
        f"by itself, each period, until cancelled: ${format_money(terms.price)} are taken from {paid} on, of the card "
        f"on file or else of the account; told {TOLD_DAYS_BEFORE} days before the period ends"
    )
