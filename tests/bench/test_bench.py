import asyncio
from pathlib import Path

import pytest
import uvloop

from accounts import schema
from accounts.db import Database, DatabaseUnsuitable
from bench import books, facility, load, policy, records, report
from bench.bare import DIAL
from bench.books import Settled
from bench.measure import Figures, Measured, Report, Wait, Workload, measure
from bench.servers import bare, controller
from ivr.keyring import Keyring
from tests.database import only_sqlite
from tests.transcripts.play import World

WORKLOAD = Workload(calls=20, phones=20, talk_s=2.0, warm_up_calls=0)

#: What one call may ask of the database: a little more than it does (41 and 10), so that work done twice is noticed.
MOST_STATEMENTS = 43
MOST_COMMITS = 12


async def measured(folder: Path, url: str) -> tuple[Measured, Settled]:
    async with controller(folder / "controller", url, WORKLOAD.phones) as real:
        found = await measure(real, WORKLOAD)
        return found, await real.database.read(books.check, WORKLOAD.all_calls)


def test_every_call_of_a_small_benchmark_is_settled_right_within_its_share_of_database_work(
    empty_database_url: str, tmp_path: Path
) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found, settled = runner.run(measured(tmp_path, empty_database_url))
    assert settled == Settled(subscription=20, prepaid=20, too_short=0, faults=())
    assert 0 < found.figures.statements <= MOST_STATEMENTS
    assert 0 < found.figures.commits <= MOST_COMMITS
    assert found.figures.cpu_ms_half > 0
    assert found.scripts["outbound"][-1] == DIAL
    assert schema.current(empty_database_url) is None, "the database is not left empty"


def test_a_database_that_is_in_use_is_refused_and_left_alone(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnsuitable, match="in use"):
        facility.prepare(database_url, Keyring(tmp_path), phones=1)
    assert schema.current(database_url) == schema.head()


@pytest.mark.parametrize("commits", [False, True])
def test_the_bare_loop_leads_a_call_from_its_scripts(tmp_path: Path, *, commits: bool) -> None:
    order = {
        "CALL_ID": "<call>",
        "DESTINATION": "12175550100",
        "LIMIT_MS": "900000",
        "FACILITY_NUMBER": "17305550100",
        "RING_SECONDS": "30",
        "WARNING": "warning.balance",
        "ENDED": "ended.balance",
        "VERDICT": "DIAL",
    }
    scripts = {
        "outbound": [f'"SET" "VARIABLE" "{name}" "{value}"' for name, value in order.items()],
        "accept": ['"SET" "VARIABLE" "ACCEPTED" "yes"'],
        "after_call": ['"SET" "VARIABLE" "VERDICT" "END"'],
    }

    async def call() -> None:
        async with bare(tmp_path, scripts, commits=commits) as server:
            (result,) = await load.at_once(
                server.asterisk, lambda phone: facility.plan(phone, 0), phones=1, calls=1
            )
            assert load.commands(result) == sum(map(len, scripts.values()))

    asyncio.run(call())


def test_the_table_fits_eighty_columns() -> None:
    most = Figures(
        1_234.5, 99.99, 99.99, Wait(123.45, 1_234.56), Wait(123.45, 1_234.56), 1_024.0, 55.5, 99.9, 99.9
    )
    settled = Settled(
        1_000, 1_000, 10, ("0" * 32 + ": a fault that is told at some length, further than a line is wide",)
    )
    workload = Workload(calls=1_000, phones=1_000, talk_s=1.5, per_second=1_000)
    lines = list(report.lines(Report(workload, "postgresql", settled, most, most, most)))
    assert len(lines) > 12
    assert max(map(len, lines)) <= 80


@only_sqlite
def test_each_row_about_the_controls_can_be_measured(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    World(database, tmp_path)
    monkeypatch.setattr(policy, "MANY", 3)
    for _, work, items in policy.rows(database):
        work(next(iter(items)))


def test_a_days_lists_and_reports_can_be_measured(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/records.sqlite"
    facility.prepare(url, Keyring(tmp_path), phones=2)
    with Database.open(url) as filled:
        filled.transact_now(records.fill, 50)
        assert len(list(records.measured(filled, 50))) == 11
