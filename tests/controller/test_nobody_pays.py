"""Nobody pays for calls on a booking and to a hotline by its code, whatever tariff and law say; no other call is so."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from accounts.db import Database
from ivr.controls import Accepted, CalledPartyControls, Grant, InmateControls, Refused
from ivr.controls.settlement import Ending, settle_call
from ivr.facility.tables import booking
from ivr.policy.reasons import Denial, Outcome
from ivr.records import evidence
from ivr.staff import changes
from tests.controller import steps
from tests.controller.test_pricing import MASSACHUSETTS, NO_PLAN, owed_by_the_agency
from tests.transcripts.play import KEY, SPEECH, World, demonstration

BOOKING, CODE, LOCAL = "515151", "66", "2175550102"
STATION = '[[station]]\nid = "demo-a2"'
DESK = (STATION, f'[[station]]\nid = "desk"\nlabel = "Booking desk"\nintake = true\n\n{STATION}')
HOTLINE = (
    "[[blocked]]    ",
    '[[number]]\nnumber = "+1 217 555 0114"\nlabel = "Grievances"\nhotline_kind = "grievance"\n'
    f'code = "{CODE}"\n\n[[blocked]]    ',
)
NO_RATE = ('call_types = ["local", "intrastate", "interstate"]', 'call_types = ["toll_free"]')
FREE_BY_LAW = MASSACHUSETTS[0]
ON_A_BOOKING, BY_CODE = ("desk", BOOKING), ("demo-a1", CODE)


def world_of(database: Database, folder: Path, *changes: tuple[str, str]) -> World:
    """The demonstration's facility with a booking desk and a hotline, without a plan."""
    return World(database, folder, demonstration(DESK, HOTLINE, *NO_PLAN, *changes))


async def authorised(world: World, station: str, entry: str, number: str) -> tuple[str, Grant | Refused]:
    """A call of whoever keys the entry there; a hotline's code is the whole number."""
    arrested = (world.at - timedelta(hours=1)).isoformat()
    given = {"booking": BOOKING, "arrested_at": arrested, "note": "arrest", "author": "sergeant"}
    asked = changes.read("intake open", given)
    world.database.transact_now(changes.do, "intake open", asked, KEY, world.at)
    name = update(booking).values(recorded_name=SPEECH)
    world.database.transact_now(lambda conn: conn.execute(name))
    controls = InmateControls(world.node, station, f"PJSIP/{station}-1")
    await controls.open_session()
    assert await controls.identify(entry)
    await controls.open_call(number)
    call_id = controls.call_id
    outcome = await controls.authorise()
    if isinstance(outcome, Grant):
        await controls.dialling(outcome)
    return call_id, outcome


async def talked(world: World, call_id: str, seconds: float) -> Any:
    """The record of the call once it was accepted and talked for so long."""
    called = CalledPartyControls(world.node, call_id, "PJSIP/carrier-1")
    assert not (await called.offer()).quote.longest.due
    assert isinstance(await called.accept("1", "en"), Accepted)
    start = world.at.timestamp()
    seen = evidence.note(f"{start:.6f} {start + seconds:.6f} 16")
    await settle_call(world.node, call_id, Ending(Outcome.SYSTEM_FAULT), seen=seen)
    return steps.record(world, call_id)


@pytest.mark.parametrize("law", [(), (FREE_BY_LAW,)], ids=["paid by law", "free by law"])
@pytest.mark.parametrize("tariff", [(), (NO_RATE,)], ids=["rate", "no rate"])
@pytest.mark.parametrize("whose", [ON_A_BOOKING, BY_CODE], ids=["booking", "hotline"])
def test_nobody_pays_whether_there_is_a_rate_or_not(
    database: Database,
    tmp_path: Path,
    whose: tuple[str, str],
    tariff: tuple[tuple[str, str], ...],
    law: tuple[tuple[str, str], ...],
) -> None:
    world = world_of(database, tmp_path, *tariff, *law)
    before = steps.available(world)

    async def play() -> Any:
        call_id, grant = await authorised(world, *whose, CODE if whose == BY_CODE else LOCAL)
        assert isinstance(grant, Grant)
        assert grant.payer == "free"
        return await talked(world, call_id, 83)

    row = asyncio.run(play())
    assert (row.reason, row.talk_ms, row.payer) == ("completed", 83_000, "free")
    assert (row.account_id, row.hold_id, row.held, row.charge, row.tax) == (None, None, 0, 0, 0)
    assert (row.calls_charged, row.agency_rule, row.agency_charge) == (0, None, 0)
    assert (steps.available(world), owed_by_the_agency(world)) == (before, 0)
    steps.assert_books_are_right(world)


@pytest.mark.parametrize("tariff", [(), (NO_RATE,)], ids=["rate", "no rate"])
def test_an_inmates_call_is_never_free_for_want_of_a_rate(
    database: Database, tmp_path: Path, tariff: tuple[tuple[str, str], ...]
) -> None:
    world = world_of(database, tmp_path, *tariff)
    _, outcome = asyncio.run(authorised(world, "demo-a1", steps.ALEX, LOCAL))
    if tariff:
        assert outcome == Refused(Denial.NO_RATE, {})
    else:
        assert isinstance(outcome, Grant)
        assert outcome.payer == "prepaid"


def test_who_keyed_a_code_reaches_that_number_and_no_other_for_nothing(
    database: Database, tmp_path: Path
) -> None:
    world = world_of(database, tmp_path)
    _, outcome = asyncio.run(authorised(world, *BY_CODE, LOCAL))
    assert outcome == Refused(Denial.NUMBER_INVALID, {})
    _, far = asyncio.run(authorised(world, *ON_A_BOOKING, "3125550103"))
    assert far == Refused(Denial.INTAKE_LOCAL_ONLY, {})
