"""The inmate's own menu, by star at the number prompt, and the language that is kept."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from accounts.db import Database
from ivr.facility.tables import inmate
from ivr.records.tables import call, session
from tests.transcripts.funding import open_debit
from tests.transcripts.play import LOG_IN, World, demonstration

WEEKEND = 'days = "weekend"'
MENU = """
        left_offer
        pin_offer
        name_offer
        volume_offer
        accept_menu_language
        account_back"""
SHORT_MENU = MENU.replace("\n        name_offer", "")
UNSAID = """
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > silence
        enter_id_and_pin
        > 10012468
        enter_number
        > hangs up
"""


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def test_what_is_left_is_told_without_limits_and_money(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > *{MENU}
        > 1
        calls_not_limited{MENU}
        > silence
        enter_number
        > hangs up
    """)


def test_each_press_makes_the_telephone_louder_and_it_stays_so_for_the_next_time(world: World) -> None:
    chosen = f"""
    inmate:{LOG_IN}
        > *{MENU}
        > 4
        {{0}}{MENU}
        > 4
        {{1}}{MENU}
        > silence
        enter_number
        > hangs up
    """
    world.plays(chosen.format("volume.louder", "volume.loudest"))
    assert world.database.read_now(
        lambda conn: conn.scalars(select(inmate.c.volume).order_by(inmate.c.inmate_id)).all()
    ) == [
        "loudest",
        None,
    ]
    world.plays(chosen.format("volume.normal", "volume.louder"))


def test_what_the_tightest_rule_leaves_is_told(database: Database, tmp_path: Path) -> None:
    limits = f"""{WEEKEND}

[[facility.limit]]
calls = 2
each = "day"

[[facility.limit]]
calls = 7
each = "week"

[[facility.limit]]
minutes = 20
each = "day"
"""
    debit = ("[funding]\n", '[funding]\npayers = ["subscription", "debit", "prepaid"]\n')
    world = World(database, tmp_path, demonstration((WEEKEND, limits), debit))
    open_debit(world, "3.00")
    world.plays(f"""
    inmate:{LOG_IN}
        > *{MENU}
        > 1
        balance balance=3.00
        calls_left_now calls=2
        minutes_left_now time=20{MENU}
        > silence
        enter_number
        > 2
        pay_by_own_account
        pay_otherwise
        > 1
        price_and_time price=0.06 time=15
        own_account_pays balance=3.00
        call_recorded
        please_hold
    called party:
        accept_menu_language
        provider_greeting
        > silence
        call_from facility=example-county-jail
        notice_recorded
        paid_by_caller
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 1
        connecting
    talks 83 s
    inmate:
        ending.completed
        another_call
        > 1
        enter_number
        > *{MENU}
        > 1
        balance balance=2.91
        calls_left_now calls=1
        minutes_left_now time=18{MENU}
        > hangs up
    record:
        completed debit 83 s 0.083
    """)


def test_a_name_is_recorded_anew_once_a_month(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > *{MENU}
        > 3
        record_name
        > is silent
        name_stays{MENU}
        > 3
        record_name
        > says a name
        name_kept{SHORT_MENU}
        > 3
        enter_number
        > hangs up
    """)
    world.at += timedelta(days=30)
    world.plays(f"""
    inmate:{LOG_IN}
        > *{MENU}
        > hangs up
    """)


def test_the_language_that_an_inmate_has_chosen_is_kept_for_the_next_time(world: World) -> None:
    world.plays(UNSAID)
    world.plays(UNSAID.replace("> silence", "> 2"))
    world.plays(UNSAID)
    world.plays(f"""
    inmate:{LOG_IN}
        > *{MENU}
        > 8{MENU}
        > hangs up
    """)
    world.plays(UNSAID)
    languages = world.database.read_now(
        lambda conn: conn.scalars(select(session.c.language).order_by(session.c.id)).all()
    )
    assert languages == ["en", "es", "es", "es", "es"]
    kept = select(inmate.c.language).where(inmate.c.inmate_id == "1001")
    assert world.database.read_now(lambda conn: conn.scalar(kept)) == "es"


def test_the_language_that_a_number_has_chosen_is_kept_for_the_next_call(world: World) -> None:
    rung = f"""
    inmate:{LOG_IN}
        > 2
        price_and_time price=0.06 time=15
        call_recorded
        please_hold
    called party:
        accept_menu_language
        provider_greeting
        > silence
        call_from facility=example-county-jail
        notice_recorded
        paid_by_prepaid
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language"""
    refused = """
        > 2
        refused
    inmate:
        ending.refused
        another_call
        > silence
        goodbye
    record:
        refused prepaid 0 s 0.00"""
    again = """
        > 8
        provider_greeting
        call_from facility=example-county-jail
        notice_recorded
        paid_by_prepaid
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language"""
    world.plays(f"{rung}{again}{refused}\n")
    world.at += timedelta(minutes=1)
    rung = rung.replace(
        "accept_menu_language\n        provider_greeting\n        > silence", "provider_greeting"
    )
    world.plays(f"{rung}{refused}\n    record:\n        refused prepaid 0 s 0.00\n")
    told = select(call.c.called_language).order_by(call.c.keyed_at)
    assert world.database.read_now(lambda conn: conn.scalars(told).all()) == ["es", "es"]
