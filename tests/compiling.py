"""A fixture: statements are compiled once in a run, not once for each test.

Each test opens a database of its own, so an engine of its own, whose first use of each statement compiles it: that was
more than half of the time that most tests took. Engines of one kind share what they have compiled here.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from accounts.db import engines

_first: dict[tuple[object, ...], Engine] = {}


def _sharing(*args: Any, **given: Any) -> Engine:
    """An engine with the dialect and the compiled statements of the first of its kind."""
    engine = create_engine(*args, **given)
    first = _first.setdefault((engine.dialect.name, given.get("isolation_level")), engine)
    if first is not engine:
        engine.dialect = first.dialect
        engine.pool._dialect = first.dialect
        engine._compiled_cache = first._compiled_cache
    return engine


@pytest.fixture(scope="session", autouse=True)
def statements_are_compiled_once() -> Iterator[None]:
    """For the whole session, in each process that runs tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(engines, "create_engine", _sharing)
        yield
