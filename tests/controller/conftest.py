"""Fixtures of these tests: the demonstration facility on each database."""

from pathlib import Path

import pytest

from accounts.db import Database
from tests.transcripts.play import World


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """The demonstration facility, and a clock that stands at noon."""
    return World(database, tmp_path)
