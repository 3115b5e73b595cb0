"""The prepared books on each database."""

from collections.abc import Iterator

import pytest

from tests.accounts.world import Place


@pytest.fixture
def place(database_url: str) -> Iterator[Place]:
    """A facility where everybody may pay."""
    made = Place(database_url)
    yield made
    made.close()
