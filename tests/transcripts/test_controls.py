"""What the rules of a facility's levels sound like."""

from pathlib import Path

from accounts.db import Database
from tests.transcripts.play import LOG_IN, World, demonstration


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
        provider_greeting
        call_from facility=example-county-jail
        notice_recorded
        paid_by_prepaid
        accept_menu
        accept_menu_language
        > 1
        balance balance=4.70
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
