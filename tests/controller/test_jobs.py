"""Jobs run by the hour and by hand: each to its end, whatever else fails, and twice at once does nothing twice."""

import asyncio
import threading
from collections.abc import Mapping
from datetime import datetime

import pytest
from sqlalchemy import Connection, func, insert, select

from accounts.chain import LEDGER
from ivr import jobs
from ivr.jobs import NAMES, Job, do_round, keep_jobs, standing
from ivr.records.tables import alert
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.kept import places_in
from tests.database import only_postgresql
from tests.fakes.loop import in_loop
from tests.transcripts.play import World

MOST = 3


def count(conn: Connection) -> int:
    return conn.scalar(select(func.count()).select_from(alert)) or 0


def fill(conn: Connection, at: datetime) -> int:
    """Writes what is missing of three rows, one at a time."""
    if count(conn) >= MOST:
        return 0
    conn.execute(insert(alert).values(kind="job", text="done", at=at))
    return 1


def fail(conn: Connection, at: datetime) -> int:
    conn.execute(insert(alert).values(kind="job", text="never kept", at=at))
    raise ValueError("no such thing")


def made(monkeypatch: pytest.MonkeyPatch, all_jobs: Mapping[str, Job]) -> None:
    monkeypatch.setattr(jobs, "JOBS", all_jobs)
    for module in ("ivr.cli.jobs", "ivr.jobs"):  # the other way round it would take its own from there
        monkeypatch.setattr(f"{module}.NAMES", tuple(all_jobs))


def test_jobs_run_to_their_end_and_a_failure_stops_no_other(
    ivr: Ivr, world: World, on_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(monkeypatch, {"broken": fail, "fill": fill})
    said = ivr("jobs", "run")
    assert said.status == 1
    assert said.out == "broken: failed: ValueError: no such thing\nfill: 3 done\n"
    assert said.err == "ivr: failed: broken (`ivr jobs list` says why)\n"
    assert world.database.read_now(count) == MOST
    listed = ivr("jobs", "list").out
    assert "ValueError: no such thing" in listed
    assert ivr("jobs", "run", "fill").out == "fill: nothing to do\n"
    unknown = ivr("jobs", "run", "nothing")
    assert unknown.status == 2
    assert "there is no job nothing, but broken, fill" in unknown.err


def test_every_job_is_listed_and_runs_on_a_new_facility(ivr: Ivr, world: World, on_database: str) -> None:
    assert "never" in ivr("jobs", "list").out
    said = ivr("jobs", "run")
    linked = world.database.read_now(
        LEDGER.head
    ).position  # what the facility's file has opened accounts with
    done = {"chain": f"{linked} done"}
    assert said.out.splitlines() == [f"{name}: {done.get(name, 'nothing to do')}" for name in NAMES]
    assert "never" not in ivr("jobs", "list").out


@in_loop
async def test_the_controller_runs_them_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made(monkeypatch, {"broken": fail, "fill": fill})
    places = places_in(world.node.recordings)
    running = asyncio.create_task(keep_jobs(world.database, places, lambda: world.at))
    for _ in range(500):
        row = (await world.database.read(standing)).get("fill")
        if row is not None and row.ran_at is not None:
            break
        await asyncio.sleep(0.01)
    running.cancel()
    rows = await world.database.read(standing)
    assert rows["broken"].failure == "ValueError: no such thing"
    assert rows["fill"].ran_at == world.at
    assert await world.database.read(count) == MOST


def test_a_job_run_many_times_at_once_does_its_work_once(world: World) -> None:
    def run() -> int:
        did = 0
        for _ in range(20):
            did += world.database.transact_now(do_round, "fill", world.at, {"fill": fill}).did
        return did

    assert sum(steps.at_once([run] * 6)) == MOST
    assert world.database.read_now(count) == MOST


@only_postgresql
def test_who_runs_a_job_that_another_is_at_passes_it_over(world: World) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(conn: Connection, at: datetime) -> int:
        began.set()
        assert go_on.wait(20)
        return fill(conn, at)

    world.database.transact_now(do_round, "fill", world.at, {"fill": fill})
    other = threading.Thread(
        target=lambda: world.database.transact_now(do_round, "fill", world.at, {"fill": slow})
    )
    other.start()
    assert began.wait(20)
    assert world.database.transact_now(do_round, "fill", world.at, {"fill": fill}).busy
    go_on.set()
    other.join()
    assert world.database.read_now(count) == 2
