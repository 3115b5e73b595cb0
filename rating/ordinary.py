"""What calls inside a facility's state cost their payers by the minute: by it a plan is measured."""

from rating.call_type import IN_STATE
from rating.caps import Cap
from rating.dated_table import Period
from rating.free_by_law import highest_share
from rating.lawful import cheapest_minute, lawful_price, lowest_cap
from rating.money import Money
from rating.price import Price
from rating.prices import Tariff
from rating.site import Site


def ordinary_minute(tariff: Tariff, site: Site, days: Period, longest_call_minutes: int) -> Money | None:
    """The least that a payer pays for a minute of a full call that may stay in the state, on any of the days.

    It is capped, and without what the agency pays. Taxes are left out, and the lowest cap and the highest share of all
    days count, so that a plan never seems to pay earlier than it does. None where the tariff has no such price.
    """
    rows = {(row.timetable, kind): row for row, kind in tariff.rows_in_state(site.state)}
    prices = [
        lawful_price(row, site, kind, days, taxes=(), share=highest_share(site, days, kind))
        for (_, kind), row in rows.items()
    ]
    return min((_least(price, longest_call_minutes) for price in prices), default=None)


def lowest_cap_in_state(site: Site, days: Period) -> Cap | None:
    """The lowest cap on calls inside the state on any of the days; None where none is known."""
    caps = [found for kind in IN_STATE if (found := lowest_cap(site, kind, days)) is not None]
    return min(caps, key=lambda each: each.per_minute, default=None)


def _least(price: Price, longest_call_minutes: int) -> Money:
    most = [rate.max_cost for rate in price.timetable.rates if rate.max_cost_then == "free"]
    full_calls = [each // longest_call_minutes for each in most if each is not None]
    return Money(min([cheapest_minute(price.timetable), *full_calls]) * (100 - price.agency_percent) // 100)
