"""Stories run ten at once on one stack for each database, fault stories five at once, each on its own.

Each test waits for its story.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from accounts.db import Database
from tests.database import fresh_database
from tests.telephony.faults import Theatre
from tests.telephony.registry import (
    FAULTS,
    FAULTS_ON_POSTGRESQL,
    ON_POSTGRESQL,
    STORIES,
    on_postgresql,
    plain,
)
from tests.telephony.scene import Scene
from tests.telephony.stack import ear, running_stack

AT_ONCE = 10
STACKS_AT_ONCE = 5


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

        def database(*, on_server: bool) -> str:
            """The URL of a new one; none stands for the stack's own file."""
            if not on_server:
                return ""
            server: str = request.getfixturevalue("postgresql_server")
            return running.enter_context(fresh_database(server))

        theatres = {
            name: Theatre(tmp_path_factory.mktemp("own"), database(on_server=name != plain(name)))
            for name in (*on_postgresql(FAULTS_ON_POSTGRESQL), *FAULTS)
            if name in names
        }
        scenes: dict[str, Scene] = {}
        for told_here in (list(STORIES), on_postgresql(ON_POSTGRESQL)):
            if asked := [name for name in told_here if name in names]:
                roles = [STORIES[plain(name)].role for name in told_here]
                url = database(on_server=told_here != list(STORIES))
                folder = tmp_path_factory.mktemp("shared")
                stage = running.enter_context(running_stack(folder, roles, database_url=url))
                opened = running.enter_context(Database.open(stage.settings.url))
                scenes |= {name: Scene(stage, opened, STORIES[plain(name)].role) for name in asked}
        pool = running.enter_context(ThreadPoolExecutor(STACKS_AT_ONCE))
        for name, theatre in theatres.items():
            found[name] = Told(theatre, pool.submit(FAULTS[plain(name)], theatre))
        pool = running.enter_context(ThreadPoolExecutor(AT_ONCE))
        for name, scene in scenes.items():
            found[name] = Told(scene, pool.submit(STORIES[plain(name)].plot, scene))
        yield found
        for each in found.values():
            each.end.cancel()


def _asked_for(session: pytest.Session) -> set[str]:
    """The stories by name: those of tests that tell one, and those of tests that look at what many have left."""
    names: set[str] = set()
    for item in session.items:
        if isinstance(item, pytest.Function) and "told" in item.fixturenames:
            asked: dict[str, Any] = item.callspec.params
            names |= {asked["name"]} if "name" in asked else set(asked["names"])
    return names
