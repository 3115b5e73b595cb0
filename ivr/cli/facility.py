"""`ivr load`: a facility's file into the database."""

from pathlib import Path
from typing import Annotated

import typer

from accounts.db import Database, WriterLock
from dialplan.install import provide
from ivr.clock import utc_now
from ivr.config import Settings, load_settings
from ivr.control import NoController, ask
from ivr.facility.file import parse, read
from ivr.instance import asterisk_runs, control_socket, keyring_of, this_asterisk
from ivr.loading import load


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command("load")
    def load_file(
        file: Annotated[
            Path, typer.Argument(help="a facility's TOML file, such as examples/demonstration.toml")
        ],
    ) -> None:
        """Bring the database in step with a facility's file: all of it, or nothing.

        Loading the same file again changes nothing. With the controller running, it does the writing, and calls in
        progress go on under the settings that they began with.
        """
        settings = load_settings()
        changed = load_facility_file(settings, file)
        for line in changed or ["nothing to change"]:
            typer.echo(line)
        if asterisk_runs(settings) and any(line.startswith("station ") for line in changed):
            this_asterisk(settings, provide()).reload_pjsip()
            typer.echo("Asterisk knows the stations now; calls in progress went on")


def load_facility_file(settings: Settings, path: Path) -> list[str]:
    """Load through the running controller, or as the one writer if none runs; a line for each change."""
    text = read(path)
    file = parse(text, str(path))
    try:
        changed: list[str] = ask(control_socket(settings), "load", toml=text)
    except NoController:
        with WriterLock.take(settings.url), Database.open(settings.url) as database:
            return database.transact_now(load, file, keyring_of(settings).pin_key, utc_now())
    return changed
