"""What may be charged: tariffs and plans that break a rule are not loaded, or told of where they stood before."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from accounts.db import Database
from ivr.cli.prices import plan_line
from ivr.facility.file import FacilityFileError
from ivr.facility.lawfulness import alerts, tariffs_of, unbilled_calls
from ivr.facility.lookup import facility_by_id
from ivr.facility.tables import tariff
from ivr.loading import load
from rating.money import Money
from rating.plans import Plan
from rating.tariff_file import TariffFileError
from tests.controller import steps
from tests.controller.test_pricing import COLORADO, FACILITY, MASSACHUSETTS, NO_PLAN, SIMPLE, talked, world_of
from tests.transcripts.play import KEY, NOON, World, demonstration

REFUSED = {
    "above the cap": (('"0.06"', '"0.14"'), ["example-county-2026: From 2026-04-06", "0.13 ", "asks 0.14"]),
    "a fee for each call": (
        (SIMPLE, SIMPLE + 'connect_fee = "0.25"\n'),
        ["example-county-2026: From 2026-04-06 no fee for each call", "64.6080", "0.25"],
    ),
    "a plan dearer than the cap": (
        ('price = "20.00"', 'price = "200.00"'),
        ["family-100: ", "64.6140", "200.00"],
    ),
    "a plan that never pays": (("calls = 100", "calls = 20"), ["family-100: ", "23 calls", "64.6140"]),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_price_that_the_law_forbids_is_not_loaded(world: World, kind: str) -> None:
    change, told = REFUSED[kind]
    with pytest.raises(FacilityFileError) as refusal:
        world.database.transact_now(load, demonstration(change), KEY, world.at)
    for words in told:
        assert words in str(refusal.value)
    assert world.database.transact_now(load, demonstration(), KEY, world.at) == []


def test_a_tariff_that_stood_before_the_cap_fell_is_an_alert_and_charged_at_the_cap(
    database: Database, tmp_path: Path
) -> None:
    world = world_of(database, tmp_path, ('"0.06"', '"0.12"'))
    assert world.database.read_now(alerts, world.at) == []
    grown = demonstration(('"0.06"', '"0.12"'), ("population = 240", "population = 1200"))
    told = world.database.transact_now(load, grown, KEY, world.at)
    assert any(line.startswith("alert: example-county-2026: From 2026-11-23") for line in told)
    assert world.database.read_now(alerts, world.at)
    assert asyncio.run(talked(world, 60)).charge == 100_000


def refusal_of(database: Database, *changes: tuple[str, str], at: datetime = NOON) -> str:
    """Why a file is not loaded into a new database."""
    with pytest.raises(FacilityFileError) as refusal:
        database.transact_now(load, demonstration(*changes), KEY, at)
    return str(refusal.value)


IN_THE_COUNTRY = 'call_types = ["local", "intrastate", "interstate"]'


def test_a_plan_without_prices_to_measure_it_by_is_not_loaded(database: Database) -> None:
    for change in ((IN_THE_COUNTRY, 'call_types = ["interstate"]'), ('["demonstration-tariff.toml"]', "[]")):
        assert "family-100: No tariff has a price of calls inside the state" in refusal_of(database, change)


def test_where_calls_are_free_by_law_no_plan_is_loaded(database: Database) -> None:
    told = refusal_of(database, MASSACHUSETTS[0])
    assert "family-100: From 2026-11-23 calls are free by law" in told
    assert "never pays" in told


def test_a_plan_that_never_pays_is_not_said_to(database: Database, tmp_path: Path) -> None:
    world = world_of(database, tmp_path, *MASSACHUSETTS)
    place = world.database.read_now(facility_by_id, FACILITY)
    assert place is not None
    (held,) = world.database.read_now(lambda conn: list(tariffs_of(conn, place)))
    family = Plan(Money(20_000_000), 100)
    said = plan_line(held, place, NOON.date(), "family-100", family)
    assert said.endswith("for 20.00; never pays: calls inside the state cost nothing")


def test_a_plan_is_measured_by_what_its_payers_pay_and_may_pay(database: Database) -> None:
    """By the agency's share, by the price of a part of the state, by the lowest cap to come."""
    in_2025 = datetime(2025, 7, 2, 18, tzinfo=UTC)
    prison = (*COLORADO[:3], ("valid_from = 2026-04-06", "valid_from = 2025-07-01\nvalid_to = 2026-06-30"))
    assert "family-100: The plan pays only from 89 calls" in refusal_of(
        database, *prison, ("calls = 100", "calls = 88"), at=in_2025
    )
    cheap = '[[rate]]\nname = "cheap"\nper_minute = "0.001"\n[[price]]\nrate = "cheap"\nprefix = "1217"\n[[price]]'
    assert "pays only from 1334 calls" in refusal_of(database, ("[[price]]", cheap))
    soon = ("valid_from = 2026-04-06", "valid_from = 2026-01-01\nvalid_to = 2026-04-06")
    dear = ('price = "20.00"', 'price = "196.00"')
    assert "195" in refusal_of(database, soon, dear, at=datetime(2026, 2, 1, 18, tzinfo=UTC))


def test_a_plan_and_a_tariff_of_one_name_are_told_apart(world: World) -> None:
    renamed = ('id = "family-100"\nprice = "20.00"', 'id = "example-county-2026"\nprice = "900.00"')
    assert "example-county-2026: 100 calls of 15 minutes may cost at most" in refusal_of(
        world.database, renamed
    )


def test_what_is_over_raises_no_alert(database: Database, tmp_path: Path) -> None:
    ended = (
        ('"0.06"', '"0.12"'),
        ("valid_from = 2026-04-06", "valid_from = 2026-04-06\nvalid_to = 2026-11-22"),
    )
    world = world_of(database, tmp_path, *ended, *NO_PLAN)
    grown = demonstration(*ended, *NO_PLAN, ("population = 240", "population = 1200"))
    told = world.database.transact_now(load, grown, KEY, world.at)
    assert not [line for line in told if line.startswith("alert: example-county-2026")]
    assert world.database.read_now(alerts, world.at) == []
    assert world.database.read_now(alerts, world.at - timedelta(days=2))


def test_the_types_of_call_that_are_free_by_law_and_have_no_rate_are_told(
    database: Database, tmp_path: Path
) -> None:
    world = world_of(database, tmp_path, *MASSACHUSETTS)
    (told,) = world.database.read_now(unbilled_calls, world.at)
    assert told.startswith("example-county-jail: example-county-2026: From 2026-11-23 calls are free by law")
    assert told.endswith("but international, toll-free calls have no rate: nobody is billed.")


def test_a_plan_is_measured_again_when_the_schedule_or_the_longest_call_change(world: World) -> None:
    for change in (("minutes = 15", "minutes = 3"), ('closes = "24:00"', 'closes = "00:10"')):
        told = world.database.transact_now(load, demonstration(change), KEY, world.at)
        assert any(line.startswith("alert: family-100: The plan pays only from") for line in told), change


def test_a_tariff_that_is_none_any_more_is_told_and_refuses_calls(world: World) -> None:
    def spoil(conn: Connection) -> None:
        conn.execute(update(tariff).values(text="id = 7", sha256="0" * 64))

    world.database.transact_now(spoil)
    (told,) = world.database.read_now(alerts, world.at)
    assert told.startswith("example-county-jail: example-county-2026: id: expected a text")
    with pytest.raises(TariffFileError):
        asyncio.run(steps.decided(world, steps.PAID))
    assert world.database.read_now(steps.open_holds) == []
