"""Fixtures of these tests: the demonstration facility on each database, and the commands on it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from accounts.db import Database
from ivr.cli import main
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
