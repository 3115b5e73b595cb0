"""What an attorney hears who calls in from their own number."""

from pathlib import Path

import pytest

from accounts.db import Database
from ivr.staff.changes import do
from ivr.staff.changes import read as read_change
from ivr.staff.service import service_shown
from tests.transcripts.calling_in import calls_in
from tests.transcripts.play import KEY, World

ATTORNEY = "+12175550166"
CALLED_BACK = f"""
    caller:
        service_welcome facility=example-county-jail
        service_menu
        accept_menu_language
        > 1
        call_back_offer number={ATTORNEY.removeprefix("+1")}
        > 1
        call_back_coming
        goodbye
    called back:
        provider_greeting
        call_back_greeting facility=example-county-jail
        call_back_menu
        accept_menu_language
        > 1
        verified_menu
        accept_menu_language
        > 5"""
MENU = """
        verified_menu
        accept_menu_language
        > hangs up
"""


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def lists(world: World, change: str, author: str, **given: object) -> None:
    """Staff list the number."""
    asked = read_change(change, {"number": ATTORNEY, "note": "bar card seen", "author": author, **given})
    world.database.transact_now(do, change, asked, KEY, world.at)


def test_a_number_that_is_not_listed_is_asked_for_with_receipt_and_day(world: World) -> None:
    asks = """
        privileged_nowhere
        listing_offer facility=example-county-jail
        > 1
        listing_asked receipt=N until=2026-11-26"""
    calls_in(world, f"{CALLED_BACK}{asks}{MENU}", ATTORNEY)
    calls_in(world, f"{CALLED_BACK}{asks}{MENU}", ATTORNEY)  # the same request, asked again
    [asked] = world.database.read_now(service_shown, None, decided=False)
    assert (asked["wants"], asked["number"], asked["verified"]) == ("privileged", ATTORNEY, "yes")
    assert asked["due"] == "2026-11-26"


def test_where_and_since_when_the_number_is_privileged_is_told(world: World) -> None:
    lists(world, "number privileged add", "amy", kind="attorney", inmate_id="1001")
    calls_in(
        world,
        f"""{CALLED_BACK}
        privileged_for_one facility=example-county-jail since=2026-11-23
        privileged_unconfirmed
        listing_offer facility=example-county-jail
        > silence{MENU}""",
        ATTORNEY,
    )
    lists(world, "number privileged add", "amy", kind="attorney")
    lists(world, "number privileged confirm", "ben")
    calls_in(
        world,
        f"""{CALLED_BACK}
        privileged_at facility=example-county-jail since=2026-11-23{MENU}""",
        ATTORNEY,
    )
