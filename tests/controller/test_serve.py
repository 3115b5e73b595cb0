"""The real controller in its own process: what it logs, shows and takes, and that it is replaced when it is no more."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client.parser import text_string_to_metric_families

from accounts.db import Database
from dialplan.asterisk import FROZEN_SECONDS, Asterisk, AsteriskError
from dialplan.install import provide
from ivr.notify import Notifier
from ivr.own_asterisk import this_asterisk
from ivr.records.listing import Wanted, page
from ivr.staff import shown
from ivr.supervise import Supervisor
from tests.controller.serving import Served, environment, instance, prepare, serving
from tests.controller.test_facility_file import SOURCES, TEXT
from tests.database import only_sqlite
from tests.fakes.asterisk import PhoneCall
from tests.fakes.channel import run_agi
from tests.fakes.loop import in_loop

PIN, WRONG_PIN = "907431586024", "613250498877"
SECRETS = ("ami_controller", "agi_token", "pin_key")


async def make_calls(on: Served) -> None:
    """A call after a wrong PIN, talked to its end; and one whose script fails because a file is not there."""
    keys = ["2", f"1001{WRONG_PIN}#", f"1001{PIN}#", "1#", "2"]
    result = await on.asterisk.call(PhoneCall("demo-a1", keys, [["", "3", "1"]], talk_s=0.01))
    assert result.attempts[0].accepted
    broken = on.asterisk._new_channel("demo-a2", ["1", f"1001{PIN}#", "2#"], 0.0)
    broken.missing = frozenset({"en/ivr/please_hold"})
    await run_agi(broken, "127.0.0.1", on.settings.agi_port, "outbound")
    on.asterisk._end_channel(broken)


@only_sqlite
@pytest.mark.parametrize("form", ["text", "json"])
@in_loop
async def test_no_log_holds_a_pin_or_secret_and_each_line_of_a_call_names_it(
    database_url: str, form: str
) -> None:
    with instance(database_url, log_format=form, log_level="debug") as settings:
        prepare(settings, TEXT.replace('"2468"', f'"{PIN}"'))
        async with serving(settings) as on:
            await make_calls(on)
            log = on.log
        log += on.log
        secrets = [(settings.state_dir / "secrets" / name).read_text() for name in SECRETS]
        with Database.open(settings.url) as database:
            ids = {row.id for row in database.read_now(page, Wanted(), 10)}
    assert "script failed" in log
    assert "call settled" in log or "ami_connected" in log
    for secret in (PIN, WRONG_PIN, *secrets):
        assert secret not in log
    assert len(ids) == 2
    if form == "json":
        lines = [json.loads(line) for line in log.splitlines()]
        of_calls = [each for each in lines if each["event"] in ("script failed", "call settled")]
        assert of_calls
        assert {each["call_id"] for each in of_calls} <= ids
        assert all("exception" not in each or each["call_id"] in ids for each in lines)
    else:
        failed = [line for line in log.splitlines() if "script failed" in line]
        assert all(any(f"call_id={call_id}" in line for call_id in ids) for line in failed)


@in_loop
async def test_what_it_shows_while_it_runs(database_url: str) -> None:
    with instance(database_url) as settings:
        prepare(settings, TEXT)
        async with serving(settings) as on:
            assert await on.get("/healthz") == (200, '{"database":true,"asterisk":true}')
            await on.asterisk.call(
                PhoneCall("demo-a1", ["1", "10012468#", "1#", "2"], [["", "1"]], talk_s=0.01)
            )
            status, body = await on.get("/metrics")
            assert status == 200
            samples = {
                (sample.name, *sample.labels.values()): sample.value
                for family in text_string_to_metric_families(body)
                for sample in family.samples
            }
            assert samples["ivr_calls_ended_total", "completed"] == 1
            assert samples["ivr_calls_in_progress",] == 0
            assert samples["ivr_asterisk_connected",] == 1
            assert samples["ivr_database_commits_total",] > 5
            assert (await on.get("/admin"))[0] == 404
            on.ami.shut()
            async with asyncio.timeout(10):
                while (await on.get("/healthz"))[0] == 200:
                    pass
            assert await on.get("/healthz") == (503, '{"database":true,"asterisk":false}')


@in_loop
async def test_jobs_run_and_pins_are_told_once_through_it(database_url: str) -> None:
    with instance(database_url) as settings:
        prepare(settings, TEXT)
        async with serving(settings) as on:
            status, out, err = await on.ivr("jobs", "run")
            assert (status, "idle-accounts: nothing to do\n" in out, err) == (0, True, "")
            pins = on.settings.state_dir / "pins.csv"
            batch = ("b1", "--count", "2", "--value", "5", "--file", str(pins), "--note", "For a test")
            told = f"batch b1: 2 cards of $5.00 made; written to {pins}\n"
            assert await on.ivr("card", "batch", *batch) == (0, told, "")
            _, *made = pins.read_text("utf-8").splitlines()
            assert len(made) == 2
            assert not any(line.split(",")[1] in on.log for line in made)


@in_loop
async def test_commands_beside_it_that_change_something_go_through_it(database_url: str) -> None:
    with instance(database_url) as settings:
        prepare(settings, TEXT)
        async with serving(settings) as on:
            await take_commands(on)


async def take_commands(on: Served) -> None:
    """Each that changes something, and a second controller."""
    facility = on.settings.state_dir / "facility.toml"
    facility.write_text(TEXT)
    (tariff,) = SOURCES.beside
    facility.with_name(tariff).write_text(SOURCES.beside[tariff].replace('"0.06"', '"0.05"'))
    told = (0, "tariff example-county-2026: file rate.1.per_minute: 0.06 → 0.05\n", "")
    assert await on.ivr("load", str(facility), "--dry-run") == told
    assert (await on.ivr("load", str(facility)))[2].startswith("ivr: note: expected one, as the file changes")
    assert await on.ivr("load", str(facility), "--note", "Cheaper from today") == told
    with Database.open(on.settings.url) as database:
        [logged] = database.read_now(shown.changes_shown, shown.Wanted(most=1))
    assert logged["told"].endswith("file rate.1.per_minute: 0.06 → 0.05")
    assert (logged["change"], logged["note"]) == ("load", "Cheaper from today")
    assert await on.ivr("load", str(facility)) == (0, "nothing to change\n", "")
    rows = on.settings.state_dir / "blocked.csv"
    rows.write_text("number,note\n2175550140,Fraud\n")
    of = ("--facility", "example-county-jail")
    assert await on.ivr("import", "blocked", str(rows), *of) == (
        0,
        "blocked: 1 added, 0 changed, 0 as they were\n",
        "",
    )
    facility.write_text(TEXT.replace("calls = 57", "calls = 58"))
    status, out, err = await on.ivr("load", str(facility))
    assert (status, out) == (1, "")
    assert err.startswith("ivr: this contradicts the database: ")
    assert err.count("\n") == 1
    status, out, err = await on.ivr("serve")
    assert (status, out) == (1, "")
    assert "writer" in err or "controller of node main" in err
    assert err.count("\n") == 1


@only_sqlite
@in_loop
async def test_a_taken_port_is_told_in_one_line(database_url: str) -> None:
    with instance(database_url) as settings, socket.create_server(("127.0.0.1", settings.agi_port)):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivr.cli", "serve"),
            env=environment(settings),
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().startswith("ivr: ")
    assert "address already in use" in err.decode().lower()
    assert err.count(b"\n") == 1


class StandIn:
    """An Asterisk that only says that it runs."""

    def trouble(self) -> None:
        """Nothing is wrong."""

    def start(self) -> None:
        """Nothing to do."""

    def stop(self) -> None:
        """Nothing to do."""


def replaced(supervisor: Supervisor, pid: int) -> float:
    """Seconds until another controller is ready."""
    began = time.monotonic()
    while supervisor.controller.pid == pid or not supervisor.controller.ready:
        assert time.monotonic() - began < 10, "not replaced in ten seconds"
        time.sleep(0.02)  # a process's end and start: nothing to wait on
    return time.monotonic() - began


@only_sqlite
def test_a_controller_that_was_killed_or_frozen_is_replaced(database_url: str) -> None:
    with (
        instance(database_url) as settings,
        Supervisor(settings, cast(Asterisk, StandIn())) as supervisor,
    ):
        assert supervisor.controller.ready
        for fault in (signal.SIGKILL, signal.SIGSTOP):
            pid = supervisor.controller.pid
            os.kill(pid, fault)
            replaced(supervisor, pid)
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        last = supervisor.controller.pid
    with pytest.raises(ProcessLookupError):
        os.kill(last, 0)


@only_sqlite
def test_a_frozen_asterisk_ends_its_unit_with_one_line(database_url: str) -> None:
    """`ivr asterisk`, as systemd runs it: the unit restarts what ends."""
    with instance(database_url) as settings:
        prepare(settings, TEXT)
        unit = subprocess.Popen(
            [sys.executable, "-m", "ivr.cli", "asterisk"],
            env=environment(settings),
            stderr=subprocess.PIPE,
            text=True,
        )
        asterisk = this_asterisk(settings, provide())
        while "fully booted" not in said_at_the_console(asterisk):
            assert unit.poll() is None
        while len(children(unit.pid)) > 1:  # it asks the console itself before it says that it has started
            time.sleep(0.05)
        os.kill(innermost(unit.pid), signal.SIGSTOP)
        began = time.monotonic()
        _, err = unit.communicate(timeout=40)
        assert time.monotonic() - began > FROZEN_SECONDS
    assert err.startswith("ivr: Asterisk gave no sign of life for 10 s; its log is ")
    assert err.count("\n") == 1
    assert unit.returncode == 1


def said_at_the_console(asterisk: Asterisk) -> str:
    try:
        return asterisk.command("core waitfullybooted")
    except AsteriskError as not_yet:
        return str(not_yet)


def innermost(pid: int) -> int:
    """The process at the end of the line: inside the walls, if there are any."""
    while inner := children(pid):
        [pid] = inner
    return pid


def children(pid: int) -> list[int]:
    listed = (path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return [int(word) for words in listed for word in words.split()]


def notices(sock: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(sock.recv(100))
        except BlockingIOError:
            return found


@pytest.mark.parametrize("abstract", [False, True])
def test_the_supervisor_is_told_in_systemds_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool
) -> None:
    name = f"@ivr-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind("\0" + name[1:] if abstract else name)
        notifier = Notifier()
        notifier.ready()
        notifier.stopping()
        assert notices(sock) == [b"READY=1", b"STOPPING=1"]
        asyncio.run(alive_for(notifier, 0.1))
        told = notices(sock)
        assert set(told) == {b"WATCHDOG=1"}
        assert len(told) >= 2
    notifier.ready()  # nobody listens any more


async def alive_for(notifier: Notifier, seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await notifier.stay_alive()


def test_without_a_supervisor_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    notifier: Any = Notifier()
    notifier.ready()
    asyncio.run(notifier.stay_alive())
