"""`python -m bench`: measure, print the table, and fail if any call was settled wrong."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from accounts.db import DatabaseError
from bench import facility, report
from bench.load import CallFailed
from bench.measure import Workload, run
from bench.servers import ServerFailed


def main(
    calls: Annotated[
        int, typer.Option(min=20, help="how many at full load, and again at half the rate")
    ] = 1_000,
    phones: Annotated[
        int, typer.Option(min=1, max=facility.MOST_PHONES, help="how many telephones are in use at once")
    ] = 400,
    talk_seconds: Annotated[float, typer.Option(min=1.1, help="how long each talk lasts")] = 1.5,
    postgresql: Annotated[
        str,
        typer.Option(
            envvar="IVR_DATABASE_URL",
            metavar="URL",
            help="an empty database; else SQLite in a temporary file",
        ),
    ] = "",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="write the figures there too")
    ] = None,
) -> None:
    """Measure what a call costs the controller, beside a bare FastAGI loop with the same dialogue.

    An Asterisk is played on sockets, so the telephones' audio costs nothing here, and no recording is made.
    """
    workload = Workload(calls, min(phones, calls), talk_seconds)
    if workload.all_calls > workload.phones * facility.CALLS_OF_A_SUBSCRIPTION // 2:
        raise typer.BadParameter("too many calls for so few telephones: their subscriptions would be used up")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            measured = runner.run(run(workload, postgresql))
        except (DatabaseError, ServerFailed, CallFailed) as failure:
            raise SystemExit(str(failure)) from None
    for line in report.lines(measured):
        typer.echo(line)
    if json_file:
        json_file.write_text(json.dumps(asdict(measured), indent=2) + "\n")
    if measured.settled.faults:
        raise typer.Exit(1)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(main)
app()
