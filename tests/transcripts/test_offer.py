"""What comes before the decision: the language, the keys that a facility has chosen, the price."""

from datetime import timedelta
from pathlib import Path

import pytest

from accounts.db import Database
from ivr.records.listing import Wanted, page
from tests.transcripts.play import World, demonstration
from tests.transcripts.test_accept import AFTERWARDS, PREPAID

OTHER_KEYS = [
    ("accept_key = 1", "accept_key = 3"),
    ("block_key = 9", "block_key = 7"),
    ("block_confirm_key = 6", "block_confirm_key = 9"),
]
GREETING = """accept_menu_language
        provider_greeting
        > """


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def test_a_facility_chooses_the_keys_and_the_prompts_say_them(database: Database, tmp_path: Path) -> None:
    keys = """cost_key.1
        accept_key.3
        block_key.7
        accept_menu_language"""
    cost = f"""cost_by_prepaid minute=0.06 time=15 total=0.90
        charged_offer
        {keys}"""
    world = World(database, tmp_path, demonstration(*OTHER_KEYS))
    world.plays(f"""{PREPAID.partition("cost_key")[0]}{keys}
        > 1
        {cost}
        > 9
        wrong_key
        {cost}
        > 7
        block_confirm.9
        > 7
        {cost}
        > 3
        balance balance=5.00
        connecting
    talks 83 s
    inmate:
        ending.completed{AFTERWARDS}
    record:
        completed prepaid 83 s 0.083
    """)
    [row] = world.database.read_now(lambda conn: page(conn, Wanted(), 10))
    assert (row.accepted_by, row.cost_heard) == ("3", True)


def test_whoever_has_never_decided_is_offered_spanish_before_anything_else(world: World) -> None:
    in_spanish = PREPAID.replace(f"{GREETING}silence", f"{GREETING}8\n        provider_greeting")
    refused = f"""
        > 2
        refused
    inmate:
        ending.refused{AFTERWARDS}"""
    record = "    record:\n        refused prepaid 0 s 0.00\n"
    world.plays(f"{in_spanish}{refused}{record}")
    world.at += timedelta(minutes=1)
    known = PREPAID.replace(f"{GREETING}silence", "provider_greeting")
    world.plays(f"{known}{refused}{record}{record}")
    rows = world.database.read_now(lambda conn: page(conn, Wanted(), 10))
    assert [row.called_language for row in rows] == ["es", "es"]


@pytest.mark.parametrize("key", ["1", "2", "9"])
def test_a_key_decides_nothing_before_it_is_said_what_keys_do(world: World, key: str) -> None:
    early = PREPAID.replace(f"{GREETING}silence", f"{GREETING}{key}\n        provider_greeting")
    world.plays(f"""{early}
        > hangs up
    inmate:
        ending.refused{AFTERWARDS}
    record:
        refused prepaid 0 s 0.00
    """)


def test_a_machine_that_presses_nothing_has_chosen_no_language(world: World) -> None:
    menu = f"        paid_by_prepaid{PREPAID.rpartition('paid_by_prepaid')[2]}"
    silence = "        > silence\n"
    not_accepted = f"""{PREPAID}{silence}{menu}{silence}{menu}{silence}
        not_accepted
    inmate:
        ending.not_accepted{AFTERWARDS}"""
    record = "    record:\n        not_accepted prepaid 0 s 0.00\n"
    world.plays(f"{not_accepted}{record}")
    world.at += timedelta(minutes=10)
    world.plays(f"{not_accepted}{record}{record}")
