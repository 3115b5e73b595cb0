"""Calling cards in batches: PINs are told once and in no log, and what is left of cancelled ones comes back."""

import stat
from pathlib import Path

from sqlalchemy import select

from accounts.tables import calling_card
from ivr.facility.audit import audit
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_cli import JAIL, is_one_line
from tests.transcripts.play import World

NOTE = ("--note", "For the commissary")


def made(ivr: Ivr, path: Path, *more: str) -> str:
    asked = ("card", "batch", "spring", "--count", "3", "--value", "10", "--file", str(path), *more)
    return ivr(*asked, *NOTE).out


def test_a_batch_is_made_and_its_pins_are_told_once(
    ivr: Ivr, world: World, on_database: str, tmp_path: Path
) -> None:
    path = tmp_path / "pins.csv"
    assert made(ivr, path).startswith("batch spring: 3 cards of $10.00 made; written to ")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    header, *lines = path.read_text("utf-8").splitlines()
    assert header == "card,pin"
    pins = [line.split(",")[1] for line in lines]
    assert len(set(pins)) == 3
    logged = world.database.read_now(lambda conn: [str(row) for row in conn.execute(select(audit))])
    kept = world.database.read_now(lambda conn: [str(row) for row in conn.execute(select(calling_card))])
    assert not any(pin in row for pin in pins for row in (*logged, *kept))
    listed = ivr("card", "list").out.splitlines()[1].split()
    assert listed[:2] == ["spring", JAIL]
    assert listed[3:] == ["3", "10.00", "3", "30.00"]
    assert ivr("account", "cards", "--batch", "spring").out.count("usable") == 3
    twice = ivr("card", "batch", "spring", "--count", "1", "--value", "1", "--file", f"{path}2", *NOTE)
    assert is_one_line(twice, "there is a batch spring already")
    assert not Path(f"{path}2").exists()
    steps.assert_books_are_right(world)


def test_cards_that_are_cancelled_give_back_what_is_left(
    ivr: Ivr, world: World, on_database: str, tmp_path: Path
) -> None:
    made(ivr, tmp_path / "pins.csv")
    told = ivr("card", "cancel", "spring", "--serial", "2", *NOTE).out
    assert told == "card spring/2: 1 cards cancelled, given back: $10.00\n"
    told = ivr("card", "cancel", "spring", *NOTE).out
    assert told == "card batch spring: 2 cards cancelled, given back: $20.00\n"
    assert ivr("account", "cards", "--batch", "spring").out.count("cancelled") == 3
    assert is_one_line(ivr("card", "cancel", "autumn", *NOTE), "there is no card batch autumn")
    assert is_one_line(ivr("card", "cancel", "spring", "--serial", "9", *NOTE), "there is no card spring/9")
    steps.assert_books_are_right(world)


def test_a_card_expires_only_by_a_law(ivr: Ivr, world: World, on_database: str, tmp_path: Path) -> None:
    asked = ("card", "batch", "b", "--count", "1", "--value", "5", "--file", str(tmp_path / "b.csv"))
    day = ("--expires-on", "2030-01-01")
    assert is_one_line(ivr(*asked, *day, *NOTE), "ivr: law: a card expires only by a law")
    named = ivr("card", "batch", "A b", *asked[3:], *NOTE)
    assert is_one_line(named, "batch_id: expected 1 to 40 small letters, digits and hyphens, no hyphen first")
    past = ivr(*asked, "--expires-on", "2020-01-01", "--law", "a law", *NOTE)
    assert is_one_line(past, "expires_on: expected a day to come")
    assert ivr(*asked, *day, "--law", "a law", *NOTE).status == 0
    assert "2030-01-01" in ivr("card", "list").out
    assert ivr("account", "cards", steps.PREPAID).out == "No card on file.\n"
