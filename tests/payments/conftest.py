"""Fixtures of these tests: the processor on loopback, and the worker that asks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.db import Database
from ivr.paying import Paying
from ivr.processor import stripe
from ivr.processor.stripe import Stripe
from tests.controller.conftest import ivr, on_database  # noqa: F401 - pytest finds fixtures by their names
from tests.payments.stripe_server import SECRET_KEY, Books, serving
from tests.transcripts.play import World


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Stripe, Books]]:
    """Stripe's library, and the books of the server that it speaks to; a silent one is given up soon."""
    monkeypatch.setattr(stripe, "TIMEOUT_SECONDS", 2.0)
    with serving() as (address, books):
        yield Stripe(SECRET_KEY, pages_end_at="https://calls.example/thanks", api=address), books


@pytest.fixture
def books(processor: tuple[Stripe, Books]) -> Books:
    """What the processor knows."""
    return processor[1]


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """The demonstration facility, and a clock that stands at noon."""
    return World(database, tmp_path)


@pytest.fixture
def paying(world: World, processor: tuple[Stripe, Books]) -> Paying:
    """The worker."""
    return Paying(world.database, processor[0], lambda: world.at, public_url="https://calls.example")
