"""`ivr report`: calls by hour, minutes by inmate, and what the agency pays; as tables, CSV and pictures."""

import csv
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Concatenate, ParamSpec

import typer
from rich.bar import Bar
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from ivr.cli.calls import open_database
from ivr.cli.given import DAY
from ivr.cli.staff import Facility, look
from ivr.clock import utc_now
from ivr.reports.agency import agency_calls
from ivr.reports.calls import calls_by_hour
from ivr.reports.minutes import minutes_by_inmate
from ivr.reports.plot import draw
from ivr.reports.report import Days, Report, days_of

P = ParamSpec("P")
First = Annotated[
    datetime | None, typer.Option("--from", parser=DAY, help="the first day, such as 2026-12-01")
]
Last = Annotated[datetime | None, typer.Option("--to", parser=DAY, help="the last day, included")]
AsCsv = Annotated[bool, typer.Option("--csv", help="comma-separated, with a header, and nothing else")]
Picture = Annotated[Path | None, typer.Option("--png", metavar="FILE", help="draw it into this file too")]
WEEK, MONTH = 7, 30
MOST_BARS = 40  # of a picture in a terminal


def register(app: typer.Typer) -> None:
    """Add the verb."""
    reports = typer.Typer(no_args_is_help=True, help="Reports over days, as tables, CSV and pictures.")
    app.add_typer(reports, name="report")

    @reports.callback()
    def _group() -> None:
        """Reports over whole days in the facility's time zone, as a table, as CSV and as a picture."""

    reports.command("calls")(calls)
    reports.command("minutes")(minutes)
    reports.command("agency")(agency)


def calls(
    *,
    facility: Facility = None,
    first: First = None,
    last: Last = None,
    as_csv: AsCsv = False,
    png: Picture = None,
) -> None:
    """Count calls by the hour of the day and by how they ended; without --from and --to over the last seven days."""
    _show(_made(calls_by_hour, facility, first, last, WEEK), as_csv=as_csv, png=png, with_rows=False)


def minutes(
    *,
    facility: Facility = None,
    first: First = None,
    last: Last = None,
    as_csv: AsCsv = False,
    png: Picture = None,
) -> None:
    """Tell each inmate's minutes beside what a law gives them; without --from and --to over the last seven days.

    That somebody looked is logged.
    """
    look("report minutes", _asked("minutes of each inmate", first, last))
    _show(_made(minutes_by_inmate, facility, first, last, WEEK, utc_now()), as_csv=as_csv, png=png)


def agency(
    *,
    facility: Facility = None,
    first: First = None,
    last: Last = None,
    as_csv: AsCsv = False,
    png: Picture = None,
) -> None:
    """List free calls and those that the agency pays for by law; without --from and --to over the last thirty days.

    That somebody looked is logged.
    """
    look("report agency", _asked("free and agency-paid calls", first, last))
    _show(_made(agency_calls, facility, first, last, MONTH), as_csv=as_csv, png=png)


def _asked(what: str, first: datetime | None, last: datetime | None) -> str:
    """What the log has of a report: of what, and of which days where those were said."""
    days = f"{first.date() if first else ''} to {last.date() if last else ''}".strip()
    return f"{what}, {days}" if first or last else what


def _made(
    report: Callable[Concatenate[Connection, Days, P], Report],
    facility: str | None,
    first: datetime | None,
    last: datetime | None,
    usual: int,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Report:
    def read(conn: Connection) -> Report:
        begins, ends = (each.date() if each else None for each in (first, last))
        return report(
            conn, days_of(conn, facility, begins, ends, now=utc_now(), usual=usual), *args, **kwargs
        )

    with open_database() as database:
        return database.read_now(read)


def _show(report: Report, *, as_csv: bool, png: Path | None, with_rows: bool = True) -> None:
    if png is not None:
        draw(report, png)
    if as_csv:
        lines = csv.writer(sys.stdout, lineterminator="\n")
        lines.writerow(report.columns)
        lines.writerows(report.rows)
        return
    console = Console()
    console.print(report.title)
    if with_rows and report.rows:
        console.print(_rows(report))
    if 1 < len(report.bars) <= MOST_BARS:
        console.print(_bars(report))
    for line in report.summary:
        console.print(line, highlight=False)


def _rows(report: Report) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in report.columns:
        table.add_column(column.replace("_", " "), no_wrap=True)
    for row in report.rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    return table


def _bars(report: Report) -> Table:
    heights = [sum(bar.parts.values()) for bar in report.bars]
    highest = max(1, *heights)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(width=50)
    for bar, height in zip(report.bars, heights, strict=True):
        table.add_row(bar.label, str(height), Bar(highest, 0, height))
    return table
