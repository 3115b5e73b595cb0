"""One run: the controller, then the bare loops, under the same calls."""

import functools
import statistics
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from bench import books, facility, load
from bench.bare import Script
from bench.books import Settled
from bench.process import usage
from bench.servers import Server, bare, controller, scripts_of
from tests.fakes.asterisk import Result


@dataclass(frozen=True, slots=True)
class Workload:
    """So many calls as fast as the server answers, then as many at half that rate."""

    calls: int
    phones: int
    talk_s: float
    warm_up_calls: int = 20
    per_second: float | None = None  # the half rate, once it is known: the same for every server

    @property
    def all_calls(self) -> int:
        """Measured or not."""
        return self.warm_up_calls + 2 * self.calls


@dataclass(frozen=True, slots=True)
class Wait:
    """What half of the calls do not wait longer for, and what 99 of 100 do not."""

    p50: float
    p99: float

    @classmethod
    def of(cls, waits: Iterable[float]) -> Self:
        """From the waiting time of each call."""
        percentiles = statistics.quantiles(waits, n=100, method="inclusive")
        return cls(percentiles[49], percentiles[98])


@dataclass(frozen=True, slots=True)
class Figures:
    """What calls cost one server. Waiting times and database work are those at the half rate."""

    calls_per_second: float
    cpu_ms_full: float
    cpu_ms_half: float
    verdict_ms: Wait
    acceptance_ms: Wait
    most_memory_mb: float
    commands: float
    statements: float
    commits: float


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run."""

    workload: Workload
    database: str
    settled: Settled
    controller: Figures
    bare: Figures
    bare_commits: Figures


async def run(workload: Workload, url: str = "") -> Report:
    """Measure all three on a database in a folder of its own, or on the empty one that the URL names."""
    with tempfile.TemporaryDirectory(prefix="ivr-bench-") as name:
        folder = Path(name)
        async with controller(folder / "controller", url, workload.phones) as real:
            measured = await measure(real, workload)
            settled = await real.database.read(books.check, workload.all_calls)
            backend = real.database.backend
        # talk costs a bare loop nothing, and would only limit how many calls so many telephones can make
        again = replace(workload, per_second=measured.per_second, talk_s=0.0)
        async with bare(folder, measured.scripts, commits=False) as server:
            bare_figures = (await measure(server, again)).figures
        async with bare(folder, measured.scripts, commits=True) as server:
            commits_figures = (await measure(server, again)).figures
    return Report(
        replace(workload, per_second=measured.per_second),
        backend,
        settled,
        measured.figures,
        bare_figures,
        commits_figures,
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one server, the half rate that it was given, and the scripts of one of its calls."""

    figures: Figures
    per_second: float
    scripts: dict[str, Script]


async def measure(server: Server, workload: Workload) -> Measured:
    """Warm the server up, then put the workload on it."""
    plan = functools.partial(facility.plan, talk_s=workload.talk_s)
    asterisk, pid, calls, phones = server.asterisk, server.pid, workload.calls, workload.phones
    await load.at_once(asterisk, plan, phones=phones, calls=workload.warm_up_calls)
    await server.rest()
    begun = usage(pid)
    rate = load.calls_per_second(await load.at_once(asterisk, plan, phones=phones, calls=calls))
    await server.rest()
    between, work_before = usage(pid), await server.database_work()
    per_second = workload.per_second or rate / 2
    results = await load.at_rate(asterisk, plan, phones=phones, calls=calls, per_second=per_second)
    await server.rest()
    ended, work_after = usage(pid), await server.database_work()
    figures = Figures(
        calls_per_second=rate,
        cpu_ms_full=(between.cpu_ms - begun.cpu_ms) / calls,
        cpu_ms_half=(ended.cpu_ms - between.cpu_ms) / calls,
        verdict_ms=Wait.of(map(load.verdict_ms, results)),
        acceptance_ms=Wait.of(map(load.acceptance_ms, results)),
        most_memory_mb=ended.most_resident / 1_000_000,
        commands=statistics.fmean(map(load.commands, results)),
        statements=(work_after.statements - work_before.statements) / calls,
        commits=(work_after.commits - work_before.commits) / calls,
    )
    return Measured(figures, per_second, scripts_of(_typical(results)))


def _typical(results: Sequence[Result]) -> Result:
    """A call with as many commands as most have."""
    return sorted(results, key=load.commands)[len(results) // 2]
