"""The price that a call may be charged: what the tariff asks, as the law of the day lets it be asked.

A call is charged the lower of tariff and cap, and never refused for it.
"""

from collections.abc import Collection
from datetime import date

from rating.breach import Breach
from rating.call_type import CallType
from rating.cap_check import excess
from rating.caps import Cap, Forbidden, bans_between, cap, facility_class
from rating.free_by_law import Share
from rating.money import Money
from rating.price import Price, Tax
from rating.prices import PriceRow, Tariff
from rating.site import Site
from rating.timetable import Timetable


def lawful_price(
    row: PriceRow, site: Site, call_type: CallType, on: date, *, taxes: Collection[Tax], share: Share | None
) -> Price:
    """What a call of the type costs on a local day: the row's prices, capped, with its taxes and the agency's share."""
    timetable = row.timetable
    held_by = cap_of(site, call_type, on, row.termination)
    if held_by is not None:
        timetable = timetable.capped(held_by.per_minute)
    if any(ban.forbidden is Forbidden.PER_CALL_FEE for _, ban in bans_between(on, on)):
        timetable = timetable.without_fees()
    return Price(timetable, tuple(taxes), share.percent if share else 0)


def cap_of(site: Site, call_type: CallType, on: date, termination: Money | None = None) -> Cap | None:
    """The cap on a minute of such calls from a facility on a day; None where none is known."""
    return cap(
        facility_class(site.kind, site.average_daily_population),
        call_type,
        on,
        termination,
        state=site.state,
    )


def breaches(tariff: Tariff, site: Site) -> list[Breach]:
    """Every cap and ban that the tariff breaks on some day of its life at a facility, one for each sentence."""
    found: dict[tuple[str, str], Breach] = {}
    for row, call_type in tariff.rows():
        for breach in excess(
            site,
            {call_type: dearest_minute(row.timetable)},
            valid_from=tariff.valid_from,
            valid_to=tariff.valid_to,
            connect_fee=Money(max(max(rate.connect_fee, rate.minimum) for rate in row.timetable.rates)),
            termination=row.termination,
        ):
            found.setdefault((breach.rule, breach.sentence), breach)
    return sorted(found.values(), key=lambda breach: (breach.since or tariff.valid_from, breach.sentence))


def cheapest_minute(timetable: Timetable) -> Money:
    """The lowest price a minute of any step at any time."""
    return Money(min(step.price * 60 // step.per_s for rate in timetable.rates for step in rate.steps))


def dearest_minute(timetable: Timetable) -> Money:
    """The highest price a minute of any step at any time; part of a micro-unit counts as a whole one."""
    return Money(max(-(-step.price * 60 // step.per_s) for rate in timetable.rates for step in rate.steps))
