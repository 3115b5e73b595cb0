"""By which price a plan is measured: the least that a payer may come to pay for a minute inside the state."""

from datetime import date

import pytest

from rating.dated_table import Period
from rating.money import Money
from rating.ordinary import lowest_cap_in_state, ordinary_minute
from rating.site import FacilityKind, Operator, Site
from tests.rating.test_lawful import AFTER, BEFORE, JAIL, tariff

PRISON = Site("CO", FacilityKind.PRISON, Operator.STATE)
SUMMER = Period(AFTER, date(2026, 6, 30))


@pytest.mark.parametrize(
    ("per_minute", "fields", "site", "days", "expected"),
    [
        ("0.06", "", JAIL, SUMMER, 60_000),
        ("0.50", "", JAIL, Period(BEFORE, BEFORE), 500_000),
        ("0.50", "", JAIL, Period(BEFORE, AFTER), 130_000),
        ("0.08", "", PRISON, SUMMER, 20_000),
        ("0.08", "", PRISON, Period(AFTER), 0),
        ("0.06", ', max_cost = "0.15", max_cost_then = "free"', JAIL, SUMMER, 10_000),
        ("0.06", ', max_cost = "0.15", max_cost_then = "disconnect"', JAIL, SUMMER, 60_000),
    ],
)
def test_the_ordinary_price_is_the_least_of_its_days(
    per_minute: str, fields: str, site: Site, days: Period, expected: int
) -> None:
    asked = tariff(per_minute, fields, valid_from="2020-01-01")
    assert ordinary_minute(asked, site, days, longest_call_minutes=15) == Money(expected)


def test_the_cap_of_a_plan_is_the_lowest_of_its_days() -> None:
    assert lowest_cap_in_state(JAIL, Period(BEFORE, BEFORE)) is None
    found = lowest_cap_in_state(JAIL, Period(BEFORE, AFTER))
    assert found is not None
    assert found.per_minute == 130_000
