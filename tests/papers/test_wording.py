from datetime import UTC, date, datetime
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from ivr.papers.paper import Paper
from ivr.papers.pdf import as_pdf
from ivr.papers.statement import what_it_is
from ivr.papers.terms import sentences
from ivr.papers.wording import day, in_cells, length, length_in_cells, moment, money, offset, words, zone_name


def test_every_word_is_there_in_both_languages() -> None:
    assert {id_: set(each) for id_, each in words().items() if set(each) != {"en", "es"}} == {}


def test_every_term_of_a_plan_is_told_in_both_languages_with_the_same_figures() -> None:
    told = {
        id_: {
            language: sorted(part[1] or "" for part in Formatter().parse(text))
            for language, text in term.items()
        }
        for id_, term in sentences().items()
    }
    assert {
        id_: each for id_, each in told.items() if set(each) != {"en", "es"} or each["en"] != each["es"]
    } == {}


@pytest.mark.parametrize(
    ("micros", "told"),
    [(0, "$0.00"), (1_234_560_000, "$1,234.56"), (-5_000_000, "-$5.00"), (12_345, "$0.012345"), (None, "")],
)
def test_money_is_told_exactly(micros: int | None, told: str) -> None:
    assert money(micros, "en") == told


def test_dates_are_written_as_the_language_writes_them() -> None:
    assert day(date(2026, 11, 3), "en") == "Nov 3, 2026"
    assert day(date(2026, 11, 3), "es") == "3 nov 2026"
    at = datetime(2026, 11, 3, 18, 5, tzinfo=UTC)
    assert (moment(at, "en"), moment(at, "es")) == ("Nov 3, 2026 18:05", "3 nov 2026 18:05")


def test_a_spreadsheet_gets_plain_figures() -> None:
    assert [in_cells(each) for each in (-90_000, 1_234_560_000, 12_345, None)] == [
        *("-0.09", "1234.56", "0.012345", ""),
    ]
    assert [length_in_cells(each) for each in (90_000, 3_661_999, None)] == ["0:01:30", "1:01:01", ""]


def test_a_time_zone_is_named_and_the_hour_that_comes_twice_told_apart() -> None:
    chicago = ZoneInfo("America/Chicago")
    assert [zone_name(chicago, each) for each in ("en", "es")] == ["Central Time", "hora central"]
    assert zone_name(ZoneInfo("UTC"), "en") == "UTC"
    twice = [datetime(2026, 11, 1, hour, 30, tzinfo=UTC).astimezone(chicago) for hour in (6, 7)]
    assert [f"{each:%H:%M} {offset(each)}" for each in twice] == ["01:30 UTC-05:00", "01:30 UTC-06:00"]
    assert offset(datetime(2026, 11, 1, tzinfo=ZoneInfo("Asia/Kolkata"))) == "UTC+05:30"


def test_a_name_that_the_font_has_no_letters_for_is_printed_all_the_same() -> None:
    head = [("Holder", "Łukasz Čapek “Ana”")]
    paper = Paper("Statement", head, ("date",), ("Date",), [], [], "Nothing.", [])
    assert as_pdf(paper).startswith(b"%PDF-")


def test_a_started_second_is_not_told() -> None:
    assert (length(61_999), length(None)) == ("1:01", "")


@pytest.mark.parametrize(
    ("transfer_id", "comes_in", "word"),
    [
        ("call/0123/settlement", False, "call"),
        ("call/0123/given_back", True, "given_back"),
        ("deposit/7", True, "deposit"),
        ("payment/9", True, "deposit"),
        ("prepaid/jail/family/opening", True, "deposit"),
        ("refund/7", False, "refund"),
        ("subscription/jail/+12175550101/2026-11-01/price", False, "subscription"),
        ("subscription/jail/+12175550101/2026-11-01/refund", True, "subscription_refund"),
        ("direct/jail/office/limit/a1", True, "credit_limit"),
        ("collect/jail/+12175550101/limit", True, "credit_limit"),
        ("card/batch/07/value", True, "deposit"),
        ("transfer/jail/9", True, "deposit"),
        ("release/jail/9/1001", False, "refund"),
        ("unclaimed/prepaid/family/20260101", False, "unclaimed"),
        ("reclaimed/prepaid/family/20260101", True, "reclaimed"),
        ("adjust/3", True, "correction"),
        ("invoice/direct/jail/office/2026-11", True, "bill_paid"),
    ],
)
def test_each_movement_has_its_word(transfer_id: str, comes_in: bool, word: str) -> None:
    assert what_it_is(transfer_id, comes_in=comes_in) == word
    assert word in words()
