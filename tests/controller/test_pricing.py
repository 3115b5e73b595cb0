"""What is reserved, said and charged is the tariff of the day as far as the law lets it: one function, one price."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from accounts import ledger, payers
from accounts.db import Database
from ivr.controls import CalledPartyControls, Grant, Refused
from ivr.controls.settlement import Ending, settle_call
from ivr.facility import lookup, tariffs
from ivr.facility.file import FacilityFileError
from ivr.loading import load
from ivr.policy.reasons import Denial, Outcome
from ivr.records import evidence
from rating.lawful import cheapest_minute
from rating.money import Money
from rating.prices import Tariff
from tests.controller import steps
from tests.transcripts.play import KEY, NOON, World, demonstration

FACILITY = "example-county-jail"
#: Without a plan: where calls are free by law, none may be offered.
NO_PLAN = (
    ('[[plan]]\nid = "family-100"\nprice = "20.00"\ncalls = 100\n', ""),
    ('[[subscription]]\nnumber = "+1 217 555 0101"\ncalls = 57\n', ""),
)
MASSACHUSETTS = (('state = "IL"', 'state = "MA"'), *NO_PLAN)
COLORADO = (
    ('state = "IL"', 'state = "CO"'),
    ('kind = "jail"', 'kind = "prison"'),
    ('operator = "county"', 'operator = "state"'),
    ("valid_from = 2026-04-06", "valid_from = 2025-01-01"),
    *NO_PLAN,
)
SIMPLE = """per_minute = "0.06"
first_seconds = 60
next_seconds = 1
"""
FIRST_MINUTE_DEARER = """steps = [
    { from_s = 0, price = "0.12", per_s = 60, increment_s = 60 },
    { from_s = 60, price = "0.06", per_s = 60, increment_s = 1 },
]
"""
DAY_AND_EVENING = """per_minute = "0.03"
next_seconds = 1

[[rate]]
name = "evening"
per_minute = "0.09"
next_seconds = 1
"""
NIGHT = (
    (SIMPLE, DAY_AND_EVENING),
    (
        '[[price]]\nrate = "in the country"',
        """[[time]]
name = "day"
days = "mon-sun"
start = "06:00"
rate = "in the country"

[[time]]
name = "day"
days = "mon-sun"
start = "18:00"
rate = "evening"

[[price]]
rate = "day\"""",
    ),
)


def world_of(database: Database, folder: Path, *changes: tuple[str, str], at: datetime = NOON) -> World:
    """The demonstration's facility with changes to its files."""
    return World(database, folder, demonstration(*changes), at)


async def talked(world: World, seconds: float, keys: str = steps.PAID) -> Any:
    """The record of an accepted call that was talked for so long."""
    call_id = await steps.accepted(world, keys)
    start, end = world.at.timestamp(), world.at.timestamp() + seconds
    seen = evidence.note(f"{start:.6f} {end:.6f} 16")
    await settle_call(world.node, call_id, Ending(Outcome.SYSTEM_FAULT), seen=seen)
    return steps.record(world, call_id)


def owed_by_the_agency(world: World) -> int:
    """What the agency's invoice would say."""
    return world.database.read_now(ledger.balance, payers.agency_account(FACILITY)).debits


def test_a_call_that_is_free_by_law_is_the_agencys_to_pay(database: Database, tmp_path: Path) -> None:
    world = world_of(database, tmp_path, *MASSACHUSETTS)
    row = asyncio.run(talked(world, 83))
    assert (row.payer, row.charge, row.held, row.hold_id) == ("free", 0, 0, None)
    assert (row.agency_rule, row.agency_charge) == ("ma-2023", 83_000)
    assert owed_by_the_agency(world) == 83_000
    steps.assert_books_are_right(world)


def test_a_call_that_is_free_by_law_needs_neither_rate_nor_funds(database: Database, tmp_path: Path) -> None:
    world = world_of(
        database, tmp_path, *MASSACHUSETTS, ('call_types = ["local", ', 'call_types = ["toll_free", ')
    )
    row = asyncio.run(talked(world, 83))
    assert (row.call_type, row.payer, row.charge) == ("local", "free", 0)
    assert owed_by_the_agency(world) == 0


def test_a_number_that_is_free_costs_the_agency_nothing(database: Database, tmp_path: Path) -> None:
    world = world_of(database, tmp_path, *MASSACHUSETTS)
    row = asyncio.run(talked(world, 83, steps.PRIVILEGED))
    assert (row.payer, row.agency_rule, row.agency_charge) == ("free", None, 0)


def test_a_split_call_has_two_payers(database: Database, tmp_path: Path) -> None:
    """Colorado's prisons paid 75 % from 2025-07-01."""
    world = world_of(database, tmp_path, *COLORADO, at=datetime(2025, 7, 2, 18, tzinfo=UTC))
    before = steps.available(world)
    row = asyncio.run(talked(world, 100))
    assert (row.payer, row.charge, row.agency_charge) == ("prepaid", 25_000, 75_000)
    assert row.held == 15 * 60_000 // 4
    assert before - steps.available(world) == 25_000
    assert owed_by_the_agency(world) == 75_000
    steps.assert_books_are_right(world)


def test_the_agency_has_no_share_in_a_call_of_a_subscription(database: Database, tmp_path: Path) -> None:
    state, kind, operator, since, *_ = COLORADO
    until = (since[0], f"{since[1]}\nvalid_to = 2026-06-30")
    world = world_of(
        database, tmp_path, state, kind, operator, until, at=datetime(2025, 7, 2, 18, tzinfo=UTC)
    )
    row = asyncio.run(talked(world, 100, steps.SUBSCRIBED))
    assert (row.payer, row.calls_charged, row.charge) == ("subscription", 1, 0)
    assert (row.agency_rule, row.agency_charge) == (None, 0)
    assert owed_by_the_agency(world) == 0


def test_taxes_are_held_charged_and_written_line_by_line(database: Database, tmp_path: Path) -> None:
    taxes = """
        [[tax]]
        name = "State tax"
        state = "IL"
        percent = "7"
        call_types = ["local", "intrastate"]
        kind = "mandatory"
        from = 2026-01-01
        source = "made up"
    """
    file = demonstration().model_copy(update={"tax": taxes})
    world = World(database, tmp_path, file)
    row = asyncio.run(talked(world, 60))
    assert (row.charge, row.tax, row.taxes) == (64_200, 4_200, "State tax 0.0042")
    assert row.held == 963_000
    steps.assert_books_are_right(world)


def test_a_dearer_hour_that_may_begin_while_it_rings_is_reserved_for(
    database: Database, tmp_path: Path
) -> None:
    one_minute_to_six = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
    world = world_of(database, tmp_path, *NIGHT, at=one_minute_to_six)
    row = asyncio.run(talked(world, 120))  # a minute for .03, another for .09
    assert row.held == 15 * 90_000
    assert row.charge == 120_000
    steps.assert_books_are_right(world)


def test_no_call_is_charged_more_than_was_held(database: Database, tmp_path: Path) -> None:
    """A talk that begins later than any can, by a clock that was moved: the rest is nobody's debt."""
    world = world_of(database, tmp_path, *NIGHT, at=datetime(2026, 11, 23, 18, tzinfo=UTC))

    async def late() -> Any:
        call_id = await steps.accepted(world)
        start = world.at.timestamp() + 12 * 3600
        seen = evidence.note(f"{start:.6f} {start + 900:.6f} 16")
        await settle_call(world.node, call_id, Ending(Outcome.SYSTEM_FAULT), seen=seen)
        return steps.record(world, call_id)

    row = asyncio.run(late())
    assert row.charge == row.held == 15 * 30_000
    steps.assert_books_are_right(world)


def test_a_first_minute_of_its_own_price_is_said_so(database: Database, tmp_path: Path) -> None:
    world_of(database, tmp_path, (SIMPLE, FIRST_MINUTE_DEARER)).plays("""
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_id_and_pin
        > 10012468
        enter_number
        > 2
        price_first_minute first=0.12 each=0.06
        talk_time time=15
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
        price_first_minute first=0.12 each=0.06
        cost_in_all time=15 total=0.96
        charged_offer
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 1
        balance balance=5.00
        connecting
    talks 90 s
    record:
        completed prepaid 90 s 0.15
    """)


def test_what_the_balance_pays_for_counts_the_dearer_of_two_hours(database: Database, tmp_path: Path) -> None:
    at = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
    world = world_of(
        database, tmp_path, *NIGHT, ('opening_balance = "5.00"', 'opening_balance = "0.45"'), at=at
    )

    async def granted() -> Grant | Refused:
        return (await steps.decided(world, steps.PAID))[1]

    grant = asyncio.run(granted())
    assert isinstance(grant, Grant)
    assert (grant.limit_ms, grant.cutoff) == (300_000, "balance")


SHORT_OF_THE_DAY = timedelta(seconds=-10)


def test_a_talk_that_can_touch_a_day_of_a_higher_share_has_it(database: Database, tmp_path: Path) -> None:
    """Colorado's prisons pay everything from 2026-07-01; midnight is Chicago's here."""
    midnight = datetime(2026, 7, 1, 5, tzinfo=UTC)
    world = world_of(database, tmp_path, *COLORADO, at=midnight + SHORT_OF_THE_DAY)
    row = asyncio.run(talked(world, 60))
    assert (row.payer, row.charge, row.agency_charge) == ("free", 0, 60_000)
    assert row.agency_rule == "co-prison-2026"


def test_a_talk_that_can_touch_a_day_of_a_lower_cap_is_charged_by_it(
    database: Database, tmp_path: Path
) -> None:
    """Before 2026-04-06 calls inside a state had no cap; the tariff ends with that."""
    midnight = datetime(2026, 4, 6, 5, tzinfo=UTC)
    file = (
        ('"0.06"', '"0.50"'),
        ("valid_from = 2026-04-06", "valid_from = 2026-01-01\nvalid_to = 2026-04-05"),
    )
    only_in_state = ('"intrastate", "interstate"]', '"intrastate"]')
    world = world_of(database, tmp_path, *file, only_in_state, at=midnight + SHORT_OF_THE_DAY)
    assert asyncio.run(talked(world, 60)).charge == 130_000
    world.at -= timedelta(days=1)
    assert asyncio.run(talked(world, 60, keys="6")).charge == 500_000


def test_no_long_increment_is_loaded(world: World) -> None:
    quarter = demonstration((SIMPLE, SIMPLE.replace("first_seconds = 60", "first_seconds = 900")))
    with pytest.raises(FacilityFileError, match="charges 900 s at a time"):
        world.database.transact_now(load, quarter, KEY, world.at)


AT_MOST = (SIMPLE, SIMPLE + 'max_cost = "0.30"\nmax_cost_then = "disconnect"\n')


@pytest.mark.parametrize(("law", "payer"), [((), "prepaid"), (MASSACHUSETTS, "free")])
def test_a_call_ends_at_its_highest_cost_and_says_so(
    database: Database, tmp_path: Path, law: tuple[tuple[str, str], ...], payer: str
) -> None:
    row = asyncio.run(talked(world_of(database, tmp_path, AT_MOST, *law), 300))
    assert (row.payer, row.charge + row.agency_charge) == (payer, 300_000)
    assert (row.reason, row.limit_set_by, row.cut_off_by) == ("limit_reached", "max_cost", "max_cost")


def test_without_a_tariff_of_the_day_there_is_no_call(database: Database, tmp_path: Path) -> None:
    world = world_of(database, tmp_path, at=datetime(2026, 4, 5, 18, tzinfo=UTC))
    assert asyncio.run(steps.decided(world, steps.PAID))[1] == Refused(Denial.NO_RATE, {})


def test_a_price_is_fixed_when_it_is_held(world: World) -> None:
    async def play() -> Any:
        call_id = await steps.accepted(world)
        world.database.transact_now(load, demonstration(('"0.06"', '"0.12"')), KEY, world.at)
        start = world.at + timedelta(seconds=2)
        seen = evidence.note(f"{start.timestamp():.6f} {start.timestamp() + 60:.6f} 16")
        await settle_call(world.node, call_id, Ending(Outcome.SYSTEM_FAULT), seen=seen)
        return steps.record(world, call_id)

    assert asyncio.run(play()).charge == 60_000


@pytest.mark.parametrize("change", [(SIMPLE, SIMPLE), (SIMPLE, FIRST_MINUTE_DEARER)])
def test_quote_hold_limit_and_bill_are_one_price(
    database: Database, tmp_path: Path, change: tuple[str, str]
) -> None:
    """Talked to its limit, a call costs what was quoted, and what was held."""
    world = world_of(database, tmp_path, change)

    async def play() -> tuple[Grant, int, Any]:
        controls = await steps.keyed(world)
        grant = await controls.authorise()
        assert isinstance(grant, Grant)
        await controls.dialling(grant)
        called = CalledPartyControls(world.node, controls.call_id, "PJSIP/carrier-1")
        offered = (await called.offer()).quote.longest.due
        await called.accept("1", "en")
        start = world.at.timestamp()
        seen = evidence.note(f"{start:.6f} {start + grant.limit_ms / 1000:.6f} 16")
        await settle_call(world.node, controls.call_id, Ending(Outcome.SYSTEM_FAULT), seen=seen)
        return grant, offered, steps.record(world, controls.call_id)

    grant, offered, row = asyncio.run(play())
    assert row.talk_ms == row.limit_ms == grant.limit_ms
    assert grant.quote.longest.due == offered == row.held == row.charge


CHANGING = """steps = [
    { from_s = 0, price = "0.02", per_s = 60, increment_s = 60 },
    { from_s = 120, price = "0.13", per_s = 60, increment_s = 60 },
]
"""


def test_a_price_that_changes_in_the_call_is_said_with_what_it_comes_to(
    database: Database, tmp_path: Path
) -> None:
    world_of(database, tmp_path, (SIMPLE, CHANGING)).plays("""
    inmate:
        welcome facility=example-county-jail
        choose_language
        choose_language
        > 1
        enter_id_and_pin
        > 10012468
        enter_number
        > 2
        price_changes first=0.02
        cost_in_all time=15 total=1.73
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
        price_changes first=0.02
        cost_in_all time=15 total=1.73
        charged_offer
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language
        > 2
        refused
    record:
        refused prepaid 0 s 0.00
    """)


def test_an_hour_that_changes_the_price_is_never_said_as_one_price(
    database: Database, tmp_path: Path
) -> None:
    before_six = datetime(2026, 11, 23, 23, 55, tzinfo=UTC)
    world = world_of(database, tmp_path, *NIGHT, at=before_six)
    grant = asyncio.run(steps.decided(world, steps.PAID))[1]
    assert isinstance(grant, Grant)
    assert not grant.quote.is_steady
    assert grant.quote.longest.due == 5 * 30_000 + 10 * 90_000


def test_a_tariffs_text_is_kept_under_its_own_hash_though_a_load_came_between(world: World) -> None:
    def look(conn: Connection) -> Money:
        """What a minute costs now."""
        place = lookup.facility_by_id(conn, FACILITY)
        assert place is not None
        found = tariffs.tariff_on(conn, FACILITY, place.time_zone, world.at.date())
        assert found is not None
        return cheapest(found)

    def cheapest(found: Tariff) -> Money:
        return min(cheapest_minute(row.timetable) for row, _ in found.rows())

    def load_between(conn: Connection) -> None:
        """The statement that reads the hash comes before a load, the one that reads the text after it."""
        held = conn.execute(tariffs._ON, {"facility_id": FACILITY, "on": world.at.date()}).one()
        load(conn, demonstration(('"0.06"', '"0.05"')), KEY, world.at)
        found = tariffs.tariff_of(conn, FACILITY, "America/Chicago", held)
        assert found is not None
        assert cheapest(found) == 50_000

    tariffs._read.clear()
    world.database.transact_now(load_between)
    world.database.transact_now(load, demonstration(), KEY, world.at)
    assert world.database.read_now(look) == 60_000


TOLL_FREE = "18005550199"
LISTED = (
    (
        '{ number = "+1 217 555 0108", speed_dial = "8" },',
        f'{{ number = "+{TOLL_FREE}", speed_dial = "8" }},',
    ),
    ('    "+1 217 555 0108", ', f'    "+{TOLL_FREE}", '),
)
PRICED = ('call_types = ["local", ', 'call_types = ["toll_free", "local", ')
ALLOWED = ("toll_free = false", "toll_free = true")


@pytest.mark.parametrize(
    ("said", "refused"), [(PRICED, Denial.NUMBER_TYPE_BLOCKED), (ALLOWED, Denial.NO_RATE)]
)
def test_a_toll_free_number_is_not_called_unless_facility_and_tariff_say_so(
    database: Database, tmp_path: Path, said: tuple[str, str], refused: Denial
) -> None:
    world = world_of(database, tmp_path, *LISTED, said)
    assert asyncio.run(steps.decided(world, TOLL_FREE))[1] == Refused(refused, {})


def test_a_toll_free_number_is_called_where_both_say_so(database: Database, tmp_path: Path) -> None:
    row = asyncio.run(talked(world_of(database, tmp_path, *LISTED, PRICED, ALLOWED), 60, TOLL_FREE))
    assert (row.call_type, row.charge) == ("toll_free", 60_000)
