"""What inmates and called parties hear, from the lifted receiver to the goodbye."""

from datetime import timedelta
from pathlib import Path

import pytest

from accounts.db import Database
from tests.transcripts.play import LOG_IN, World, demonstration


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def test_a_subscription_call_uses_one_of_its_calls(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > 1
        covered_by_subscription time=15
        call_recorded
        please_hold
    called party:
        accept_menu_language
        provider_greeting
        > silence
        call_from facility=example-county-jail
        notice_recorded
        paid_by_subscription
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 1
        calls_remaining calls=56
        connecting
    talks 83 s
    inmate:
        ending.completed
        another_call
        > silence
        goodbye
    record:
        completed subscription 83 s 1 call
    """)


def test_a_prepaid_call_is_charged_for_the_talk(world: World) -> None:
    world.plays(f"""
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
        accept_menu_language
        > 1
        balance balance=5.00
        connecting
    talks 83 s
    inmate:
        ending.completed
        another_call
        > silence
        goodbye
    record:
        completed prepaid 83 s 0.083
    """)


def test_the_price_is_told_by_a_key_before_accepting(world: World) -> None:
    world.plays(f"""
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
        accept_menu_language
        > 3
        cost_by_prepaid minute=0.06 time=15 total=0.90
        charged_offer
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 2
        refused
    inmate:
        ending.refused
        another_call
        > silence
        goodbye
    record:
        refused prepaid 0 s 0.00
    """)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("911", "emergency_number"),
        ("411", "service_code"),
        ("*67", "service_code"),
        ("2175550105", "number_blocked"),
        ("19005550123", "number_type_blocked"),
        ("2025550199", "number_not_allowed"),
        ("123", "number_invalid"),
    ],
)
def test_each_refusal_is_told_and_recorded_by_the_same_word(world: World, keys: str, reason: str) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > {keys}
        ending.{reason}
        another_call
        > silence
        goodbye
    record:
        {reason} nobody 0 s 0.00
    """)


def test_without_funds_the_needed_amount_is_told(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        ending.funds_too_low needed=0.06
        another_call
        > 1
        enter_number
        > 2
        price_and_time price=0.06 time=15
        call_recorded
        please_hold
    busy
    inmate:
        ending.busy
        another_call
        > silence
        goodbye
    record:
        funds_too_low nobody 0 s 0.00
    record:
        busy prepaid 0 s 0.00
    """)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("busy", "busy"),
        ("no answer", "no_answer"),
        ("congestion", "congestion"),
        ("unavailable", "unavailable"),
    ],
)
def test_what_the_network_says_is_passed_on(world: World, network: str, reason: str) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > 2
        price_and_time price=0.06 time=15
        call_recorded
        please_hold
    {network}
    inmate:
        ending.{reason}
        another_call
        > silence
        goodbye
    record:
        {reason} prepaid 0 s 0.00
    """)


def test_three_wrong_pins_end_the_session(world: World) -> None:
    world.plays("""
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > silence
        enter_id_and_pin
        > 10011111
        wrong_id_or_pin
        enter_id_and_pin
        > 99992468
        wrong_id_or_pin
        enter_id_and_pin
        > silence
        ending.pin_invalid
        goodbye
    """)


def test_three_silences_at_the_number_prompt_offer_another_call(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > silence
        number_not_understood
        own_menu_hint
        enter_number
        > silence
        number_not_understood
        own_menu_hint
        enter_number
        > silence
        another_call
        > silence
        goodbye
    """)


def test_a_suspended_inmate_is_told_so(world: World) -> None:
    world.plays("""
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_id_and_pin
        > 10021357
        enter_number
        > 2175550101
        ending.inmate_suspended
        another_call
        > silence
        goodbye
    record:
        inmate_suspended nobody 0 s 0.00
    """)


def test_a_suspended_inmate_still_reaches_the_public_defender(world: World) -> None:
    world.plays("""
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_id_and_pin
        > 10021357
        enter_number
        > 2175550110
        free_call time=15
        call_not_recorded
        please_hold
    called party:
        accept_menu_language
        provider_greeting
        > silence
        call_from facility=example-county-jail
        notice_not_recorded
        paid_free
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 3
        cost_free
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 1
        connecting
    talks 10 s
    inmate:
        ending.completed
        another_call
        > silence
        goodbye
    record:
        completed free 10 s 0.00
    """)


def test_an_unknown_station_is_told_that_it_is_not_in_service(world: World) -> None:
    world.plays(
        """
    inmate:
        ending.station_unknown
        goodbye
    """,
        station="not-ours",
    )


def test_the_name_is_recorded_once_and_asked_for_again_after_silence(world: World) -> None:
    world.record_names(None)
    world.plays(f"""
    inmate:{LOG_IN}
        > 2
        record_name
        > nothing
        name_not_heard
        > says a name
        price_and_time price=0.06 time=15
        call_recorded
        please_hold
    no answer
    inmate:
        ending.no_answer
        another_call
        > 1
        enter_number
        > 2
        price_and_time price=0.06 time=15
        call_recorded
        please_hold
    no answer
    inmate:
        ending.no_answer
        another_call
        > silence
        goodbye
    record:
        no_answer prepaid 0 s 0.00
    record:
        no_answer prepaid 0 s 0.00
    """)


def test_without_a_name_there_is_no_call(world: World) -> None:
    world.record_names(None)
    world.plays(f"""
    inmate:{LOG_IN}
        > 2
        record_name
        > nothing
        name_not_heard
        > nothing
        name_not_heard
        > nothing
        ending.name_not_recorded
        another_call
        > silence
        goodbye
    record:
        name_not_recorded nobody 0 s 0.00
    """)


def test_outside_the_schedule_nobody_is_called(database: Database, tmp_path: Path) -> None:
    closed = demonstration(('days = "mon-sun"', 'days = "tue-sun"'))
    World(database, tmp_path, closed).plays(f"""
    inmate:{LOG_IN}
        > 1
        ending.outside_schedule
        another_call
        > silence
        goodbye
    record:
        outside_schedule nobody 0 s 0.00
    """)


def test_without_a_rate_there_is_no_call(database: Database, tmp_path: Path) -> None:
    no_rate = demonstration(('"local", "intrastate", "interstate"', '"intrastate", "interstate"'))
    World(database, tmp_path, no_rate).plays(f"""
    inmate:{LOG_IN}
        > 2
        ending.no_rate
        another_call
        > silence
        goodbye
    record:
        no_rate nobody 0 s 0.00
    """)


def test_a_limit_that_is_reached_is_told(database: Database, tmp_path: Path) -> None:
    poor = demonstration(('opening_balance = "5.00"', 'opening_balance = "0.12"'))
    World(database, tmp_path, poor).plays(f"""
    inmate:{LOG_IN}
        > 2
        price_and_time price=0.06 time=2
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
        accept_menu_language
        > 1
        balance balance=0.12
        connecting
    talks 120.01 s
    inmate:
        ending.limit_reached
        another_call
        > silence
        goodbye
    record:
        limit_reached prepaid 120 s 0.12
    """)


def test_a_released_inmate_makes_no_calls(database: Database, tmp_path: Path) -> None:
    released = demonstration(('state = "suspended"', 'state = "released"'))
    World(database, tmp_path, released).plays("""
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_id_and_pin
        > 10021357
        enter_number
        > 2175550110
        ending.inmate_released
        another_call
        > silence
        goodbye
    record:
        inmate_released nobody 0 s 0.00
    """)


def test_spanish_is_spoken_once_it_is_chosen(world: World) -> None:
    world.plays("""
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 2
        enter_id_and_pin
        > 10012468
        enter_number
        > 911
        ending.emergency_number
        another_call
        > silence
        goodbye
    record:
        emergency_number nobody 0 s 0.00
    """)


def test_an_inmate_who_hangs_up_while_it_rings_has_called_nobody(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > 2
        price_and_time price=0.06 time=15
        call_recorded
        please_hold
    record:
        caller_hung_up prepaid 0 s 0.00
    """)


def test_in_the_last_minute_of_calling_hours_nobody_is_called(database: Database, tmp_path: Path) -> None:
    closing = demonstration(('closes = "24:00"', 'closes = "12:01"'))
    world = World(database, tmp_path, closing)
    world.at += timedelta(seconds=1)
    world.plays(f"""
    inmate:{LOG_IN}
        > 2
        ending.outside_schedule
        another_call
        > silence
        goodbye
    record:
        outside_schedule nobody 0 s 0.00
    """)
