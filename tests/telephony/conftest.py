"""Stories run ten at once on one stack, fault stories three at once on their own; each test waits for its story."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from accounts.db import Database
from tests.telephony.faults import Theatre
from tests.telephony.registry import FAULTS, STORIES
from tests.telephony.scene import Scene
from tests.telephony.stack import ear, running_stack

AT_ONCE = 10
STACKS_AT_ONCE = 3


class Witness(Protocol):
    """Whoever can say what happened."""

    def account(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Told:
    """A story that runs or has run."""

    witness: Witness = field(repr=False)
    end: Future[None] = field(repr=False)

    def hear(self) -> None:
        """Wait for the story's end; raises what went wrong, after what happened was printed."""
        try:
            self.end.result()
        except BaseException:
            print(self.witness.account())
            raise


@pytest.fixture(scope="session")
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Told]]:
    """Every story that was asked for; all of them have begun, or wait for a free place in their order."""
    names = _asked_for(request.session)
    ear()  # learns the prompts before anybody listens
    with ExitStack() as running:
        found: dict[str, Told] = {}
        if faults := [name for name in FAULTS if name in names]:
            pool = running.enter_context(ThreadPoolExecutor(STACKS_AT_ONCE))
            for name in faults:
                theatre = Theatre(tmp_path_factory.mktemp("own"))
                found[name] = Told(theatre, pool.submit(FAULTS[name], theatre))
        if stories := [story for story in STORIES.values() if story.name in names]:
            roles = [story.role for story in STORIES.values()]
            stage = running.enter_context(running_stack(tmp_path_factory.mktemp("shared"), roles))
            database = running.enter_context(Database.open(stage.settings.url))
            pool = running.enter_context(ThreadPoolExecutor(AT_ONCE))
            for story in stories:
                scene = Scene(stage, database, story.role)
                found[story.name] = Told(scene, pool.submit(story.plot, scene))
        yield found
        for each in found.values():
            each.end.cancel()


def _asked_for(session: pytest.Session) -> set[str]:
    """The stories by name; a test that names none waits for all that share a stack."""
    names: set[str] = set()
    for item in session.items:
        if isinstance(item, pytest.Function) and "told" in item.fixturenames:
            names |= {str(item.callspec.params["name"])} if hasattr(item, "callspec") else set(STORIES)
    return names
