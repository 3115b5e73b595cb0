"""Asterisk's own records of a day are held against ours, and every difference is told."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from accounts.db import Database
from ivr.crosscheck import CONNECTED, RUNG, Difference, Kept, differences, kept_by_asterisk
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line

NOON = datetime(2026, 11, 23, 18, tzinfo=UTC)  # in Chicago
SINCE, UNTIL = NOON.replace(hour=6), NOON.replace(day=24, hour=6)
UNKNOWN = "f" * 32


def told(database: Database, kept: Kept) -> list[Difference]:
    return database.read_now(differences, kept, SINCE, UNTIL)


def test_records_that_agree_differ_in_nothing(database: Database, records: list[str]) -> None:
    prepaid, subscribed, _, _ = records
    assert told(database, Kept({prepaid: NOON, subscribed: NOON}, frozenset({prepaid, subscribed}))) == []


def test_each_difference_is_told(database: Database, records: list[str]) -> None:
    prepaid, subscribed, refused, _ = records
    kept = Kept({subscribed: NOON, UNKNOWN: NOON, "e" * 32: UNTIL}, frozenset({refused}))
    assert told(database, kept) == [
        Difference(prepaid, "rung here; Asterisk has no record"),
        Difference(subscribed, "a talk here; Asterisk connected nobody"),
        Difference(refused, "connected by Asterisk; no talk here"),
        Difference(UNKNOWN, "rung by Asterisk; no record here"),
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The folder in which Asterisk keeps its records."""
    folder = tmp_path / "state" / "asterisk" / "log"
    for file in (RUNG, CONNECTED):
        (folder / file).parent.mkdir(parents=True)
    return folder


def test_the_command_tells_what_asterisk_has_kept(
    ivr: Ivr, on_database: str, records: list[str], log: Path
) -> None:
    day = ("cdr", "audit", "--day", "2026-11-23")
    assert is_one_line(ivr(*day), "Asterisk has kept no records in")
    prepaid, subscribed, _, _ = records
    (log / RUNG).write_text(f",,,2026-11-23T18\n{prepaid},ANSWERED,90,2026-11-23T18\n")
    (log / RUNG).with_suffix(".csv.1").write_text(f"{subscribed},ANSWERED,90,2026-11-23T18\n")
    (log / CONNECTED).write_text(f"{prepaid},2026-11-23T18+0000\n{subscribed},2026-11-23T12-0600\n")
    assert kept_by_asterisk(log).connected == {prepaid, subscribed}
    said = ivr(*day)
    assert (said.status, said.out) == (0, "example-county-jail, 2026-11-23 to 2026-11-23: the two agree.\n")
    (log / CONNECTED).unlink()
    said = ivr(*day)
    assert said.status == 1
    assert said.out.count("Asterisk connected nobody") == 2
