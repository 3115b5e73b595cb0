"""The called party's side: every way to accept, and every way not to."""

from pathlib import Path

import pytest

from accounts.db import Database
from ivr.policy.reasons import NotRecorded
from ivr.records.listing import Wanted, page
from tests.transcripts.play import World, demonstration

PREPAID = """
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_id_and_pin
        > 10012468
        enter_number
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
"""
AFTERWARDS = """
        another_call
        > silence
        goodbye
"""


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def test_silence_three_times_is_not_an_acceptance(world: World) -> None:
    world.plays(f"""{PREPAID}
        > silence
        paid_by_prepaid
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > silence
        paid_by_prepaid
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > silence
        not_accepted
    inmate:
        ending.not_accepted{AFTERWARDS}
    record:
        not_accepted prepaid 0 s 0.00
    """)


def test_a_wrong_key_three_times_is_not_an_acceptance(world: World) -> None:
    world.plays(f"""{PREPAID}
        > 5
        wrong_key
        paid_by_prepaid
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 7
        wrong_key
        paid_by_prepaid
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 0
        not_accepted
    inmate:
        ending.not_accepted{AFTERWARDS}
    record:
        not_accepted prepaid 0 s 0.00
    """)


def test_hanging_up_refuses(world: World) -> None:
    world.plays(f"""{PREPAID}
        > hangs up
    inmate:
        ending.refused{AFTERWARDS}
    record:
        refused prepaid 0 s 0.00
    """)


def test_a_block_needs_a_second_key_and_holds_for_the_next_call(world: World) -> None:
    world.plays(f"""{PREPAID}
        > 9
        block_confirm.6
        > 9
        paid_by_prepaid
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 9
        block_confirm.6
        > 6
        blocked
    inmate:
        ending.blocked_by_key
        another_call
        > 1
        enter_number
        > 2
        ending.blocked_by_called_party
        another_call
        > silence
        goodbye
    record:
        blocked_by_key prepaid 0 s 0.00
    record:
        blocked_by_called_party nobody 0 s 0.00
    """)


def test_the_called_party_can_change_the_language(world: World) -> None:
    world.plays(f"""{PREPAID}
        > 8
        provider_greeting
        call_from facility=example-county-jail
        notice_recorded
        paid_by_prepaid
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 2
        refused
    inmate:
        ending.refused{AFTERWARDS}
    record:
        refused prepaid 0 s 0.00
    """)


def test_how_calls_are_charged_and_complained_of_is_told_by_a_further_key(world: World) -> None:
    world.plays(f"""{PREPAID.rstrip()}
        > 3
        cost_by_prepaid minute=0.06 time=15 total=0.90
        charged_offer
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 4
        how_this_is_charged
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 2
        refused
    inmate:
        ending.refused{AFTERWARDS}
    record:
        refused prepaid 0 s 0.00
    """)


def test_asking_for_the_price_again_and_again_has_an_end(world: World) -> None:
    asked = """
        > 3
        cost_by_prepaid minute=0.06 time=15 total=0.90
        charged_offer
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language"""
    world.plays(f"""{PREPAID.rstrip()}{asked * 11}
        > 3
        not_accepted
    inmate:
        ending.not_accepted{AFTERWARDS}
    record:
        not_accepted prepaid 0 s 0.00
    """)


def _subscription_call(told: str) -> str:
    return f"""
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_id_and_pin
        > 10012468
        enter_number
        > 4
        price_and_time price=0.06 time=15
        call_recorded
        please_hold
    called party:
        accept_menu_language
        provider_greeting
        > silence
        call_from facility=example-county-jail
        notice_recorded
        {told}
        price_each_minute price=0.06
        paid_by_prepaid
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 1
        balance balance=5.00
        connecting
    talks 60 s
    inmate:
        ending.completed{AFTERWARDS}
    record:
        completed prepaid 60 s 0.06
    """


def test_a_subscription_does_not_reach_into_another_state(world: World) -> None:
    world.plays(_subscription_call("not_covered.out_of_state"))


def test_a_lapsed_subscription_is_told_before_the_price(database: Database, tmp_path: Path) -> None:
    lapsed = demonstration(
        ("+1 617 555 0104", "+1 217 555 0104"),
        ("calls = 10\n", "calls = 10\nstarts_on = 2026-10-01\nends_on = 2026-10-31\n"),
    )
    World(database, tmp_path, lapsed).plays(_subscription_call("not_covered.lapsed"))


LAST = [("+1 617 555 0104", "+1 217 555 0104"), ("calls = 10\n", "calls = 1\n")]


def test_the_last_call_tells_when_there_are_more_and_the_next_one_is_prepaid(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path, demonstration(*LAST))
    world.plays(f"""
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_id_and_pin
        > 10012468
        enter_number
        > 4
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
        last_call until=12-23
        connecting
    talks 5 s
    inmate:
        ending.completed
        another_call
        > 1
        enter_number
        > 4
        price_and_time price=0.06 time=15
        call_recorded
        please_hold
    called party:
        provider_greeting
        call_from facility=example-county-jail
        notice_recorded
        not_covered.used_up
        price_each_minute price=0.06
        paid_by_prepaid
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 2
        refused
    inmate:
        ending.refused{AFTERWARDS}
    record:
        completed subscription 5 s 1 call
    record:
        refused prepaid 0 s 0.00
    """)


def test_a_hang_up_that_crosses_the_acceptance_costs_nothing(world: World) -> None:
    world.plays(f"""{PREPAID}
        > 1
        balance balance=5.00
        connecting
    talks 0.4 s
    inmate:
        ending.completed{AFTERWARDS}
    record:
        completed prepaid 0.4 s 0.00
    """)


def test_a_record_says_why_there_is_no_recording(world: World) -> None:
    world.plays(f"""{PREPAID}
        > 2
        refused
    inmate:
        ending.refused{AFTERWARDS}
    record:
        refused prepaid 0 s 0.00
    """)
    (row,) = world.database.read_now(page, Wanted(), 1)
    assert row.not_recorded == NotRecorded.NOT_CONNECTED
    assert row.recording_id is None


def test_hanging_up_between_the_key_and_the_connection_ends_a_call_that_costs_nothing(world: World) -> None:
    world.plays(f"""{PREPAID}
        > 1
        balance balance=5.00
        connecting
    is gone
    inmate:
        ending.completed{AFTERWARDS}
    record:
        completed prepaid 0 s 0.00
    """)


def test_an_acceptance_that_we_break_off_is_our_fault(world: World) -> None:
    world.plays(f"""{PREPAID}
        > 1
        balance balance=5.00
        connecting
    breaks off
    inmate:
        ending.system_fault{AFTERWARDS}
    record:
        system_fault prepaid 0 s 0.00
    """)


def test_what_a_dropped_call_and_its_continuation_sound_like(database: Database, tmp_path: Path) -> None:
    within = ("continues_within_seconds = 0", "continues_within_seconds = 120")
    world = World(database, tmp_path, demonstration(within))
    world.plays("""
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_id_and_pin
        > 10012468
        enter_number
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
    talks 61 s
    inmate:
        ending.completed
        another_call
        > 1
        enter_number
        > 1
        covered_by_subscription time=13
        call_recorded
        please_hold
    called party:
        provider_greeting
        call_from facility=example-county-jail
        notice_recorded
        continued_by_subscription
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
    is cut off by the network after 30 s
    inmate:
        call_given_back
        another_call
        > silence
        goodbye
    record:
        completed subscription 61 s 1 call
    record:
        completed subscription 30 s 0.00
    """)


def test_a_continuation_by_the_minute_says_what_is_left_to_pay(database: Database, tmp_path: Path) -> None:
    within = ("continues_within_seconds = 0", "continues_within_seconds = 120")
    world = World(database, tmp_path, demonstration(within))
    world.plays(f"""{PREPAID}
        > 1
        balance balance=5.00
        connecting
    talks 61 s
    inmate:
        ending.completed
        another_call
        > 1
        enter_number
        > 2
        price_and_time price=0.06 time=13
        call_recorded
        please_hold
    called party:
        provider_greeting
        call_from facility=example-county-jail
        notice_recorded
        continued_by_prepaid
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 3
        cost_by_prepaid minute=0.06 time=13 total=0.84
        charged_offer
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 1
        balance balance=4.93
        connecting
    talks 6 s
    inmate:
        ending.completed{AFTERWARDS}
    record:
        completed prepaid 61 s 0.061
    record:
        completed prepaid 6 s 0.006
    """)
