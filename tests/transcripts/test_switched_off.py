"""What is heard at telephones that staff have switched off."""

from pathlib import Path

import pytest

from accounts.db import Database
from tests.transcripts.play import LOG_IN, World

PAID = """
        > 2
        price_and_time price=0.06 time=15
        call_recorded
        please_hold
"""
OFFER = """
        accept_menu_language
        provider_greeting
        > silence
        call_from facility=example-county-jail
        notice_recorded
        paid_by_prepaid
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 1
"""


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


@pytest.mark.parametrize(
    ("level", "which"),
    [("station", "demo-a1"), ("unit", "unit-a"), ("facility", "example-county-jail")],
)
def test_who_lifts_the_receiver_hears_it_before_anything_is_asked(
    world: World, level: str, which: str
) -> None:
    world.switches_off("finish", level, which)
    world.plays("""
    inmate:
        ending.switched_off
        goodbye
    """)


def test_another_telephone_of_the_unit_goes_on(world: World) -> None:
    world.switches_off("now", "station", "demo-a2")
    world.plays(f"""
    inmate:{LOG_IN}{PAID}
    busy
    inmate:
        ending.busy
        another_call
        > silence
        goodbye
    record:
        busy prepaid 0 s 0.00
    """)


@pytest.mark.parametrize("way", ["in a minute", "now"])
def test_a_call_that_rings_is_not_connected_any_more(world: World, way: str) -> None:
    world.plays(f"""
    inmate:{LOG_IN}{PAID}
    switched off {way}
    called party:
        cannot_connect
    inmate:
        ending.switched_off
        goodbye
    record:
        switched_off prepaid 0 s 0.00
    """)


def test_a_call_that_rings_may_finish_and_no_other_follows(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}{PAID}
    switched off, calls finish
    called party:{OFFER}
        balance balance=5.00
        connecting
    talks 83 s
    inmate:
        ending.completed
        another_call
        > 1
        enter_number
        > 2
        ending.switched_off
        goodbye
    record:
        completed prepaid 83 s 0.083
    record:
        switched_off nobody 0 s 0.00
    """)
