from datetime import date

import pytest

from rating.call_type import CallType
from rating.cap_check import excess
from rating.caps import parse
from rating.money import ZERO, Money
from rating.site import FacilityKind, Operator, Site

LARGE_JAIL = Site("IL", FacilityKind.JAIL, Operator.COUNTY, 1200)
CENT = 10_000


def cents(price: int) -> dict[CallType, Money]:
    return dict.fromkeys(CallType, Money(price * CENT))


def test_a_price_at_the_cap_is_lawful() -> None:
    assert excess(LARGE_JAIL, cents(10), valid_from=date(2026, 4, 6)) == []


def test_the_smallest_excess_is_a_breach_from_the_tariffs_first_day() -> None:
    price = {CallType.INTRASTATE: Money(10 * CENT + 1)}
    found = excess(LARGE_JAIL, price, valid_from=date(2026, 5, 1))
    assert [str(breach) for breach in found] == [
        "From 2026-05-01 a minute of intrastate calls may cost at most 0.10 (47 CFR 64.6010; "
        "fcc-2025-jail-1000), but the tariff asks 0.100001."
    ]
    assert [(breach.rule, breach.since) for breach in found] == [("fcc-2025-jail-1000", date(2026, 5, 1))]


def test_a_tariff_that_is_lawful_today_is_in_breach_when_the_next_cap_begins_within_its_life() -> None:
    price = {CallType.INTERSTATE: Money(16 * CENT)}
    assert excess(LARGE_JAIL, price, valid_from=date(2025, 1, 1), valid_to=date(2026, 4, 5)) == []
    found = excess(LARGE_JAIL, price, valid_from=date(2025, 1, 1), valid_to=date(2026, 4, 6))
    assert [breach.since for breach in found] == [date(2026, 4, 6)]
    assert excess(LARGE_JAIL, price, valid_from=date(2025, 1, 1)) == found


def test_each_rule_that_is_broken_is_named_in_order_of_its_first_day() -> None:
    found = excess(LARGE_JAIL, cents(17), valid_from=date(2021, 1, 1), termination=Money(1 * CENT))
    assert [(breach.since, breach.rule) for breach in found] == [
        *[(date(2021, 10, 26), "fcc-2021-jail-1000")] * 2,  # not the international calls: .16 and .01
        *[(date(2026, 4, 6), "fcc-2025-jail-1000")] * 5,
    ]


def test_nothing_is_known_before_the_first_cap() -> None:
    assert excess(LARGE_JAIL, cents(99), valid_from=date(2020, 1, 1), valid_to=date(2021, 10, 25)) == []


@pytest.mark.parametrize(
    ("termination", "told"),
    [
        (
            Money(4 * CENT),
            "at most 0.14 (47 CFR 64.6010; fcc-2025-jail-1000), of which 0.04 for termination,",
        ),
        (None, "at most 0.10 (47 CFR 64.6010; fcc-2025-jail-1000), with no termination cost stated,"),
    ],
)
def test_an_international_breach_says_what_the_termination_was_taken_to_cost(
    termination: Money | None, told: str
) -> None:
    price = {CallType.INTERNATIONAL: Money(15 * CENT)}
    found = excess(LARGE_JAIL, price, valid_from=date(2026, 5, 1), termination=termination)
    assert len(found) == 1
    assert told in found[0].sentence


def test_a_fee_for_each_call_is_forbidden_however_small() -> None:
    found = excess(LARGE_JAIL, {}, connect_fee=Money(1), valid_from=date(2024, 1, 1))
    assert [str(breach) for breach in found] == [
        "From 2024-11-19 no fee for each call is allowed (47 CFR 64.6080; fcc-no-per-call-fee), but the tariff "
        "asks 0.000001 a call."
    ]
    assert excess(
        LARGE_JAIL, {}, connect_fee=Money(1), valid_from=date(2024, 1, 1), valid_to=date(2024, 11, 18)
    ) == ([])


def test_every_ancillary_fee_is_forbidden_by_its_name() -> None:
    fees = {"paper statement": Money(2_000_000), "refund": Money(500_000), "web deposit": ZERO}
    found = excess(LARGE_JAIL, {}, fees=fees, valid_from=date(2026, 4, 6))
    assert [str(breach) for breach in found] == [
        "From 2026-04-06 no fee beside the price of a minute is allowed (47 CFR 64.6020; fcc-no-ancillary-fee), "
        f"but the tariff asks {asked}."
        for asked in ("2.00 as paper statement", "0.50 as refund")
    ]


def test_a_jail_of_unknown_population_is_held_to_the_lowest_cap() -> None:
    unknown = Site("IL", FacilityKind.JAIL, Operator.COUNTY)
    assert [breach.rule for breach in excess(unknown, cents(11), valid_from=date(2026, 5, 1))] == [
        "fcc-2025-jail-1000"
    ] * 5


def test_a_states_lower_cap_is_found_by_the_facilitys_state() -> None:
    table = parse(
        '[[cap]]\nid = "vt"\njurisdiction = "VT"\nstatus = "in_force"\nclasses = ["prison"]\n'
        'call_types = ["intrastate"]\nper_minute = "0.05"\nfrom = 2026-01-01\nsection = "1 V.S.A. 1"\n'
        'source = "made up"\n',
        "made up",
    )
    for state, rules in (("VT", ["vt"]), ("NH", [])):
        site = Site(state, FacilityKind.PRISON, Operator.STATE)
        found = excess(site, cents(6), valid_from=date(2026, 1, 1), table=table)
        assert [breach.rule for breach in found] == rules
