"""The figures as one table, absolute and as multiples of the bare loops'."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.measure import Figures, Report


@dataclass(frozen=True, slots=True)
class _Row:
    label: str
    figure: Callable[[Figures], float]
    decimals: int
    compared: bool = True


_ROWS = (
    _Row("calls a second, at full load", lambda of: of.calls_per_second, 0),
    _Row("CPU ms a call, at full load", lambda of: of.cpu_ms_full, 2),
    _Row("CPU ms a call, at half the rate", lambda of: of.cpu_ms_half, 2),
    _Row("last digit to verdict, ms, p50", lambda of: of.verdict_ms.p50, 2),
    _Row("                           p99", lambda of: of.verdict_ms.p99, 2),
    _Row("key 1 to connection, ms,   p50", lambda of: of.acceptance_ms.p50, 2),
    _Row("                           p99", lambda of: of.acceptance_ms.p99, 2),
    _Row("most memory, MB", lambda of: of.most_memory_mb, 0),
    _Row("AGI commands a call", lambda of: of.commands, 1),
    _Row("SQL statements a call", lambda of: of.statements, 1, compared=False),
    _Row("commits a call", lambda of: of.commits, 1, compared=False),
)


def lines(report: Report) -> Iterator[str]:
    """The table and what stands beneath it; no line is longer than 80 characters."""
    work = report.workload
    yield (
        f"{work.calls} calls from {work.phones} telephones, {work.talk_s:g} s of talk each; {report.database}"
    )
    yield f"then as many at {work.per_second:.0f} a second; half by subscription, half prepaid"
    yield ""
    yield f"{'':31}{'controller':>11}{'bare loop':>10}{'ratio':>7}{'+2 commits':>12}{'ratio':>7}"
    yield from map(_line, _ROWS, [report] * len(_ROWS))
    yield ""
    settled = report.settled
    yield f"Settled: {settled.subscription} by subscription, {settled.prepaid} prepaid; {len(settled.faults)} faults."
    if settled.too_short:
        yield f"{settled.too_short} were free: their events came too late to tell a second of talk."
    yield from (fault[:80] for fault in settled.faults[:10])


def _line(row: _Row, report: Report) -> str:
    real = row.figure(report.controller)
    line = f"{row.label:31}{real:11,.{row.decimals}f}"
    if not row.compared:
        return line
    for figures, width in ((report.bare, 10), (report.bare_commits, 12)):
        least = row.figure(figures)
        line += f"{least:{width},.{row.decimals}f}{_ratio(real, least):>7}"
    return line


def _ratio(real: float, least: float) -> str:
    return f"{real / least:.2f}" if least else "-"
