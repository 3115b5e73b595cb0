"""What a tariff asks, and what of it may be charged on a day: capped, without fees, taxed, shared with the agency."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.call_type import CallType
from rating.dated_table import Period
from rating.free_by_law import agency_share
from rating.lawful import breaches, lawful_price
from rating.money import Money
from rating.price import Price, Tax, charge, longest_talk_ms, price_from_text
from rating.prices import Tariff, tariff_at
from rating.site import FacilityKind, Operator, Site
from rating.tariff import simple_rate
from rating.tariff_file import parse_tariff
from rating.timetable import always

JAIL = Site("IL", FacilityKind.JAIL, Operator.COUNTY, 240)  # 100 to 349 people: .13 a minute from 2026-04-06
AFTER, BEFORE = (
    date(2026, 4, 6),
    date(2026, 4, 5),
)  # the 2021 cap for jails below 1,000 was .21, interstate only
NOON = datetime(2026, 4, 6, 17, tzinfo=UTC)
CALLED, BAHAMAS = "+13125550101", "+12425550101"


def tariff(
    per_minute: str = "0.15", fields: str = "", valid_from: str = "2026-01-01", more: str = ""
) -> Tariff:
    """A tariff with one price for calls inside the country, and one for the Bahamas."""
    text = f"""
        id = "test"
        valid_from = {valid_from}
        currency = "USD"
        rate = [{{ name = "minute", per_minute = "{per_minute}"{fields} }}]
        zone = [{{ name = "Bahamas", prefixes = ["1242"]{more} }}]
        [[price]]
        rate = "minute"
        call_types = ["local", "intrastate", "interstate", "international"]
        [[price]]
        rate = "minute"
        zone = "Bahamas"
    """
    return tariff_at(parse_tariff(text, "test"), ZoneInfo("America/Chicago"))


def minute(asked: Tariff, number: str, call_type: CallType, on: date, site: Site = JAIL) -> Money:
    """What the first minute costs the payer."""
    row = asked.price_of(number, call_type)
    assert row is not None
    share = agency_share(site, on, call_type)
    price = lawful_price(row, site, call_type, Period(on, on), taxes=(), share=share)
    return charge(price, NOON, 60_000).due


def cost(asked: Tariff, days: Period, talk_ms: int) -> Money:
    """What a talk from the jail to another state costs."""
    row = asked.price_of(CALLED, CallType.INTERSTATE)
    assert row is not None
    price = lawful_price(row, JAIL, CallType.INTERSTATE, days, taxes=(), share=None)
    return charge(price, NOON, talk_ms).due


def test_a_call_is_charged_the_lower_of_tariff_and_cap() -> None:
    assert minute(tariff("0.15"), CALLED, CallType.INTERSTATE, BEFORE) == 150_000
    assert minute(tariff("0.15"), CALLED, CallType.INTERSTATE, AFTER) == 130_000
    assert minute(tariff("0.12"), CALLED, CallType.INTERSTATE, AFTER) == 120_000


def test_before_the_cap_on_calls_inside_a_state_there_was_none() -> None:
    assert minute(tariff("0.90"), CALLED, CallType.INTRASTATE, BEFORE) == 900_000
    assert minute(tariff("0.90"), CALLED, CallType.INTRASTATE, AFTER) == 130_000


def test_an_international_call_may_cost_the_termination_more() -> None:
    asked = tariff("0.50", more=', termination = "0.04"')
    assert minute(asked, BAHAMAS, CallType.INTERNATIONAL, AFTER) == 170_000
    assert minute(tariff("0.50"), BAHAMAS, CallType.INTERNATIONAL, AFTER) == 130_000


def test_no_fee_is_charged_while_the_ban_stands() -> None:
    asked = tariff("0.10", fields=', connect_fee = "0.25", minimum = "0.50"')
    assert minute(asked, CALLED, CallType.INTERSTATE, date(2024, 11, 18)) == 500_000
    assert minute(asked, CALLED, CallType.INTERSTATE, date(2024, 11, 19)) == 100_000


def test_a_long_increment_is_told_and_charged_by_the_minute() -> None:
    asked = tariff("0.13", fields=", first_seconds = 900, next_seconds = 90")
    (told,) = [each for each in breaches(asked, JAIL) if each.rule == "fcc-2021-jail-0-999"]
    assert str(told) == (
        "From 2026-01-01 a call may cost no more than the minutes that it has begun (47 CFR 64.6030; "
        "fcc-2021-jail-0-999), but the tariff charges 900 s at a time."
    )
    assert cost(asked, Period(AFTER, AFTER), 20_000) == 130_000
    assert cost(asked, Period(AFTER, AFTER), 61_000) == 260_000
    assert cost(asked, Period(AFTER, AFTER), 901_000) == 15 * 130_000 + 97_500  # half of 90 s at a time
    free_to_ask = Period(date(2020, 1, 1), date(2020, 1, 1))  # nothing is known to hold
    assert cost(asked, free_to_ask, 20_000) == 15 * 130_000


@pytest.mark.parametrize("method", ["up", "middle"])
def test_a_rounding_that_adds_more_than_a_cent_is_told_and_goes_down(method: str) -> None:
    for decimals in (0, 1):
        asked = tariff("0.13", fields=f', rounding = "{method}", decimals = {decimals}')
        told = [str(each) for each in breaches(asked, JAIL)]
        assert any(f'rounds "{method}" to {decimals} decimals.' in each for each in told)
        assert cost(asked, Period(AFTER, AFTER), 20_000) == (0 if decimals == 0 else 100_000)


@pytest.mark.parametrize(
    "fields", [', rounding = "up", decimals = 2', ", decimals = 0", ", first_seconds = 60"]
)
def test_what_adds_a_cent_or_a_started_minute_at_most_is_lawful(fields: str) -> None:
    assert breaches(tariff("0.13", fields=fields), JAIL) == []


def test_while_only_the_ban_of_fees_holds_no_flat_fee_is_lawful_either() -> None:
    row = tariff("0.13", fields=", first_seconds = 900", valid_from="2024-11-19")
    assert minute(row, CALLED, CallType.LOCAL, date(2024, 11, 18)) == 15 * 130_000
    assert minute(row, CALLED, CallType.LOCAL, date(2024, 11, 19)) == 130_000
    assert any("fcc-no-per-call-fee" in str(each) for each in breaches(row, JAIL))


def test_the_lowest_cap_of_the_days_that_a_talk_can_touch_holds() -> None:
    asked = tariff("0.15")
    assert cost(asked, Period(BEFORE, BEFORE), 60_000) == 150_000
    assert cost(asked, Period(BEFORE, AFTER), 60_000) == 130_000


def test_a_minimum_is_told_by_its_name() -> None:
    told = [str(each) for each in breaches(tariff("0.06", fields=', minimum = "0.25"'), JAIL)]
    assert len(told) == 1
    assert "From 2026-01-01 no minimum price of a call is allowed" in told[0]
    assert told[0].endswith("but the tariff asks 0.25 at least.")


def test_a_tariff_within_all_caps_is_lawful() -> None:
    assert breaches(tariff("0.13"), JAIL) == []


def test_a_tariff_above_a_cap_of_any_day_of_its_life_is_told_with_rule_cap_and_day() -> None:
    (breach, *others) = breaches(tariff("0.14"), JAIL)
    assert breach.since == AFTER
    assert "0.13 " in str(breach)
    assert "0.14" in str(breach)
    assert "2026-04-06" in str(breach)
    assert all(each.since == AFTER for each in others)


def test_a_larger_jail_has_a_lower_cap_and_one_of_unknown_size_the_lowest() -> None:
    for population, lawful in ((240, "0.13"), (600, "0.12"), (1_000, "0.10"), (None, "0.10"), (49, "0.19")):
        site = Site("IL", FacilityKind.JAIL, Operator.COUNTY, population)
        assert breaches(tariff(lawful), site) == []
        assert breaches(tariff(f"{lawful}1"), site)


def test_a_connection_fee_is_told() -> None:
    told = breaches(tariff("0.06", fields=', connect_fee = "0.25"'), JAIL)
    assert any("64.6080" in str(each) and "0.25" in str(each) for each in told)


@pytest.mark.parametrize(
    ("on", "payer"),
    [
        (date(2023, 8, 31), 100),
        (date(2023, 9, 1), 75),
        (date(2024, 7, 1), 65),
        (date(2025, 7, 1), 25),
        (date(2026, 7, 1), 0),
    ],
)
def test_colorados_prisons_share_each_call_with_its_payer(on: date, payer: int) -> None:
    prison = Site("CO", FacilityKind.PRISON, Operator.STATE)
    assert minute(tariff("0.08"), CALLED, CallType.INTERSTATE, on, prison) == 800 * payer


@given(
    percent=st.integers(0, 100),
    per_minute=st.integers(0, 1_000_000).map(Money),
    talk_ms=st.integers(0, 3_600_000),
    tax=st.integers(0, 30),
)
def test_the_parts_of_agency_and_payer_sum_to_the_whole(
    percent: int, per_minute: Money, talk_ms: int, tax: int
) -> None:
    price = Price(always(simple_rate(per_minute, 60, 1)), (Tax("state", percent=tax),), percent)  # type: ignore[arg-type]
    charged = charge(price, NOON, talk_ms)
    assert charged.due + charged.agency == charged.total
    assert charged.due * 100 <= charged.total * (100 - percent)
    assert charged.due >= 0
    assert charge(price_from_text(price.to_text()), NOON, talk_ms) == charged


def test_what_the_agency_pays_is_not_asked_of_the_payers_balance() -> None:
    half = Price(always(simple_rate(Money(60_000), 60, 60)), agency_percent=50)
    assert longest_talk_ms(half, NOON, Money(60_000), 3_600_000) == 120_000
    assert longest_talk_ms(Price(half.timetable, agency_percent=100), NOON, Money(0), 3_600_000) == 3_600_000


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_share_that_is_none_is_refused(percent: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 100 percent"):
        Price(always(simple_rate(Money(1))), agency_percent=percent)
