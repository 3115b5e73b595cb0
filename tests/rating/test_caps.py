from datetime import date, timedelta
from fractions import Fraction

import pytest

from rating.call_type import CallType
from rating.caps import (
    Ban,
    CapRow,
    FacilityClass,
    Forbidden,
    Status,
    bans_between,
    cap,
    caps_between,
    facility_class,
    parse,
    shipped,
)
from rating.dated_table import TableError
from rating.money import Money, parse_money
from rating.site import FacilityKind, Site
from rating.site import Operator as Of

DAY = timedelta(days=1)
PRISON, J1000, J350 = FacilityClass.PRISON, FacilityClass.JAIL_1000, FacilityClass.JAIL_350_999
J100, J50, J0 = FacilityClass.JAIL_100_349, FacilityClass.JAIL_50_99, FacilityClass.JAIL_0_49
DOMESTIC = {CallType.LOCAL, CallType.INTRASTATE, CallType.INTERSTATE, CallType.TOLL_FREE}
ALL, BETWEEN_STATES = set(CallType), {CallType.INTERSTATE, CallType.INTERNATIONAL, CallType.TOLL_FREE}

#: Written by hand from the sources, not from the data: classes, cap, additive in it, first day, last day, in force.
EXPECTED: dict[str, tuple[set[FacilityClass], str, str, str, str | None, bool]] = {
    "fcc-2021-prison": ({PRISON}, "0.14", "0", "2021-10-26", "2026-04-05", True),
    "fcc-2021-jail-1000": ({J1000}, "0.16", "0", "2021-10-26", "2026-04-05", True),
    "fcc-2021-jail-0-999": ({J350, J100, J50, J0}, "0.21", "0", "2021-10-26", "2026-04-05", True),
    "fcc-2024-prison": ({PRISON}, "0.06", "0", "2024-11-19", "2026-04-05", False),
    "fcc-2024-jail-1000": ({J1000}, "0.06", "0", "2024-11-19", "2026-04-05", False),
    "fcc-2024-jail-350-999": ({J350}, "0.07", "0", "2024-11-19", "2026-04-05", False),
    "fcc-2024-jail-100-349": ({J100}, "0.09", "0", "2024-11-19", "2026-04-05", False),
    "fcc-2024-jail-0-99": ({J50, J0}, "0.12", "0", "2024-11-19", "2026-04-05", False),
    "fcc-2025-prison": ({PRISON}, "0.11", "0.02", "2026-04-06", None, True),
    "fcc-2025-jail-1000": ({J1000}, "0.10", "0.02", "2026-04-06", None, True),
    "fcc-2025-jail-350-999": ({J350}, "0.12", "0.02", "2026-04-06", None, True),
    "fcc-2025-jail-100-349": ({J100}, "0.13", "0.02", "2026-04-06", None, True),
    "fcc-2025-jail-50-99": ({J50}, "0.15", "0.02", "2026-04-06", None, True),
    "fcc-2025-jail-0-49": ({J0}, "0.19", "0.02", "2026-04-06", None, True),
}
BANS = {
    "fcc-no-per-call-fee": (Forbidden.PER_CALL_FEE, "47 CFR 64.6080", "2024-11-19"),
    "fcc-no-ancillary-fee": (Forbidden.ANCILLARY_FEE, "47 CFR 64.6020", "2024-11-19"),
}

#: The cap of an interstate call the day before 2021-10-26, on it, the day before 2026-04-06, on it and after it.
INTERSTATE = {
    PRISON: (None, "0.14", "0.14", "0.11", "0.11"),
    J1000: (None, "0.16", "0.16", "0.10", "0.10"),
    J350: (None, "0.21", "0.21", "0.12", "0.12"),
    J100: (None, "0.21", "0.21", "0.13", "0.13"),
    J50: (None, "0.21", "0.21", "0.15", "0.15"),
    J0: (None, "0.21", "0.21", "0.19", "0.19"),
}
DAYS = ("2021-10-25", "2021-10-26", "2026-04-05", "2026-04-06", "2026-04-07")

STATE_ROW = """
[[cap]]
id = "vt-low"
jurisdiction = "VT"
status = "in_force"
classes = ["prison", "jail_1000"]
call_types = ["local", "intrastate"]
per_minute = "0.05"
from = 2026-06-01
to = 2026-06-30
section = "made up"
source = "made up"
"""
FEDERAL_ROW = STATE_ROW.replace("vt-low", "fed").replace('"VT"', '"federal"').replace("0.05", "0.08")


def dollars(site_class: FacilityClass, call_type: CallType | None, on: str) -> str | None:
    found = cap(site_class, call_type, date.fromisoformat(on))
    return f"{found.per_minute / 1_000_000:.2f}" if found else None


@pytest.mark.parametrize("row", shipped().caps, ids=lambda row: row.id)
def test_every_cap_says_what_was_written_down_by_hand(row: CapRow) -> None:
    classes, per_minute, additive, first, last, in_force = EXPECTED[row.id]
    assert row.jurisdiction == "federal"
    assert row.classes == classes
    assert (row.per_minute, row.additive) == (parse_money(per_minute), parse_money(additive))
    assert row.period.since == date.fromisoformat(first)
    assert row.period.until == (date.fromisoformat(last) if last else None)
    assert row.status is (Status.IN_FORCE if in_force else Status.NOT_IN_FORCE)
    assert row.call_types == (BETWEEN_STATES if row.id.startswith("fcc-2021") else ALL)


@pytest.mark.parametrize("ban", shipped().bans, ids=lambda ban: ban.id)
def test_every_ban_says_what_was_written_down_by_hand(ban: Ban) -> None:
    assert BANS[ban.id] == (ban.forbidden, ban.section, ban.period.since.isoformat())
    assert ban.period.until is None


def test_no_rule_is_missing_or_new() -> None:
    assert [row.id for row in shipped().caps] == list(EXPECTED)
    assert [ban.id for ban in shipped().bans] == list(BANS)


@pytest.mark.parametrize("row", shipped().caps, ids=lambda row: row.id)
def test_every_cap_begins_on_its_first_day_and_ends_after_its_last(row: CapRow) -> None:
    first, last = row.period.since, row.period.until
    around = {first - DAY: False, first: True, first + DAY: True}
    if last:
        around |= {last - DAY: True, last: True, last + DAY: False}
    for day, expected in around.items():
        for site_class in row.classes:
            for call_type in row.call_types:
                found = cap(site_class, call_type, day)
                holds = found is not None and found.rule == row.id
                assert holds is (expected and row.status is Status.IN_FORCE), (day, site_class, call_type)


@pytest.mark.parametrize("ban", shipped().bans, ids=lambda ban: ban.id)
def test_every_ban_begins_on_its_first_day(ban: Ban) -> None:
    first = ban.period.since
    assert ban not in [each for _, each in bans_between(first - DAY, first - DAY)]
    assert (first, ban) in bans_between(first, first)
    assert (first, ban) in bans_between(first - DAY, None)
    assert (first + DAY, ban) in bans_between(first + DAY, first + DAY)


@pytest.mark.parametrize("site_class", FacilityClass)
def test_the_cap_of_an_interstate_call_around_each_change(site_class: FacilityClass) -> None:
    assert tuple(dollars(site_class, CallType.INTERSTATE, day) for day in DAYS) == INTERSTATE[site_class]
    assert tuple(dollars(site_class, None, day) for day in DAYS) == INTERSTATE[site_class]


@pytest.mark.parametrize("site_class", FacilityClass)
@pytest.mark.parametrize("call_type", [CallType.LOCAL, CallType.INTRASTATE])
def test_calls_within_a_state_have_no_federal_cap_before_2026(
    site_class: FacilityClass, call_type: CallType
) -> None:
    found = tuple(dollars(site_class, call_type, day) for day in DAYS)
    assert found == (None, None, None, *INTERSTATE[site_class][3:])


def test_an_international_call_may_cost_its_termination_more() -> None:
    found = cap(PRISON, CallType.INTERNATIONAL, date(2026, 5, 1), Money(45_500))
    assert found is not None
    assert found.per_minute == 155_500
    without = cap(PRISON, CallType.INTERNATIONAL, date(2026, 5, 1))
    assert without is not None
    assert without.per_minute == 110_000


@pytest.mark.parametrize("call_type", [*sorted(DOMESTIC), None])
def test_a_termination_adds_nothing_to_a_domestic_call(call_type: CallType | None) -> None:
    found = cap(PRISON, call_type, date(2026, 5, 1), Money(45_500))
    assert found is not None
    assert found.per_minute == 110_000


def test_a_termination_is_never_negative() -> None:
    with pytest.raises(ValueError, match="never costs less than nothing"):
        cap(PRISON, CallType.INTERNATIONAL, date(2026, 5, 1), Money(-1))


@pytest.mark.parametrize(
    ("population", "expected"),
    [
        *[(5000, J1000), (1000, J1000), (999, J350), (350, J350), (349, J100), (100, J100), (99, J50)],
        *[(50, J50), (49, J0), (1, J0), (0, J0), (None, J1000)],
        *[(Fraction(1999, 2), J350), (Fraction(99, 2), J0), (Fraction(699, 2), J100)],
    ],
)
def test_a_jails_class_is_its_average_daily_population(
    population: int | Fraction | None, expected: FacilityClass
) -> None:
    assert facility_class(FacilityKind.JAIL, population) is expected
    assert facility_class(FacilityKind.JUVENILE, population) is expected
    assert facility_class(FacilityKind.PRISON, population) is PRISON


def test_a_jail_of_unknown_population_has_the_lowest_cap_of_any_jail_on_every_day() -> None:
    unknown = facility_class(FacilityKind.JAIL, None)
    for day in map(date.fromisoformat, DAYS[1:]):
        caps = [cap(each, CallType.INTERSTATE, day) for each in FacilityClass if each is not PRISON]
        found = cap(unknown, CallType.INTERSTATE, day)
        assert found is not None
        assert found.per_minute == min(each.per_minute for each in caps if each)


def test_a_population_is_never_negative() -> None:
    with pytest.raises(ValueError, match="never negative"):
        facility_class(FacilityKind.JAIL, -1)
    with pytest.raises(ValueError, match="never negative"):
        Site("MA", FacilityKind.JAIL, Of.COUNTY, -1)


def test_a_tariff_that_outlives_a_cap_meets_the_next() -> None:
    found = caps_between(date(2021, 1, 1), None, J350, CallType.INTERSTATE)
    assert [(day.isoformat(), each.rule) for day, each in found] == [
        ("2021-10-26", "fcc-2021-jail-0-999"),
        ("2026-04-06", "fcc-2025-jail-350-999"),
    ]
    found = caps_between(date(2025, 1, 1), date(2026, 4, 5), J350, CallType.INTERSTATE)
    assert [(day.isoformat(), each.rule) for day, each in found] == [("2025-01-01", "fcc-2021-jail-0-999")]
    assert caps_between(date(2020, 1, 1), date(2021, 10, 25), J350, CallType.INTERSTATE) == []
    assert caps_between(date(2020, 1, 1), date(2026, 4, 5), J350, CallType.LOCAL) == []


def test_a_life_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="is before"):
        caps_between(date(2026, 1, 2), date(2026, 1, 1), J350, CallType.INTERSTATE)
    with pytest.raises(ValueError, match="is before"):
        bans_between(date(2026, 1, 2), date(2026, 1, 1))


@pytest.mark.parametrize(
    ("day", "state", "call_type", "expected"),
    [
        ("2026-05-31", "VT", CallType.LOCAL, None),
        ("2026-06-01", "VT", CallType.LOCAL, "vt-low"),
        ("2026-06-30", "VT", CallType.LOCAL, "vt-low"),
        ("2026-07-01", "VT", CallType.LOCAL, None),
        ("2026-06-01", "NH", CallType.LOCAL, "fed"),
        ("2026-06-01", None, CallType.LOCAL, "fed"),
        ("2026-06-01", "VT", CallType.INTERSTATE, None),
    ],
)
def test_a_states_lower_cap_holds_in_that_state_only(
    day: str, state: str | None, call_type: CallType, expected: str | None
) -> None:
    table = parse(STATE_ROW + FEDERAL_ROW, "made up")
    found = cap(PRISON, call_type, date.fromisoformat(day), state=state, table=table)
    assert (found.rule if found else None) == expected


def test_a_states_higher_cap_never_raises_the_federal_one() -> None:
    table = parse(STATE_ROW.replace("0.05", "0.30") + FEDERAL_ROW, "made up")
    found = cap(PRISON, CallType.LOCAL, date(2026, 6, 1), state="VT", table=table)
    assert found is not None
    assert found.rule == "fed"


def test_a_cap_that_returns_after_a_lower_one_appears_again() -> None:
    table = parse(
        STATE_ROW + FEDERAL_ROW.replace("2026-06-01", "2026-01-01").replace("2026-06-30", "2026-12-31"),
        "made up",
    )
    found = caps_between(date(2026, 1, 1), None, PRISON, CallType.LOCAL, state="VT", table=table)
    assert [(day.isoformat(), each.rule) for day, each in found] == [
        *[("2026-01-01", "fed"), ("2026-06-01", "vt-low"), ("2026-07-01", "fed")],
    ]


def test_every_rule_has_a_source_and_a_section_and_doubts_are_text() -> None:
    rules: list[CapRow | Ban] = [*shipped().caps, *shipped().bans]
    for rule in rules:
        assert rule.source.strip()
        assert rule.section.startswith("47 CFR 64.")
        assert rule.doubt is None or rule.doubt.strip()


def test_no_two_caps_hold_for_the_same_call_on_the_same_day() -> None:
    caps = shipped().caps
    assert not [(a.id, b.id) for a in caps for b in caps if a is not b and a.clashes(b)]


@pytest.mark.parametrize(
    ("written", "instead", "complaint"),
    [
        ('"VT"', '"Vermont"', "jurisdiction: must be a state such as MA or federal"),
        ('"VT"', '"US"', "jurisdiction: must be a state such as MA or federal"),
        ('"in_force"', '"waived"', "status: must be one of in_force, not_in_force"),
        ('"jail_1000"', '"jail_999"', "classes: must be one of prison, jail_1000"),
        ('"intrastate"', '"video"', "call_types: must be one of local"),
        ('"0.05"', "0.05", "per_minute: must be an amount in quotes"),
        ('"0.05"', '"5c"', "per_minute: not an amount of money"),
        ('"0.05"', '"0"', "per_minute: must be more than nothing"),
        ('"0.05"', '"0.05"\nadditive_included = "0.05"', "additive_included: must be less than per_minute"),
        ("to = 2026-06-30", "to = 2026-05-31", "to: 2026-05-31 is before 2026-06-01"),
        ('section = "made up"', "", "section: is missing"),
        ('section = "made up"', 'section = "made up"\nnote = ""', "note: is no field of this table"),
    ],
)
def test_a_malformed_cap_is_refused_by_its_name_and_field(written: str, instead: str, complaint: str) -> None:
    with pytest.raises(TableError) as refused:
        parse(STATE_ROW.replace(written, instead), "made-up.toml")
    assert str(refused.value).startswith(f"made-up.toml: cap vt-low: {complaint}")


def test_a_malformed_ban_is_refused_by_its_name_and_field() -> None:
    with pytest.raises(TableError, match=r"made-up.toml: ban no: forbidden: must be one of per_call_fee"):
        parse('[[ban]]\nid = "no"\nforbidden = "talk"', "made-up.toml")


def test_two_caps_of_one_jurisdiction_for_the_same_calls_are_refused() -> None:
    with pytest.raises(TableError, match="cap vt-2: from: overlaps vt-low for the same calls"):
        parse(STATE_ROW + STATE_ROW.replace("vt-low", "vt-2").replace("0.05", "0.04"), "made up")
