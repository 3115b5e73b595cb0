"""The service line: what anybody hears who calls the number that they saw, and what only its telephone hears."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from accounts.db import Database
from ivr.facility import operators
from ivr.facility.audit import audit
from ivr.facility.tables import blocked_number
from ivr.policy.roles import Role
from ivr.records.tables import call as call_table
from ivr.records.tables import call_back, complaint, service_request
from tests.transcripts.calling_in import calls_in
from tests.transcripts.play import LOG_IN, World

ONE = "+12175550101"
CALLS_IN = """
    caller:
        service_welcome facility=example-county-jail
        service_menu
        accept_menu_language
"""
ASKS_FOR_CALL_BACK = f"""{CALLS_IN}
        > 1
        call_back_offer number=2175550101
        > 1
        call_back_coming
        goodbye
"""
IS_CALLED_BACK = """
    called back:
        provider_greeting
        call_back_greeting facility=example-county-jail
        call_back_menu
        accept_menu_language
"""
VERIFIED = f"""{IS_CALLED_BACK}
        > 1
        verified_menu
        accept_menu_language
"""
MENU = """
        verified_menu
        accept_menu_language"""


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def test_the_number_shown_is_only_a_claim_so_nothing_is_told_of_it(world: World) -> None:
    calls_in(
        world,
        f"""{CALLS_IN}
        > 2
        rates_each_minute facility=example-county-jail minute=0.06 time=15 total=0.90
        how_charged
        service_menu
        accept_menu_language
        > 8
        service_menu
        accept_menu_language
        > 5
        wrong_key
        service_menu
        accept_menu_language
        > 0
        person_offer number=2175550101
        > 1
        person_promised receipt=N until=11-24
        service_menu
        accept_menu_language
        > hangs up
    """,
        ONE,
    )
    [asked] = world.database.read_now(lambda conn: conn.execute(select(service_request)).all())
    assert (asked.number, asked.kind, asked.language, asked.call_back_id) == (ONE, "person", "es", None)


def test_the_account_is_told_to_whoever_answers_its_telephone(world: World) -> None:
    calls_in(
        world,
        f"""{ASKS_FOR_CALL_BACK}{VERIFIED}
        > 1
        balance balance=5.00
        calls_remaining calls=57
        plan_ends until=12-22
        refund_offer
        account_back
        > silence{MENU}
        > 8{MENU}
        > 6
        rates_each_minute facility=example-county-jail minute=0.06 time=15 total=0.90
        how_charged{MENU}
        > 0
        person_promised receipt=N until=11-24{MENU}
        > hangs up
    """,
        ONE,
    )
    [asked] = world.database.read_now(lambda conn: conn.execute(select(service_request)).all())
    [rung] = world.database.read_now(lambda conn: conn.execute(select(call_back)).all())
    assert asked.call_back_id == rung.id
    assert (rung.number, rung.verified_at) == (ONE, world.at)


def test_calls_are_told_and_disputed(world: World) -> None:
    world.database.transact_now(operators.add, "amy", Role.ADMINISTRATOR, login=None, at=world.at)
    _talks_to_one(world)
    calls_in(
        world,
        f"""{ASKS_FOR_CALL_BACK}{VERIFIED}
        > 2
        talk_was on=11-23 time=2
        talk_covered
        talk_menu
        > 3
        dispute_taken
        no_more_calls{MENU}
        > hangs up
    """,
        ONE,
    )
    [opened] = world.database.read_now(lambda conn: conn.execute(select(complaint)).all())
    assert opened.author == f"called party {ONE}"
    [logged] = world.database.read_now(lambda conn: conn.execute(select(audit)).all())
    assert (logged.verb, logged.author, logged.role) == ("account dispute", opened.author, None)


def test_calls_that_never_came_are_told_with_their_reason(world: World) -> None:
    for what in ("busy", "no answer"):
        reason = what.replace(" ", "_")
        _tries(world, what, reason)
        world.at += timedelta(days=1)
    calls_in(
        world,
        f"""{ASKS_FOR_CALL_BACK}{VERIFIED}
        > 3
        missed_on on=11-24
        missed.no_answer
        missed_on on=11-23
        missed.busy{MENU}
        > 2
        no_more_calls{MENU}
        > hangs up
    """,
        ONE,
    )


def test_a_number_blocked_by_key_is_unblocked_from_its_telephone_alone(world: World) -> None:
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
        > 9
        block_confirm.6
        > 6
        blocked
    inmate:
        ending.blocked_by_key
        another_call
        > silence
        goodbye
    record:
        blocked_by_key subscription 0 s 0.00
    """)
    calls_in(
        world,
        f"""{ASKS_FOR_CALL_BACK}{VERIFIED}
        > 4
        unblock_confirm
        > 6
        unblocked{MENU}
        > 4
        not_blocked{MENU}
        > hangs up
    """,
        ONE,
    )
    blocked = select(blocked_number).where(blocked_number.c.number == ONE)
    [block] = world.database.read_now(lambda conn: conn.execute(blocked).all())
    assert block.lifted_at == world.at


def test_who_did_not_ask_is_left_in_peace(world: World) -> None:
    calls_in(
        world,
        f"""{ASKS_FOR_CALL_BACK}{IS_CALLED_BACK}
        > 2
        call_back_unwanted
        goodbye
    {CALLS_IN}
        > 1
        call_back_impossible
        service_menu
        accept_menu_language
        > hangs up
    """,
        ONE,
    )
    world.at += timedelta(days=31)
    calls_in(world, ASKS_FOR_CALL_BACK, ONE)


def test_a_machine_that_answers_hears_nothing_of_anybody(world: World) -> None:
    greeting = IS_CALLED_BACK.partition("called back:")[2]
    for _ in range(3):
        calls_in(
            world,
            f"""{ASKS_FOR_CALL_BACK}
    called back:{greeting}
        > silence{greeting}
        > silence{greeting}
        > silence
        goodbye
    """,
            ONE,
        )
    calls_in(
        world,
        f"""{CALLS_IN}
        > 1
        call_back_impossible
        service_menu
        accept_menu_language
        > hangs up
    """,
        ONE,
    )


def test_a_call_back_is_answered_once(world: World) -> None:
    calls_in(
        world,
        f"""{ASKS_FOR_CALL_BACK}{VERIFIED}
        > silence{MENU}
        > silence{MENU}
        > silence
        goodbye
    called back:
    """,
        ONE,
    )


@pytest.mark.parametrize("shown", ["", "anonymous", "911", "9005550100", "+445550100"])
def test_who_shows_no_number_that_can_be_called_hears_what_to_do(world: World, shown: str) -> None:
    calls_in(
        world,
        f"""{CALLS_IN}
        > 1
        call_back_impossible
        service_menu
        accept_menu_language
        > 2
        number_not_shown
        service_menu
        accept_menu_language
        > 0
        number_not_shown
        service_menu
        accept_menu_language
        > silence
        service_menu
        accept_menu_language
        > silence
        service_menu
        accept_menu_language
        > silence
        goodbye
    """,
        shown,
    )


def test_a_number_that_no_facility_shows_has_no_service(world: World) -> None:
    calls_in(
        world,
        """
    caller:
        inbound_notice
    """,
        ONE,
        called="12175550199",
    )


def _talks_to_one(world: World) -> None:
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


def _tries(world: World, what: str, reason: str) -> None:
    told = world.database.read_now(lambda conn: len(conn.execute(select(call_table)).all()))
    before = "\n".join(["    record:\n        busy subscription 0 s 0.00"] * told)
    world.plays(f"""
    inmate:{LOG_IN}
        > 1
        covered_by_subscription time=15
        call_recorded
        please_hold
    {what}
    inmate:
        ending.{reason}
        another_call
        > silence
        goodbye
{before}
    record:
        {reason} subscription 0 s 0.00
    """)
