from datetime import date
from fractions import Fraction

import pytest

from rating.call_type import CallType
from rating.dated_table import TableError
from rating.money import Money
from rating.price import Tax
from rating.taxes import TaxKind, parse, rows_due, taxes_due

TABLE = """
[[tax]]
name = "Federal fund"
state = "US"
percent = "34.4"
call_types = ["interstate", "international"]
kind = "authorized"
from = 2026-01-01
to = 2026-03-31
source = "made up"

[[tax]]
name = "State sales tax"
state = "MA"
percent = "6.25"
call_types = ["local", "intrastate"]
kind = "mandatory"
from = 2026-01-01
source = "made up"

[[tax]]
name = "County 911 fee"
state = "MA"
locality = "suffolk"
fixed = "0.10"
call_types = ["local"]
kind = "mandatory"
from = 2026-01-01
source = "made up"
"""
ONE = TABLE.split("[[tax]]")[2].join(["[[tax]]", ""])


@pytest.mark.parametrize(
    ("state", "localities", "call_type", "day", "expected"),
    [
        ("MA", [], CallType.LOCAL, "2026-01-01", ["State sales tax"]),
        ("MA", ["suffolk"], CallType.LOCAL, "2026-01-01", ["State sales tax", "County 911 fee"]),
        ("MA", ["essex"], CallType.LOCAL, "2026-01-01", ["State sales tax"]),
        ("MA", ["suffolk"], CallType.INTRASTATE, "2026-01-01", ["State sales tax"]),
        ("MA", [], CallType.LOCAL, "2025-12-31", []),
        ("NH", ["suffolk"], CallType.LOCAL, "2026-01-01", []),
        ("NH", [], CallType.INTERSTATE, "2025-12-31", []),
        ("NH", [], CallType.INTERSTATE, "2026-01-01", ["Federal fund"]),
        ("NH", [], CallType.INTERSTATE, "2026-03-31", ["Federal fund"]),
        ("NH", [], CallType.INTERSTATE, "2026-04-01", []),
        ("MA", [], CallType.TOLL_FREE, "2026-01-01", []),
    ],
)
def test_a_call_bears_the_taxes_of_its_place_type_and_day(
    state: str, localities: list[str], call_type: CallType, day: str, expected: list[str]
) -> None:
    rows, on = parse(TABLE, "taxes.toml"), date.fromisoformat(day)
    assert [tax.name for tax in taxes_due(rows, state, call_type, on, localities=localities)] == expected


def test_a_percentage_is_exact_and_an_amount_is_money() -> None:
    rows = parse(TABLE, "taxes.toml")
    assert taxes_due(rows, "MA", CallType.LOCAL, date(2026, 1, 1), localities=["suffolk"]) == [
        Tax("State sales tax", Fraction(25, 4), None),
        Tax("County 911 fee", None, Money(100_000)),
    ]


def test_each_tax_says_by_what_right_it_is_passed_on() -> None:
    rows = parse(TABLE, "taxes.toml")
    assert [row.kind for row in rows_due(rows, "NH", CallType.INTERSTATE, date(2026, 1, 1))] == [
        TaxKind.AUTHORIZED
    ]


def test_an_operator_without_taxes_has_none() -> None:
    assert parse("", "taxes.toml") == ()


@pytest.mark.parametrize(
    ("written", "instead", "complaint"),
    [
        ('percent = "6.25"', "", "percent: give either percent or fixed"),
        ('percent = "6.25"', 'percent = "6.25"\nfixed = "0.10"', "percent: give either percent or fixed"),
        ('percent = "6.25"', "percent = 6.25", "percent: must be a text"),
        ('"6.25"', '"6,25"', "percent: must be decimal text"),
        ('"6.25"', '"25/4"', "percent: must be decimal text"),
        ('"6.25"', '"1e1"', "percent: must be decimal text"),
        ('"6.25"', '"0"', "percent: must be decimal text"),
        ('"6.25"', '"100.01"', "percent: must be decimal text"),
        ('percent = "6.25"', 'fixed = "-0.10"', "fixed: must be more than nothing"),
        ('"MA"', '"Massachusetts"', "state: must be a state such as MA or US"),
        ('"mandatory"', '"markup"', "kind: must be one of mandatory, authorized"),
        ("from = 2026-01-01", "", "from: is missing"),
        ('source = "made up"', "", "source: is missing"),
        ('source = "made up"', 'source = "made up"\nmarkup = "1"', "markup: is no field of this table"),
    ],
)
def test_a_malformed_tax_is_refused_by_its_name_and_field(written: str, instead: str, complaint: str) -> None:
    with pytest.raises(TableError) as refused:
        parse(ONE.replace(written, instead), "taxes.toml")
    assert str(refused.value).startswith(f"taxes.toml: tax State sales tax: {complaint}")


def test_the_same_tax_twice_for_one_call_is_refused() -> None:
    with pytest.raises(TableError, match="tax State sales tax: from: overlaps another row of the same tax"):
        parse(ONE + ONE, "taxes.toml")
    ended = ONE.replace("2026-01-01", "2025-01-01\nto = 2025-12-31").replace("6.25", "5")
    assert len(parse(ended + ONE, "taxes.toml")) == 2
