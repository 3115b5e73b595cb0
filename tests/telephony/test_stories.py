"""Whole calls: what each side heard, what was written, what was paid, what was recorded."""

import importlib
from collections.abc import Mapping
from concurrent.futures import wait

import pytest
from sqlalchemy import Connection, select

from accounts.tables import account
from accounts.verification import verify
from ivr.records.tables import call
from tests.telephony.conftest import Told
from tests.telephony.registry import STORIES
from tests.telephony.scene import Scene

for module in ("limits", "refused", "guards", "accepted", "dialogues", "hangups", "denied", "network"):
    importlib.import_module(f"tests.telephony.stories.{module}")

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str, told: Mapping[str, Told]) -> None:
    told[name].hear()


def test_after_all_stories_the_book_adds_up_and_nothing_is_held(told: Mapping[str, Told]) -> None:
    for name in STORIES:
        wait([told[name].end])
    scene = told[next(iter(STORIES))].witness
    assert isinstance(scene, Scene)
    scene.wait(unsettled, lambda found: found == ([], []))
    assert scene.read(verify).faults == ()


def unsettled(conn: Connection) -> tuple[list[str], list[str]]:
    """Calls that are not sealed, and accounts of which something is held."""
    held = select(account.c.id).where(account.c.held != 0)
    return list(conn.scalars(select(call.c.id).where(call.c.sealed_at.is_(None)))), list(conn.scalars(held))
