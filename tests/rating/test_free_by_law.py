from datetime import date, timedelta

import pytest

from rating.call_type import CallType
from rating.dated_table import TableError
from rating.free_by_law import FreeByLaw, agency_share, parse, shipped
from rating.site import FacilityKind, Operator, Site

JAIL, PRISON, JUVENILE = FacilityKind.JAIL, FacilityKind.PRISON, FacilityKind.JUVENILE
STATE, COUNTY, CITY, FEDERAL = Operator.STATE, Operator.COUNTY, Operator.CITY, Operator.FEDERAL
DAY = timedelta(days=1)

#: Written by hand from the sources, not from the data: a figure that changes in one place only fails here.
EXPECTED = {
    "ma-2023": ("MA", {JAIL, PRISON, JUVENILE}, {STATE, COUNTY, CITY}, "2023-12-01", None, 100, False, None),
    "ct-2022": ("CT", {JAIL, PRISON, JUVENILE}, {STATE, COUNTY, CITY}, "2022-07-01", None, 100, None, 90),
    "ca-prison-2023": ("CA", {PRISON}, {STATE}, "2023-01-01", None, 100, None, None),
    "ca-juvenile-2023": ("CA", {JUVENILE}, {STATE, COUNTY, CITY}, "2023-01-01", None, 100, None, None),
    "mn-prison-2023": ("MN", {PRISON}, {STATE}, "2023-07-01", None, 100, None, None),
    "co-prison-2023": ("CO", {PRISON}, {STATE}, "2023-09-01", "2024-06-30", 25, None, None),
    "co-prison-2024": ("CO", {PRISON}, {STATE}, "2024-07-01", "2025-06-30", 35, None, None),
    "co-prison-2025": ("CO", {PRISON}, {STATE}, "2025-07-01", "2026-06-30", 75, None, None),
    "co-prison-2026": ("CO", {PRISON}, {STATE}, "2026-07-01", None, 100, None, None),
    "ny-prison-2025": ("NY", {PRISON}, {STATE}, "2025-08-01", None, 100, None, None),
}

#: The percentage the day before, on and after each first day; None where no law is known.
AROUND = [
    ("MA", JAIL, COUNTY, "2023-12-01", (None, 100, 100)),
    ("MA", PRISON, STATE, "2023-12-01", (None, 100, 100)),
    ("CT", PRISON, STATE, "2022-07-01", (None, 100, 100)),
    ("CT", JUVENILE, STATE, "2022-07-01", (None, 100, 100)),
    ("CA", PRISON, STATE, "2023-01-01", (None, 100, 100)),
    ("CA", JUVENILE, COUNTY, "2023-01-01", (None, 100, 100)),
    ("CA", JAIL, COUNTY, "2023-01-01", (None, None, None)),
    ("MN", PRISON, STATE, "2023-07-01", (None, 100, 100)),
    ("MN", JAIL, COUNTY, "2023-07-01", (None, None, None)),
    ("CO", PRISON, STATE, "2023-09-01", (None, 25, 25)),
    ("CO", PRISON, STATE, "2024-07-01", (25, 35, 35)),
    ("CO", PRISON, STATE, "2025-07-01", (35, 75, 75)),
    ("CO", PRISON, STATE, "2026-07-01", (75, 100, 100)),
    ("CO", JAIL, COUNTY, "2026-07-01", (None, None, None)),
    ("NY", PRISON, STATE, "2025-08-01", (None, 100, 100)),
    ("NY", JAIL, CITY, "2025-08-01", (None, None, None)),
    ("MA", PRISON, FEDERAL, "2023-12-01", (None, None, None)),
    ("TX", PRISON, STATE, "2026-07-01", (None, None, None)),
]

MADE_UP = """
[[free]]
id = "one"
state = "VT"
kinds = ["prison"]
operators = ["state"]
from = 2030-01-01
agency_percent = 100
call_types = ["local", "intrastate"]
law = "made up"
source = "made up"
"""


def percent(site: Site, on: date) -> int | None:
    share = agency_share(site, on)
    return share.percent if share else None


def sites(row: FreeByLaw) -> list[Site]:
    return [Site(row.state, kind, operator) for kind in row.kinds for operator in row.operators]


@pytest.mark.parametrize("row", shipped(), ids=lambda row: row.share.id)
def test_every_row_says_what_was_written_down_by_hand(row: FreeByLaw) -> None:
    share = row.share
    state, kinds, operators, first, last, percent, as_collect, minutes = EXPECTED[share.id]
    assert row.state == state
    assert row.kinds == kinds
    assert row.operators == operators
    assert share.period.since == date.fromisoformat(first)
    assert share.period.until == (date.fromisoformat(last) if last else None)
    assert (share.percent, share.offered_as_collect, share.minutes_a_day) == (percent, as_collect, minutes)
    assert share.call_types == set(CallType)


def test_no_row_is_missing_or_new() -> None:
    assert [row.share.id for row in shipped()] == list(EXPECTED)


@pytest.mark.parametrize("row", shipped(), ids=lambda row: row.share.id)
def test_every_row_begins_on_its_first_day_and_ends_after_its_last(row: FreeByLaw) -> None:
    first, last = row.share.period.since, row.share.period.until
    for site in sites(row):
        assert agency_share(site, first - DAY) != row.share
        assert agency_share(site, first) == row.share
        assert agency_share(site, first + DAY) == row.share
        if last:
            assert agency_share(site, last - DAY) == row.share
            assert agency_share(site, last) == row.share
            assert agency_share(site, last + DAY) != row.share


@pytest.mark.parametrize(("state", "kind", "operator", "day", "expected"), AROUND)
def test_what_the_agency_pays_the_day_before_the_day_and_the_day_after(
    state: str, kind: FacilityKind, operator: Operator, day: str, expected: tuple[int | None, ...]
) -> None:
    site, on = Site(state, kind, operator), date.fromisoformat(day)
    assert (percent(site, on - DAY), percent(site, on), percent(site, on + DAY)) == expected


@pytest.mark.parametrize("call_type", CallType)
def test_every_type_of_call_from_massachusetts_is_free_international_ones_too(call_type: CallType) -> None:
    share = agency_share(Site("MA", JAIL, COUNTY), date(2026, 1, 1), call_type)
    assert share is not None
    assert share.is_free
    assert share.offered_as_collect is False


def test_a_row_for_some_types_of_call_does_not_hold_for_others() -> None:
    rows, site = parse(MADE_UP, "made up"), Site("VT", PRISON, STATE)
    assert agency_share(site, date(2030, 1, 1), CallType.LOCAL, rows=rows)
    assert agency_share(site, date(2030, 1, 1), rows=rows)
    assert agency_share(site, date(2030, 1, 1), CallType.INTERNATIONAL, rows=rows) is None


def test_connecticut_promises_ninety_minutes_a_day() -> None:
    share = agency_share(Site("CT", PRISON, STATE), date(2026, 1, 1))
    assert share is not None
    assert share.minutes_a_day == 90


def test_every_row_has_a_source_and_a_law_and_doubts_are_text() -> None:
    for row in shipped():
        assert row.share.source.strip()
        assert row.share.law.strip()
        assert row.share.doubt is None or row.share.doubt.strip()


def test_colorados_last_steps_carry_the_doubt_about_the_bill() -> None:
    doubts = {row.share.id: row.share.doubt or "" for row in shipped()}
    assert "SB25-208" in doubts["co-prison-2025"]
    assert "SB25-208" in doubts["co-prison-2026"]


def test_no_two_rows_hold_for_the_same_call_on_the_same_day() -> None:
    rows = shipped()
    assert not [(a.share.id, b.share.id) for a in rows for b in rows if a is not b and a.clashes(b)]


@pytest.mark.parametrize(
    ("written", "instead", "complaint"),
    [
        ('state = "VT"', 'state = "Vermont"', "state: must be a state such as MA"),
        ('state = "VT"', 'state = "ZZ"', "state: must be a state such as MA"),
        ('["prison"]', '["castle"]', "kinds: must be one of jail, prison, juvenile, not 'castle'"),
        ('["prison"]', '"prison"', "kinds: must be a list"),
        ('["prison"]', "[]", "kinds: must be a list"),
        ('["state"]', '["state", "state"]', "operators: names something twice"),
        ('["state"]', "[1]", "operators: must be one of"),
        ("from = 2030-01-01", "", "from: is missing"),
        ("from = 2030-01-01", "from = 2030-01-01T00:00:00", "from: must be a day"),
        ("from = 2030-01-01", 'from = "2030-01-01"', "from: must be a day"),
        ("from = 2030-01-01", "from = 2030-01-01\nto = 2029-12-31", "to: 2029-12-31 is before 2030-01-01"),
        ("= 100", "= 0", "agency_percent: must be a whole number from 1 to 100, not 0"),
        ("= 100", "= 100.0", "agency_percent: must be a whole number"),
        ("= 100", "= true", "agency_percent: must be a whole number"),
        ("= 100", "= 100\nminutes_a_day = 1441", "minutes_a_day: must be a whole number from 1 to 1440"),
        ("= 100", '= 100\noffered_as_collect = "no"', "offered_as_collect: must be true or false"),
        ('law = "made up"', "law = 87", "law: must be a text"),
        ('source = "made up"', 'source = " "', "source: must be a text"),
        ('source = "made up"', 'source = "made up"\ndoubt = true', "doubt: must be a text"),
        ('source = "made up"', 'source = "made up"\nuntil = 2031-01-01', "until: is no field of this table"),
    ],
)
def test_a_malformed_row_is_refused_by_its_name_and_field(written: str, instead: str, complaint: str) -> None:
    with pytest.raises(TableError) as refused:
        parse(MADE_UP.replace(written, instead), "made-up.toml")
    assert str(refused.value).startswith("made-up.toml: free one: ")
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[free]", "made-up.toml: not TOML"),
        ("[[fee]]", "made-up.toml: fee: is no table of this file"),
        ("free = 1", "made-up.toml: free: must be written as rows"),
        ("free = [1]", "made-up.toml: free row 1: must be written under"),
        ("[[free]]", "made-up.toml: free row 1: id: is missing"),
        (MADE_UP + MADE_UP, "made-up.toml: free one: id: there are two such rows"),
        (MADE_UP + MADE_UP.replace("one", "two"), "made-up.toml: free two: from: overlaps one"),
    ],
)
def test_a_malformed_file_is_refused_by_its_name(text: str, complaint: str) -> None:
    with pytest.raises(TableError) as refused:
        parse(text, "made-up.toml")
    assert str(refused.value).startswith(complaint)


def test_rows_that_follow_each_other_or_differ_in_scope_do_not_overlap() -> None:
    ended = MADE_UP.replace("2030-01-01", "2029-01-01\nto = 2029-12-31").replace("one", "before")
    elsewhere = MADE_UP.replace("prison", "jail").replace("one", "jails")
    assert len(parse(MADE_UP + ended + elsewhere, "made up")) == 3


@pytest.mark.parametrize("state", ["US-MA", "ma", "Massachusetts", "", "ZZ"])
def test_a_site_names_its_state_by_two_letters(state: str) -> None:
    with pytest.raises(ValueError, match="write it like MA"):
        Site(state, JAIL, COUNTY)
