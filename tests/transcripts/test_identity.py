"""How inmates say who they are, and change their PIN."""

from pathlib import Path

import pytest

from accounts.db import Database
from ivr.loading import load
from tests.transcripts.play import KEY, LOG_IN, World, demonstration


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def test_a_pin_is_changed_in_the_menu_by_star_at_the_number_prompt(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > *
        left_offer
        pin_offer
        name_offer
        volume_offer
        accept_menu_language
        account_back
        > 2
        enter_new_pin
        > 8024
        enter_new_pin_again
        > 8024
        pin_changed
        left_offer
        pin_offer
        name_offer
        volume_offer
        accept_menu_language
        account_back
        > silence
        enter_number
        > 911
        ending.emergency_number
        another_call
        > silence
        goodbye
    record:
        emergency_number nobody 0 s 0.00
    """)
    told = world.database.transact_now(load, demonstration(), KEY, world.at)  # the file has the old one
    assert told == ["inmate 1001: pin stays as inmate 1001 set it"]
    world.plays(f"""
    inmate:{LOG_IN.replace("10012468", "10018024")}
        > hangs up
    record:
        emergency_number nobody 0 s 0.00
    """)


def test_the_old_pin_holds_while_no_new_one_is_taken(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > *
        left_offer
        pin_offer
        name_offer
        volume_offer
        accept_menu_language
        account_back
        > 2
        enter_new_pin
        > 802
        enter_new_pin_again
        > 802
        new_pin_too_short
        enter_new_pin
        > 8024
        enter_new_pin_again
        > 8025
        new_pins_differ
        enter_new_pin
        > 2468
        enter_new_pin_again
        > 2468
        new_pin_too_easy
        pin_not_changed
        left_offer
        pin_offer
        name_offer
        volume_offer
        accept_menu_language
        account_back
        > silence
        enter_number
        > hangs up
    """)
    world.plays(f"""
    inmate:{LOG_IN}
        > *
        left_offer
        pin_offer
        name_offer
        volume_offer
        accept_menu_language
        account_back
        > 2
        enter_new_pin
        > 1234567890123
        enter_new_pin_again
        > 1234567890123
        new_pin_too_long
        enter_new_pin
        > silence
        pin_not_changed
        left_offer
        pin_offer
        name_offer
        volume_offer
        accept_menu_language
        account_back
        > silence
        enter_number
        > hangs up
    """)


def test_who_keys_no_number_hears_how_their_own_menu_is_reached(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > silence
        number_not_understood
        own_menu_hint
        enter_number
        > hangs up
    """)


def test_a_facility_may_keep_the_change_to_its_staff(database: Database, tmp_path: Path) -> None:
    by_staff = ("pin_change_by_phone = true", "pin_change_by_phone = false")
    World(database, tmp_path, demonstration(by_staff)).plays(f"""
    inmate:{LOG_IN}
        > *
        left_offer
        name_offer
        volume_offer
        accept_menu_language
        account_back
        > 2
        enter_number
        > hangs up
    """)


def test_where_a_facility_insists_the_pin_is_keyed_alone(database: Database, tmp_path: Path) -> None:
    alone = ('identify_by = "id_and_pin"', 'identify_by = "pin"')
    World(database, tmp_path, demonstration(alone)).plays("""
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_pin
        > 10012468
        wrong_pin
        enter_pin
        > 2468
        enter_number
        > hangs up
    """)
