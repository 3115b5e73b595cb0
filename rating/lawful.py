"""The price that a call may be charged: what the tariff asks, as the law of its days lets it be asked.

A call is charged the lower of tariff and cap, and never refused for it. Where a minute is capped or a fee for each
call is banned, a price is no flat fee under another name: no increment is longer than a minute, and rounding adds a
cent at most.
"""

from collections.abc import Collection, Iterator
from datetime import date

from rating.breach import Breach
from rating.call_type import CallType
from rating.cap_check import excess
from rating.caps import Ban, Cap, Forbidden, bans_between, caps_between, facility_class
from rating.dated_table import Period
from rating.free_by_law import Share, shares_between
from rating.money import Money
from rating.price import Price, Tax
from rating.prices import PriceRow, Tariff
from rating.site import Site
from rating.tariff import LONGEST_LAWFUL_S
from rating.timetable import Timetable


def lawful_price(
    row: PriceRow,
    site: Site,
    call_type: CallType,
    days: Period,
    *,
    taxes: Collection[Tax],
    share: Share | None,
) -> Price:
    """What a call of the type costs that can touch these local days: with its taxes and the agency's share.

    The row's prices hold, below the lowest cap of the days, and without fees if a ban holds on one of them.
    """
    timetable = row.timetable
    lowest, ban = lowest_cap(site, call_type, days, row.termination), _ban_of_fees(days)
    if lowest is not None:
        timetable = timetable.capped(lowest.per_minute)
    if ban is not None:
        timetable = timetable.without_fees()
    if lowest is not None or ban is not None:
        timetable = timetable.by_the_minute()
    return Price(timetable, tuple(taxes), share.percent if share else 0)


def lowest_cap(site: Site, call_type: CallType, days: Period, termination: Money | None = None) -> Cap | None:
    """The lowest cap on a minute of such calls from a facility on any of the days; None where none is known."""
    found = _caps(site, call_type, days, termination)
    return min((each for _, each in found), key=lambda each: each.per_minute, default=None)


def breaches(tariff: Tariff, site: Site, since: date | None = None) -> list[Breach]:
    """Every cap and ban that the tariff breaks at a facility, one for each sentence.

    On some day of its life, or of what is left of it from `since` on.
    """
    days = tariff.life_from(since)
    if days is None:
        return []
    found: dict[tuple[str, str], Breach] = {}
    for row, call_type in tariff.rows():
        rates = row.timetable.rates
        over = excess(
            site,
            {call_type: dearest_minute(row.timetable)},
            valid_from=days.since,
            valid_to=days.until,
            connect_fee=Money(max(rate.connect_fee for rate in rates)),
            minimum=Money(max(rate.minimum for rate in rates)),
            termination=row.termination,
        )
        for breach in (*over, *_flat_fees(row, site, call_type, days)):
            found.setdefault((breach.rule, breach.sentence), breach)
    return sorted(found.values(), key=lambda breach: (breach.since or days.since, breach.sentence))


def unbilled(unpriced: Collection[CallType], site: Site, days: Period) -> list[str]:
    """A sentence for each law by which unpriced calls are free on one of the days: they are made all the same."""
    types: dict[tuple[date, str], list[str]] = {}
    for call_type in unpriced:
        for day, share in shares_between(days, site, call_type):
            if share.is_free:
                types.setdefault((day, share.law), []).append(call_type.value.replace("_", "-"))
    return [
        f"From {day} calls are free by law ({law}), but {', '.join(kinds)} calls have no rate: nobody is billed."
        for (day, law), kinds in sorted(types.items())
    ]


def cheapest_minute(timetable: Timetable) -> Money:
    """The lowest price a minute of any step at any time."""
    return Money(min(step.price * 60 // step.per_s for rate in timetable.rates for step in rate.steps))


def dearest_minute(timetable: Timetable) -> Money:
    """The highest price a minute of any step at any time; part of a micro-unit counts as a whole one."""
    return Money(max(-(-step.price * 60 // step.per_s) for rate in timetable.rates for step in rate.steps))


def _flat_fees(row: PriceRow, site: Site, call_type: CallType, days: Period) -> Iterator[Breach]:
    """What makes a short call cost more than the minutes that it has begun, while a cap or the ban of fees holds."""
    rules = [(day, each.rule, each.section) for day, each in _caps(site, call_type, days, row.termination)]
    if (ban := _ban_of_fees(days)) is not None:
        rules.append((max(days.since, ban.period.since), ban.id, ban.section))
    if not rules:
        return
    day, rule, section = min(rules, key=lambda each: each[0])
    for rate in row.timetable.rates:
        longest_s = max(step.increment_s for step in rate.steps)
        if longest_s > LONGEST_LAWFUL_S:
            sentence = (
                f"From {day} a call may cost no more than the minutes that it has begun ({section}; {rule}), "
                f"but the tariff charges {longest_s} s at a time."
            )
            yield Breach(rule, sentence, day)
        if not rate.rounding.adds_a_cent_at_most:
            sentence = (
                f"From {day} rounding may add a cent to a call at most ({section}; {rule}), but the tariff rounds "
                f'"{rate.rounding.method}" to {rate.rounding.decimals} decimals.'
            )
            yield Breach(rule, sentence, day)


def _caps(site: Site, call_type: CallType, days: Period, termination: Money | None) -> list[tuple[date, Cap]]:
    site_class = facility_class(site.kind, site.average_daily_population)
    return caps_between(days.since, days.until, site_class, call_type, termination, state=site.state)


def _ban_of_fees(days: Period) -> Ban | None:
    bans = bans_between(days.since, days.until)
    return next((ban for _, ban in bans if ban.forbidden is Forbidden.PER_CALL_FEE), None)
