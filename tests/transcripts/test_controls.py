"""What the rules of a facility's levels sound like."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import delete, insert

from accounts.db import Database
from ivr.facility.tables import special_number, wrong_pin
from tests.controller import steps
from tests.transcripts.play import LOG_IN, World, demonstration


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def test_a_closure_of_the_unit_ends_the_call_with_its_hours(database: Database, tmp_path: Path) -> None:
    count = '[[unit.closure]]\nstarts = 2026-11-23T12:05:00\nends = 2026-11-23T13:00:00\nnote = "Count"\n'
    file = demonstration(('label = "Unit A"\n', f'label = "Unit A"\n{count}'))
    World(database, tmp_path, file).plays(f"""
    inmate:{LOG_IN}
        > 2
        price_and_time price=0.06 time=5
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
    talks 300.01 s
    inmate:
        ending.limit_reached
        another_call
        > 1
        enter_number
        > 2
        ending.outside_schedule
        another_call
        > silence
        goodbye
    record:
        limit_reached prepaid 300 s 0.30
    record:
        outside_schedule nobody 0 s 0.00
    """)


#: It pays within any limit of these stories.
CHEAP_PLAN = ('price = "20.00"', 'price = "0.06"')


def with_limit(database: Database, tmp_path: Path, *limit: str) -> World:
    """The demonstration with one limit for every inmate."""
    says = "\n".join(("[[facility.limit]]", *limit))
    return World(database, tmp_path, demonstration(("[[plan]]", f"{says}\n\n[[plan]]"), CHEAP_PLAN))


CALL = """
        > 2
        price_and_time price=0.06 time={time}
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
        balance balance={balance}
        connecting
    talks {talk} s
    inmate:
        ending.{ending}
        another_call
        > 1
        enter_number
        > 2"""


def test_the_calls_of_a_day_are_used_and_the_day_of_the_next_is_told(
    database: Database, tmp_path: Path
) -> None:
    call = CALL.format(time=15, balance="5.00", talk=60, ending="completed")
    with_limit(database, tmp_path, "calls = 1", 'each = "day"').plays(f"""
    inmate:{LOG_IN.rstrip()}{call}
        ending.calls_used day=11-24
        another_call
        > silence
        goodbye
    record:
        completed prepaid 60 s 0.06
    record:
        calls_used nobody 0 s 0.00
    """)


def test_the_minutes_of_a_month_end_a_call_and_the_next_is_for_the_month_after(
    database: Database, tmp_path: Path
) -> None:
    call = CALL.format(time=10, balance="5.00", talk=600.01, ending="limit_reached")
    with_limit(database, tmp_path, "minutes = 10", 'each = "month"').plays(f"""
    inmate:{LOG_IN.rstrip()}{call}
        ending.minutes_used day=12-01
        another_call
        > silence
        goodbye
    record:
        limit_reached prepaid 600 s 0.60
    record:
        minutes_used nobody 0 s 0.00
    """)


def test_the_wait_after_a_call_is_told_in_minutes(database: Database, tmp_path: Path) -> None:
    call = CALL.format(time=15, balance="5.00", talk=60, ending="completed")
    with_limit(database, tmp_path, "cooling_off_minutes = 20").plays(f"""
    inmate:{LOG_IN.rstrip()}{call}
        ending.cooling_off minutes=20
        another_call
        > silence
        goodbye
    record:
        completed prepaid 60 s 0.06
    record:
        cooling_off nobody 0 s 0.00
    """)


def test_a_number_that_was_called_too_often_is_left_alone_for_a_while(
    database: Database, tmp_path: Path
) -> None:
    with_limit(database, tmp_path, "attempts = 1", "in_minutes = 10").plays(f"""
    inmate:{LOG_IN}
        > 2
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
        ending.too_many_attempts minutes=10
        another_call
        > silence
        goodbye
    record:
        no_answer prepaid 0 s 0.00
    record:
        too_many_attempts nobody 0 s 0.00
    """)


@pytest.mark.parametrize(
    ("who", "keys", "reason"),
    [(steps.ALEX, "6", "inmate_on_a_call"), ("20002468", "2", "number_on_a_call")],
)
def test_who_or_whom_another_call_is_in_progress_with_is_told(
    world: World, who: str, keys: str, reason: str
) -> None:
    steps.crowd(world, 1)
    world.database.transact_now(lambda conn: conn.execute(delete(special_number)))
    asyncio.run(steps.accepted(world, who=who if keys == "6" else steps.ALEX))
    world.plays(f"""
    inmate:{LOG_IN.replace(steps.ALEX, who)}
        > {keys}
        ending.{reason}
        another_call
        > silence
        goodbye
    record:
        {reason} nobody 0 s 0.00
    """)


ALEX = 'name = "Alex Example"'
PROTECTED = '[[no_contact]]\nnumber = "+1 217 555 0110"\nnote = "Order"'


@pytest.mark.parametrize(
    ("change", "keys", "reason"),
    [
        (("[[prepaid]]", '[[blocked]]\nprefix = "617"\nnote = "Far"\n\n[[prepaid]]'), "4", "number_blocked"),
        (("[[prepaid]]", f"{PROTECTED}\n\n[[prepaid]]"), "2175550110", "number_blocked"),
        ((ALEX, f'{ALEX}\nstate = "transferred"'), "2175550110", "inmate_transferred"),
    ],
)
def test_whom_an_inmate_may_not_call_is_told(
    database: Database, tmp_path: Path, change: tuple[str, str], keys: str, reason: str
) -> None:
    World(database, tmp_path, demonstration(change)).plays(f"""
    inmate:{LOG_IN}
        > {keys}
        ending.{reason}
        another_call
        > silence
        goodbye
    record:
        {reason} nobody 0 s 0.00
    """)


def test_while_an_id_is_locked_its_right_pin_sounds_like_a_wrong_one(world: World) -> None:
    tries = {"station_id": "demo-a2", "in_row": 10, "lately": 1, "since_at": world.at, "last_at": world.at}
    row = {"facility_id": "example-county-jail", "inmate_id": "1001", **tries}
    world.database.transact_now(lambda conn: conn.execute(insert(wrong_pin).values(row)))
    world.plays(f"""
    inmate:{LOG_IN.rstrip().removesuffix("enter_number")}
        wrong_id_or_pin
        enter_id_and_pin
        > {steps.ALEX}
        wrong_id_or_pin
        enter_id_and_pin
        > {steps.ALEX}
        ending.pin_invalid
        goodbye
    """)
