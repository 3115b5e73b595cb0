"""Whole calls: what each side heard, what was written, what was paid, what was recorded."""

import importlib
from collections.abc import Mapping, Sequence
from concurrent.futures import wait

import pytest
from sqlalchemy import Connection, select

from accounts.tables import account
from accounts.verification import verify
from ivr.records.tables import call
from tests.telephony.conftest import Told
from tests.telephony.registry import ON_POSTGRESQL, STORIES, on_postgresql
from tests.telephony.scene import Scene

for module in (
    "limits",
    "refused",
    "guards",
    "accepted",
    "in_talk",
    "dialogues",
    "hangups",
    "denied",
    "reasons",
    "identity",
    "network",
    "service_line",
    "confidential",
    "unrecorded",
    "cutting",
    "console",
    "listening",
):
    importlib.import_module(f"tests.telephony.stories.{module}")

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("name", [*STORIES, *on_postgresql(ON_POSTGRESQL)])
def test_story(name: str, told: Mapping[str, Told]) -> None:
    told[name].hear()


@pytest.mark.parametrize(
    "names", [list(STORIES), on_postgresql(ON_POSTGRESQL)], ids=["on_sqlite", "on_postgresql"]
)
def test_after_all_stories_the_book_adds_up_and_nothing_is_held(
    names: Sequence[str], told: Mapping[str, Told]
) -> None:
    for name in names:
        wait([told[name].end])
    scene = told[names[0]].witness
    assert isinstance(scene, Scene)
    scene.wait(unsettled, lambda found: found == ([], []))
    assert scene.read(verify).faults == ()
    is_file = (scene.stage.settings.state_dir / "ivr.sqlite").exists()
    assert is_file is (names == list(STORIES))  # all this was in the database that was meant


def unsettled(conn: Connection) -> tuple[list[str], list[str]]:
    """Calls that are not sealed, and accounts of which something is held."""
    held = select(account.c.id).where(account.c.held != 0)
    return list(conn.scalars(select(call.c.id).where(call.c.sealed_at.is_(None)))), list(conn.scalars(held))
