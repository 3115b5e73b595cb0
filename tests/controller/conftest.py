"""Fixtures of these tests: the demonstration facility on each database, and the commands on it."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from accounts.db import Database
from ivr.cli import main
from ivr.controls.settlement import Ending, settle
from ivr.policy.reasons import Outcome
from ivr.policy.talk import Evidence, Kind
from ivr.records import evidence
from tests.controller import steps
from tests.transcripts.play import World


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """The demonstration facility, and a clock that stands at noon."""
    return World(database, tmp_path)


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a command."""

    status: int
    out: str
    err: str


Ivr = Callable[..., Said]


@pytest.fixture
def ivr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ivr:
    """Runs a command on a terminal of eighty columns."""
    monkeypatch.setenv("IVR_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.delenv("IVR_CONFIG", raising=False)

    def run(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["ivr", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return Said(int(ended.value.code or 0), written.out, written.err)

    return run


@pytest.fixture
def on_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Commands use the test's own database."""
    monkeypatch.setenv("IVR_DATABASE_URL", database_url)
    return database_url


@pytest.fixture
def records(world: World, on_database: str) -> list[str]:
    """The ids of a prepaid call, a subscription call, a refused one, and one in progress."""
    ids = []
    for keys in (steps.PAID, steps.SUBSCRIBED):
        call_id = asyncio.run(steps.accepted(world, keys))
        ended = world.at + timedelta(seconds=83)
        for kind, at in ((Kind.TALK_FROM, world.at), (Kind.TALK_TO, ended)):
            world.database.transact_now(evidence.add, call_id, Evidence(kind, at), source="event", at=at)
        world.database.transact_now(settle, call_id, Ending(Outcome.SYSTEM_FAULT), at=ended, version="test")
        ids.append(call_id)
        world.at += timedelta(minutes=2)
    refused, _ = asyncio.run(steps.decided(world, "5"))
    return [*ids, refused, asyncio.run(steps.accepted(world))]
