"""What an inmate hears who asks by telephone for a number to be added to their list."""

from pathlib import Path

import pytest

from accounts.db import Database
from ivr.staff import changes
from ivr.staff.desk import StaffError
from ivr.staff.requests import requests_shown
from tests.transcripts.play import KEY, LOG_IN, World, demonstration

TAKES_REQUESTS = ("requests_by_phone = false", "requests_by_phone = true")
ONE_AT_A_TIME = ("requests_by_phone = true", "requests_by_phone = true\nrequests_waiting_maximum = 1")
ASKED, NOTED = "2175550150", "+12175550150"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, demonstration(TAKES_REQUESTS))


def decides(world: World, change: str, request: object = None, **more: object) -> str:
    """The decision on a request, or on the first that waits."""
    waits = world.database.read_now(requests_shown, None, decided=False)
    given = {"request": request or waits[0]["request"], "note": "Asked the family", "author": "amy", **more}
    return world.database.transact_now(changes.do, change, changes.read(change, given), KEY, world.at)


ASKS = f"""
    inmate:{LOG_IN}
        > {ASKED}
        ending.number_not_allowed
        request_menu
        > 3
        request_taken
        another_call
        > silence
        goodbye
    record:
        number_not_allowed nobody 0 s 0.00
"""


def test_a_number_is_asked_for_waits_and_is_approved(world: World) -> None:
    world.plays(ASKS)
    [request] = world.database.read_now(requests_shown, None, decided=False)
    assert (request["inmate"], request["number"], request["station"]) == ("1001", NOTED, "demo-a1")
    world.plays(f"""
    inmate:{LOG_IN}
        > {ASKED}
        ending.number_not_allowed
        request_waits
        another_call
        > silence
        goodbye
    record:
        number_not_allowed nobody 0 s 0.00
    record:
        number_not_allowed nobody 0 s 0.00
    """)
    told = decides(world, "requests approve", request["request"], relation="Aunt")
    assert told == f"inmate 1001: {NOTED} added to the list, as was asked for"
    assert world.database.read_now(requests_shown, None, decided=False) == []
    [decided] = world.database.read_now(requests_shown, None, decided=True)
    assert (decided["state"], decided["decided by"], decided["note"]) == (
        "approved",
        "amy",
        "Asked the family",
    )
    with pytest.raises(StaffError, match="was approved by amy"):
        decides(world, "requests refuse", request["request"])


def test_who_was_refused_may_ask_again(world: World) -> None:
    world.plays(ASKS)
    assert decides(world, "requests refuse") == f"inmate 1001: the request for {NOTED} is refused"
    world.plays(ASKS.rstrip() + "\n    record:\n        number_not_allowed nobody 0 s 0.00\n")
    assert len(world.database.read_now(requests_shown, None, decided=True)) == 2


def test_another_key_asks_for_nothing(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > {ASKED}
        ending.number_not_allowed
        request_menu
        > silence
        another_call
        > silence
        goodbye
    record:
        number_not_allowed nobody 0 s 0.00
    """)
    assert world.database.read_now(requests_shown, None, decided=True) == []


def test_so_many_may_wait(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, demonstration(TAKES_REQUESTS, ONE_AT_A_TIME))
    world.plays(ASKS)
    world.plays(f"""
    inmate:{LOG_IN}
        > 2175550151
        ending.number_not_allowed
        requests_full
        another_call
        > silence
        goodbye
    record:
        number_not_allowed nobody 0 s 0.00
    record:
        number_not_allowed nobody 0 s 0.00
    """)


def test_a_full_list_takes_no_request_in(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, demonstration(TAKES_REQUESTS, ("pan_maximum = 20", "pan_maximum = 8")))
    world.plays(ASKS)
    with pytest.raises(StaffError, match="the list is full"):
        decides(world, "requests approve")
    assert len(world.database.read_now(requests_shown, "example-county-jail", decided=False)) == 1
