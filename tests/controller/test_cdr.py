"""Call-detail records are found by what somebody remembers of them, written for spreadsheets, and told as stories."""

import csv
import io
import json
from datetime import datetime

import pytest
from sqlalchemy import insert, text

from accounts.db import Database
from ivr import cdr
from ivr.records.listing import Wanted, page
from ivr.records.tables import complaint
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.database import only_sqlite
from tests.transcripts.play import World


def found(ivr: Ivr, *words: str) -> list[str]:
    """The ids of the calls that are listed."""
    said = ivr("cdr", *words, "--json")
    assert (said.status, said.err) == (0, "")
    return [json.loads(line)["call"] for line in said.out.splitlines()]


def test_records_are_listed_the_newest_first(ivr: Ivr, records: list[str]) -> None:
    prepaid, subscribed, refused, _ = records
    listed = ivr("cdr").out.splitlines()
    assert listed[0].split() == ["call", "keyed", "inmate", "number", "talk", "paid", "rec", "reason"]
    assert "number_blocked" in listed[1]
    assert "1 call" in listed[2]
    assert "$0.083" in listed[3]
    assert "1:23" in listed[3]
    assert len(ivr("cdr", "--most", "1").out.splitlines()) == 2
    assert found(ivr) == found(ivr, "list") == [refused, subscribed, prepaid]
    assert found(ivr, "--most", "2") == [refused, subscribed]


def test_a_call_is_told_as_a_story(ivr: Ivr, records: list[str]) -> None:
    prepaid, subscribed, refused, going_on = records
    told = ivr("cdr", prepaid.upper()).out
    lines = [line.rstrip().split(maxsplit=1) for line in told.splitlines()]
    assert ["12:00:00.000", "number keyed; spoken to in en"] in lines
    assert ["12:00:00.000", "accepted by key 1 after 0.0 s, in en"] in lines
    assert ["talk", "1:23 (83.000 s)"] in lines
    assert ["balance", "$5.00 before, $4.917 after"] in lines
    assert [line[0] for line in lines].count("ledger") == 2
    assert [line[0] for line in lines].count("seen") == 2
    for expected in ("inmate 1001, telephone demo-a1", "prepaid pays", "ended: completed", "$0.083 for 83 s"):
        assert expected in " ".join(told.split())
    assert "1 call, by subscription" in " ".join(ivr("cdr", subscribed).out.split())
    assert "ended: number_blocked" in ivr("cdr", "show", refused).out
    assert "in progress: accepted" in ivr("cdr", going_on).out
    fields = json.loads(ivr("cdr", subscribed, "--json").out)
    assert (fields["reason"], fields["calls_charged"], fields["balance_after"]) == (
        "completed",
        1,
        "56 calls",
    )


def test_the_beginning_of_an_id_is_enough_where_it_is_one(ivr: Ivr, records: list[str]) -> None:
    assert is_one_line(ivr("cdr", records[0][:8]), "more than one call begins with 00000000")
    assert ivr("cdr", records[0][:32]).status == 0
    assert is_one_line(ivr("cdr", "ffff"), "there is no call ffff")


def test_calls_are_found_by_all_that_is_remembered_of_them(
    ivr: Ivr, records: list[str], database: Database, world: World
) -> None:
    prepaid, subscribed, refused, _ = records
    said = {"call_id": subscribed, "note": "dropped", "author": "staff", "opened_at": world.at}
    database.transact_now(lambda conn: conn.execute(insert(complaint).values(said)))
    every = [refused, subscribed, prepaid]
    noon, later = map(datetime.fromisoformat, ("2026-11-23T12:00", "2026-11-23T12:02"))
    for wanted, expected in {
        Wanted(facility_id="example-county-jail"): every,
        Wanted(station_id="demo-a1"): every,
        Wanted(station_id="demo-a2"): [],
        Wanted(unit="unit-a"): every,
        Wanted(inmate_id="1001"): every,
        Wanted(inmate_id="1002"): [],
        Wanted(number="+12175550102"): [prepaid],
        Wanted(dialled="5"): [refused],
        Wanted(reason="completed"): [subscribed, prepaid],
        Wanted(reason="completed", payer="prepaid"): [prepaid],
        Wanted(begins=noon): every,
        Wanted(ends=noon): [],
        Wanted(begins=later): [refused, subscribed],
        Wanted(begins=noon, ends=later): [prepaid],
        Wanted(shortest_s=83): [subscribed, prepaid],
        Wanted(shortest_s=84): [],
        Wanted(longest_s=82): [refused],
        Wanted(longest_s=83): every,
        Wanted(recorded="no"): every,
        Wanted(recorded="yes"): [],
        Wanted(recorded="not_connected"): [refused],
        Wanted(flagged=True): [subscribed],
    }.items():
        assert (wanted, [row.id for row in database.read_now(page, wanted, 20)]) == (wanted, expected)
    assert "completed !" in ivr("cdr", "--flagged").out


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        (
            "--facility example-county-jail --unit unit-a --station demo-a1 --inmate 1001 --number 2175550102"
            " --day 2026-11-23 --talk-from 83 --talk-to 83 --reason completed --payer prepaid --recorded no",
            True,
        ),
        ("--number +12175550102 --from 2026-11-23T12:00 --to 2026-11-23T12:01", True),
        ("--to 2026-11-23 --number 2175550102", True),
        ("--to 2026-11-22", False),
        ("--from 2026-11-24", False),
    ],
)
def test_options_name_what_is_remembered(ivr: Ivr, records: list[str], words: str, holds: bool) -> None:
    assert found(ivr, *words.split()) == records[: 1 if holds else 0]


def test_a_spreadsheet_has_the_same_as_the_lines_of_json(ivr: Ivr, records: list[str]) -> None:
    written = list(csv.DictReader(io.StringIO(ivr("cdr", "--csv").out)))
    lines = [json.loads(line) for line in ivr("cdr", "--json").out.splitlines()]
    assert [tuple(row) for row in written] == [cdr.COLUMNS] * 3
    assert written == [
        {name: "" if value is None else str(value) for name, value in line.items()} for line in lines
    ]
    assert (lines[2]["charge"], lines[2]["talk_seconds"], lines[2]["recorded"]) == ("0.083", "83.000", "no")
    assert lines[2]["keyed_at"] == "2026-11-23T12:00:00.000-06:00"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--facility nowhere", "there is no facility nowhere"),
        ("--unit nowhere", "there is no unit nowhere"),
        ("--station demo-z9", "there is no station demo-z9"),
        ("--inmate 7777", "there is no inmate 7777"),
    ],
)
def test_who_is_not_there_is_told_in_a_line(
    ivr: Ivr, on_database: str, world: World, words: str, expected: str
) -> None:
    assert is_one_line(ivr("cdr", *words.split()), expected)


@pytest.mark.parametrize(
    "words", ["--reason gone", "--payer bank", "--recorded maybe", "--day 2026-11-23 --to 2026-11-24"]
)
def test_a_word_that_records_do_not_have_is_refused(ivr: Ivr, words: str) -> None:
    said = ivr("cdr", *words.split())
    assert (said.status, said.out) == (2, "")


def test_pages_go_on_where_the_last_ended_also_within_one_instant(
    ivr: Ivr, records: list[str], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivr.cli.cdr.PAGE", 1)
    assert len(found(ivr)) == 3
    rows = database.read_now(page, Wanted(), 3)
    assert sorted(found(ivr)) == sorted(row.id for row in rows)


@only_sqlite
def test_a_page_is_read_by_index(database: Database) -> None:
    sql = "SELECT id FROM call WHERE keyed_at >= 0 ORDER BY keyed_at DESC, id DESC LIMIT 20"
    plan = database.read_now(lambda conn: conn.execute(text(f"EXPLAIN QUERY PLAN {sql}")).all())
    assert "ix_call_keyed_at" in str(plan)
