"""Stories run eight at once on one stack; each test waits for its own."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from accounts.db import Database
from ivr.demonstration.stage import Stage
from tests.telephony.registry import STORIES, Story
from tests.telephony.scene import Scene
from tests.telephony.stack import running_stack

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Told:
    """A story that runs or has run."""

    scene: Scene = field(repr=False)
    end: Future[None] = field(repr=False)


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    roles = [each.role for each in STORIES.values()]
    with running_stack(tmp_path_factory.mktemp("shared"), roles) as running:
        yield running


@pytest.fixture(scope="session")
def told(request: pytest.FixtureRequest, shared_stack: Stage) -> Iterator[Mapping[str, Told]]:
    """Every story that was asked for, begun in the order in which they stand."""
    names = {
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and "told" in item.fixturenames
    }
    with Database.open(shared_stack.settings.url) as database, ThreadPoolExecutor(AT_ONCE) as pool:
        running = {
            each.name: _begun(each, shared_stack, database, pool)
            for each in STORIES.values()
            if each.name in names
        }
        yield running
        for each in running.values():
            each.end.cancel()


def _begun(story: Story, stage: Stage, database: Database, pool: ThreadPoolExecutor) -> Told:
    scene = Scene(stage, database, story.role)
    return Told(scene, pool.submit(story.plot, scene))
