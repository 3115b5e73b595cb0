from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.call_type import CallType
from rating.caps import Cap, FacilityClass, cap
from rating.money import ZERO, Money
from rating.plans import BreakEven, FacilityLimits, Plan, Quota, breaches, break_even

CENT = 10_000
TWENTY = Money(2000 * CENT)
RATE = Money(11 * CENT)
FIFTEEN = FacilityLimits(longest_call_minutes=15)


def the_cap() -> Cap:
    found = cap(FacilityClass.PRISON, CallType.INTRASTATE, date(2026, 5, 1))
    assert found is not None
    return found


def told(plan: Plan, facility: FacilityLimits = FIFTEEN, per_minute: Money = RATE) -> list[str]:
    return [str(each) for each in breaches(plan, per_minute=per_minute, cap=the_cap(), facility=facility)]


def test_a_plan_of_a_hundred_calls_for_twenty_dollars_keeps_every_rule() -> None:
    assert told(Plan(TWENTY, 100)) == []


@pytest.mark.parametrize(
    ("price", "rate", "longest", "expected"),
    [
        (2000, 11, 15, BreakEven(calls=13, minutes=182)),
        (1650, 11, 15, BreakEven(calls=10, minutes=150)),
        (1651, 11, 15, BreakEven(calls=11, minutes=151)),
        (0, 11, 15, BreakEven(calls=0, minutes=0)),
        (1, 11, 15, BreakEven(calls=1, minutes=1)),
    ],
)
def test_a_plan_breaks_even_where_the_minutes_would_have_cost_as_much(
    price: int, rate: int, longest: int, expected: BreakEven
) -> None:
    assert break_even(Plan(Money(price * CENT), 100), Money(rate * CENT), longest) == expected


@given(
    price=st.integers(0, 10**9),
    rate=st.integers(1, 10**6),
    longest=st.integers(1, 120),
    calls=st.integers(1, 500),
)
def test_breaking_even_is_the_least_use_that_pays(price: int, rate: int, longest: int, calls: int) -> None:
    found = break_even(Plan(Money(price), calls), Money(rate), longest)
    assert found.minutes * rate >= price > (found.minutes - 1) * rate
    assert found.calls * longest * rate >= price > (found.calls - 1) * longest * rate


def test_nothing_breaks_even_where_a_minute_costs_nothing_or_a_call_has_no_length() -> None:
    with pytest.raises(ValueError, match="never breaks even"):
        break_even(Plan(TWENTY, 100), ZERO, 15)
    with pytest.raises(ValueError, match="one minute at least"):
        break_even(Plan(TWENTY, 100), RATE, 0)
    assert told(Plan(TWENTY, 100), per_minute=ZERO) == [
        "Calls cost nothing by the minute, so the plan never pays (47 CFR 64.6140(b)(1))."
    ]
    assert told(Plan(ZERO, 100), per_minute=ZERO) == []


def test_a_plan_must_be_optional() -> None:
    assert told(Plan(TWENTY, 100, optional=False)) == [
        "A plan must be optional, but this one is not (47 CFR 64.6140(a)(2))."
    ]


@pytest.mark.parametrize(
    ("days", "lawful"),
    [(None, True), (1, True), (7, True), (28, True), (29, False), (31, False), (90, False)],
)
def test_a_period_lasts_a_month_at_most_even_in_february(days: int | None, lawful: bool) -> None:
    found = told(Plan(Money(50 * CENT), 100, period_days=days))
    assert found == (
        []
        if lawful
        else [
            f"A plan's period may be one month at most, but {days} days can be longer than February; take a "
            "calendar month, or 28 days at most (47 CFR 64.6140(a)(3))."
        ]
    )


def test_a_minute_of_the_plan_may_cost_no_more_than_the_cap() -> None:
    at_the_cap = Money(10 * 15 * 11 * CENT)
    assert told(Plan(at_the_cap, 10)) == []
    assert told(Plan(Money(at_the_cap + 1), 10))[0] == (
        "10 calls of 15 minutes may cost at most 16.50, 0.11 a minute (fcc-2025-prison), but the plan costs "
        "16.500001 (47 CFR 64.6140(b)(1))."
    )
    assert breaches(Plan(at_the_cap, 10), per_minute=RATE, cap=None, facility=FIFTEEN) == []


def test_a_minute_after_the_last_call_costs_no_more_than_usual() -> None:
    assert told(Plan(TWENTY, 100, overage_per_minute=RATE)) == []
    assert told(Plan(TWENTY, 100, overage_per_minute=Money(12 * CENT))) == [
        "After the plan's last call a minute may cost at most the ordinary 0.11, but 0.12 is asked "
        "(47 CFR 64.6140(b)(3))."
    ]


def test_a_plan_must_have_the_calls_from_which_it_pays() -> None:
    assert told(Plan(TWENTY, 13), per_minute=RATE) == []
    assert told(Plan(TWENTY, 13), per_minute=Money(10 * CENT)) == [
        "The plan pays only from 14 calls of 15 minutes, but it has 13 (47 CFR 64.6140(b)(1))."
    ]


@pytest.mark.parametrize(
    ("facility", "expected"),
    [
        (FacilityLimits(15, calls=Quota(a_day=1)), None),
        (FacilityLimits(15, calls=Quota(a_week=3)), "13 calls, but the facility allows 12 in"),
        (FacilityLimits(15, calls=Quota(a_day=1, a_month=12)), "13 calls, but the facility allows 12 in"),
        (FacilityLimits(15, calls=Quota(a_week=3)), "182 minutes, but the facility allows 180 in"),
        (FacilityLimits(15, minutes=Quota(a_month=300)), None),
        (FacilityLimits(15, minutes=Quota(a_day=6)), "182 minutes, but the facility allows 168 in"),
        (FacilityLimits(15, open_minutes_a_week=45), "182 minutes, but the facility allows 180 in"),
        (FacilityLimits(15, open_minutes_a_week=46), None),
    ],
)
def test_the_use_from_which_a_plan_pays_fits_the_facilitys_hours_and_quotas(
    facility: FacilityLimits, expected: str | None
) -> None:
    found = [each for each in told(Plan(TWENTY, 100), facility) if expected is None or expected in each]
    assert found == (
        []
        if expected is None
        else [f"The plan pays only from {expected} a period of 28 days (47 CFR 64.6140(a)(4))."]
    )


def test_a_short_period_has_its_part_of_the_facilitys_week() -> None:
    week = Plan(TWENTY, 100, period_days=7)
    assert told(week, FacilityLimits(15, open_minutes_a_week=182)) == []
    assert len(told(week, FacilityLimits(15, open_minutes_a_week=181))) == 1


@pytest.mark.parametrize(
    ("price", "calls", "days", "overage"),
    [(-1, 1, None, None), (1, 0, None, None), (1, 1, 0, None), (1, 1, None, Money(-1))],
)
def test_a_plan_that_offers_nothing_is_refused(
    price: int, calls: int, days: int | None, overage: Money | None
) -> None:
    with pytest.raises(ValueError, match=r"at least|never negative"):
        Plan(Money(price), calls, days, overage_per_minute=overage)


def test_a_facility_without_calls_is_refused() -> None:
    with pytest.raises(ValueError, match="one minute at least"):
        FacilityLimits(0)
