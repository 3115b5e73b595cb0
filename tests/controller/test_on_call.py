"""Whoever is on call is told of alerts by SMS and e-mail: once, again where nobody acts, and never in a storm."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select

from accounts.payment_tables import notice
from ivr.login import own_login
from ivr.paging import MOST_TOLD, keep_paging, page
from ivr.policy.paging import AGAIN, QUIET
from ivr.records.alerts import alert, done, open_alerts
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.fakes.loop import in_loop
from tests.transcripts.play import World

NOTE = ("--note", "for a test")
AMYS = {"sms": "+12175550190", "email": "amy@jail.example"}


@pytest.fixture(autouse=True)
def on_call(ivr: Ivr, on_database: str) -> None:
    """Amy, an administrator, is on call."""
    assert ivr("operator", "add", "amy", "--role", "administrator", "--login", own_login(), *NOTE).status == 0
    refused = ivr("operator", "on-call", "amy")
    assert is_one_line(refused, "nobody knows how to tell them; `ivr operator reach` says it")
    assert is_one_line(ivr("operator", "reach", "amy"), "expected at least one of sms, email")
    said = ivr("operator", "reach", "amy", "--sms", "(217) 555-0190", "--email", AMYS["email"])
    assert said.out == f"operator amy: told of alerts by {AMYS['sms']} and {AMYS['email']}\n"
    assert ivr("operator", "on-call", "amy").out == "operator amy: on call\n"


def alerted(world: World, text: str = "the carrier does not answer") -> None:
    world.database.transact_now(alert, "carrier", text, world.at)


def _first(world: World) -> int:
    return int(world.database.read_now(open_alerts)[0].id)


def notices(world: World) -> Sequence[Row[Any]]:
    rows = select(notice).where(notice.c.kind == "alert").order_by(notice.c.id)
    return world.database.read_now(lambda conn: conn.execute(rows).all())


def paged(world: World) -> int:
    return world.database.transact_now(page, world.at)


def test_controllers_of_several_nodes_tell_once(world: World) -> None:
    alerted(world)
    assert sorted(steps.at_once([lambda: paged(world)] * 4)) == [0, 0, 0, 1]
    assert len(notices(world)) == 2


def test_both_ways_are_told_once(world: World) -> None:
    alerted(world)
    assert (paged(world), paged(world)) == (1, 0)
    told = {"alerts": 1, "first": f"{_first(world)}, carrier: the carrier does not answer"}
    assert {row.channel: row.recipient for row in notices(world)} == AMYS
    assert [json.loads(row.told) for row in notices(world)] == [told, told]


def test_a_storm_is_two_messages_and_what_nobody_does_comes_again(world: World, ivr: Ivr) -> None:
    for n in range(100):
        alerted(world, f"`recording {n}` is missing")
        paged(world)
    assert len(notices(world)) == 2
    first, second, *others = [row.id for row in world.database.read_now(open_alerts)]
    world.at += QUIET
    assert paged(world) == 99
    assert json.loads(notices(world)[-1].told)["first"] == f"{second}, carrier: 'recording 1' is missing"
    world.at += AGAIN
    assert ivr("alerts", "--done", str(first)).status == 0
    assert paged(world) == 99
    for each in (second, *others):
        assert world.database.transact_now(done, each, "amy", world.at)
    world.at += AGAIN
    assert paged(world) == 0
    assert len(notices(world)) == 6


def test_a_long_alert_fits_a_telephone(world: World) -> None:
    alerted(world, "x" * 1000)
    paged(world)
    assert len(json.loads(notices(world)[0].told)["first"]) == MOST_TOLD


def test_what_nobody_was_told_waits_for_whoever_comes_on_call(world: World, ivr: Ivr) -> None:
    assert ivr("operator", "off-call", "amy").out == "operator amy: off call; on call: nobody\n"
    assert is_one_line(ivr("operator", "off-call", "amy"), "operator amy: is not on call")
    alerted(world)
    assert (paged(world), len(notices(world))) == (0, 0)
    lines = ivr("status", "--json").out.splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]  # beside what is logged
    assert {"alerts": "1 open: `ivr alerts`; on call: nobody"}.items() <= {
        each["part"]: each["told"] for each in told
    }.items()
    assert ivr("operator", "add", "bob", "--role", "operator", *NOTE).status == 0
    assert ivr("operator", "reach", "bob", "--sms", "+12175550191").status == 0
    assert ivr("operator", "on-call", "bob").status == 0
    listed = [json.loads(line) for line in ivr("operator", "list", "--json").out.splitlines()]
    assert {each["operator"]: each["on call"] for each in listed} == {"amy": "no", "bob": "+12175550191"}
    assert (paged(world), [row.recipient for row in notices(world)]) == (1, ["+12175550191"])
    assert ivr("operator", "remove", "bob", *NOTE).status == 0
    world.at += timedelta(days=1)
    assert paged(world) == 0


@in_loop
async def test_the_controller_does_it_by_itself(world: World) -> None:
    alerted(world)
    keeping = asyncio.create_task(keep_paging(world.database, lambda: world.at))
    for _ in range(500):
        if notices(world):
            break
        await asyncio.sleep(0.01)
    keeping.cancel()
    assert len(notices(world)) == 2
