"""A tariff's prices against the caps and bans of its whole life, not only of its first day."""

from collections.abc import Iterator, Mapping
from datetime import date

from rating.breach import Breach
from rating.call_type import CallType
from rating.caps import CapTable, Forbidden, bans_between, caps_between, facility_class
from rating.dated_table import Period
from rating.money import ZERO, Money, format_money
from rating.site import Site

NO_FEES: Mapping[str, Money] = {}


def excess(
    site: Site,
    per_minute: Mapping[CallType, Money],
    *,
    valid_from: date,
    valid_to: date | None = None,
    connect_fee: Money = ZERO,
    minimum: Money = ZERO,
    fees: Mapping[str, Money] = NO_FEES,
    termination: Money | None = None,
    table: CapTable | None = None,
) -> list[Breach]:
    """Every rule that a tariff of the facility breaks on some day from `valid_from` to `valid_to`, both included.

    One breach for each price and rule, in order of the first day. Prices are a minute's, without taxes. `fees`
    are all other charges by their name ("paper statement"); none may be above nothing where ancillary fees are
    banned. `minimum` is what a call costs at least, which is a fee for each short call. `termination` is the average
    cost a minute of ending calls in the destination that the international price is for: a tariff with several
    destinations is checked once for each. A site whose population is not known is held to the lowest cap of its
    kind. Raises ValueError if `valid_to` is before `valid_from`, and for
    a negative termination.
    """
    life = Period(valid_from, valid_to)
    prices = _prices_over_caps(site, per_minute, life, termination, table)
    charges = _forbidden_charges(life, connect_fee, minimum, fees, table)
    return sorted([*prices, *charges], key=lambda breach: breach.since or valid_from)


def _prices_over_caps(
    site: Site,
    per_minute: Mapping[CallType, Money],
    life: Period,
    termination: Money | None,
    table: CapTable | None,
) -> Iterator[Breach]:
    site_class = facility_class(site.kind, site.average_daily_population)
    for call_type, price in per_minute.items():
        holding = caps_between(
            life.since, life.until, site_class, call_type, termination, state=site.state, table=table
        )
        for day, rule in holding:
            if price > rule.per_minute:
                sentence = (
                    f"From {day} a minute of {_spoken(call_type)} calls may cost at most "
                    f"{format_money(rule.per_minute)} ({rule.section}; {rule.rule})"
                    f"{_about_termination(call_type, termination)}, but the tariff asks {format_money(price)}."
                )
                yield Breach(rule.rule, sentence, day)


def _forbidden_charges(
    life: Period,
    connect_fee: Money,
    minimum: Money,
    fees: Mapping[str, Money],
    table: CapTable | None,
) -> Iterator[Breach]:
    for day, ban in bans_between(life.since, life.until, table=table):
        if ban.forbidden is Forbidden.PER_CALL_FEE:
            charges = [
                ("fee for each call", connect_fee, "a call"),
                ("minimum price of a call", minimum, "at least"),
            ]
        else:
            what = "fee beside the price of a minute"
            charges = [(what, amount, f"as {name}") for name, amount in fees.items()]
        for what, amount, how in charges:
            if amount > 0:
                asked = f"asks {format_money(amount)} {how}"
                yield Breach(
                    ban.id,
                    f"From {day} no {what} is allowed ({ban.section}; {ban.id}), but the tariff {asked}.",
                    day,
                )


def _spoken(call_type: CallType) -> str:
    return call_type.value.replace("_", "-")


def _about_termination(call_type: CallType, termination: Money | None) -> str:
    if call_type is not CallType.INTERNATIONAL:
        return ""
    if termination is None:
        return ", with no termination cost stated"
    return f", of which {format_money(termination)} for termination"
