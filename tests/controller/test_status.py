"""`ivr status` tells how every part fares, whatever of it is down, within a second."""

import json
import subprocess
import sys
import threading
import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, insert, update

from dialplan.ports import free_ports
from ivr import status as node_status
from ivr.config import load_settings
from ivr.records.states import RecordingState
from ivr.records.tables import alert, recording, session
from tests.controller.conftest import Ivr
from tests.transcripts.play import World


@pytest.fixture(autouse=True)
def _nobody_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    ami, web = free_ports(2)
    monkeypatch.setenv("IVR_AMI_PORT", str(ami))
    monkeypatch.setenv("IVR_WEB_PORT", str(web))


def told(ivr: Ivr) -> dict[tuple[str, str], tuple[bool, str]]:
    lines = [json.loads(line) for line in ivr("status", "--json").out.splitlines()]
    return {(line["part"], line["name"]): (line["is_well"], line["told"]) for line in lines}


def test_everything_may_be_down_and_is_told_within_a_second(ivr: Ivr) -> None:
    began = time.process_time()  # what else the machine has to do is no matter
    said = ivr("status")
    assert time.process_time() - began < 1
    assert (said.status, said.err) == (1, "")
    marked = [line.split()[1] for line in said.out.splitlines() if line.startswith("!")]
    assert marked == ["asterisk", "controller", "database"]
    assert max(map(len, said.out.splitlines())) <= 80
    told_of = {part: text for (part, _), (_, text) in told(ivr).items()}
    assert told_of["asterisk"] == "down: no connection: Connection refused"
    assert told_of["controller"] == "down: Connection refused"
    assert told_of["database"].endswith("run `ivr db upgrade` first")


def test_telephones_switches_recordings_and_alerts_are_told_without_asterisk(
    ivr: Ivr, world: World, records: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def go_wrong(conn: Connection) -> None:
        lost = {"state": RecordingState.MISSING, "started_at": world.at}
        conn.execute(insert(recording).values(id="1" * 32, call_id=records[2], **lost))
        conn.execute(update(session).values(started_at=world.at - timedelta(hours=1)))
        conn.execute(insert(alert).values(kind="test", text="look", at=world.at))

    monkeypatch.setattr(node_status, "utc_now", lambda: world.at)
    before = told(ivr)
    assert before["recordings", ""] == (True, "0 missing, of the last 7 days")
    assert before["alerts", ""] == (True, "none; on call: nobody")
    world.database.transact_now(go_wrong)
    world.switches_off("finish", "station", "demo-a2")
    after = told(ivr)
    assert after["database", ""] == (True, "up; 1 call in progress")
    assert not after["asterisk", ""][0]
    assert after["recordings", ""] == (False, "1 missing, of the last 7 days")
    assert after["alerts", ""] == (False, "1 open: `ivr alerts`; on call: nobody")
    assert after["switch", "station/demo-a2"][1].endswith("by staff: why")
    used = (world.at - timedelta(hours=1)).astimezone(ZoneInfo("America/Chicago"))
    assert after["telephone", "demo-a1"] == (True, f"last used {used:%Y-%m-%d %H:%M}")
    assert after["telephone", "demo-a2"] == (True, "never used")


@pytest.mark.usefixtures("ivr", "on_database")
def test_a_part_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    monkeypatch.setattr(node_status, "_database", lambda _: answers.wait())
    [line] = [each for each in node_status.status(load_settings()) if each.part == "database"]
    answers.set()  # nobody has waited for it
    assert node_status.MOMENT_S < 1
    assert (line.is_well, line.told) == (False, "down: no answer")


#: What takes long to load, and only the controller or a few verbs need.
SLOW = (
    *(
        "alembic",
        "matplotlib",
        "numpy",
        "panoramisk",
        "psycopg",
        "redis",
        "starlette",
        "structlog",
        "stripe",
        "twilio",
    ),
    *("dialplan.check", "dialplan.render"),
)
LOADED = "import sys; from ivr.cli import command_line; command_line(sys.argv[1:]); print(*sys.modules)"


def test_it_loads_nothing_that_takes_long_and_that_it_does_not_need() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "status"], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "sqlalchemy" in loaded
    assert sorted(set(loaded) & set(SLOW)) == []
