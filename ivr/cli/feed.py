"""`ivr feed`: bookings, moves, releases and transfers from the jail-management system."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from accounts.db import DatabaseError, WriterLocked
from ivr.cli.staff import Facility
from ivr.config import load_settings
from ivr.feeding import Folder, feed_file

LOOKS_EACH_SECONDS = 2.0


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command("feed")
    def feed(
        file: Annotated[Path | None, typer.Argument(help="a CSV file in UTF-8")] = None,
        watch: Annotated[
            Path | None, typer.Option("--watch", metavar="FOLDER", help="take every *.csv that comes into it")
        ] = None,
        facility: Facility = None,
    ) -> None:
        """Take in bookings, moves, releases and transfers from the jail-management system.

        The header names the columns: event_id, at, event, inmate_id, and perhaps name, unit, pin. The event is one of
        booked, moved, released, transferred; times without an offset are the facility's. A file is taken in whole or
        not at all; an event that was taken in before is passed over, and so is one older than the inmate's latest.
        One that is more than a day ahead is a mistake, and so is an event_id of another event.
        With --watch, files that are done go to done/ in the folder, bad ones to refused/ with a report beside them.
        """
        if (file is None) is (watch is None):
            raise typer.BadParameter("either a file or --watch")
        if watch is not None:
            _watch(watch, facility)
        elif file is not None:
            typer.echo(_take(file, facility))


def _take(file: Path, facility: str | None) -> str:
    screen = Console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task(file.name, total=None)
        return feed_file(load_settings(), file, facility, lambda: progress.advance(task))


def _watch(path: Path, facility: str | None) -> None:
    """Until interrupted."""
    if not path.is_dir():
        raise typer.BadParameter(f"{path} is no folder")
    folder = Folder(load_settings(), path, facility)
    while True:
        try:
            for told in folder.take():
                typer.echo(told)
        except (DatabaseError, WriterLocked) as error:
            typer.echo(f"{error}; trying again", err=True)
        time.sleep(LOOKS_EACH_SECONDS)
