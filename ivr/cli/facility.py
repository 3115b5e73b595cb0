"""`ivr load`: a facility's file into the database."""

from pathlib import Path
from typing import Annotated

import typer

from dialplan.install import provide
from ivr.config import load_settings
from ivr.instance import asterisk_runs, this_asterisk
from ivr.load_file import load_facility_file


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command("load")
    def load_file(
        file: Annotated[
            Path, typer.Argument(help="a facility's TOML file, such as examples/demonstration.toml")
        ],
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="show what would change, and change nothing")
        ] = False,
    ) -> None:
        """Bring the database in step with a facility's file: all of it, or nothing.

        Loading the same file again changes nothing. With the controller running, it does the writing, and calls in
        progress go on under the settings that they began with.
        """
        settings = load_settings()
        changed = load_facility_file(settings, file, dry_run=dry_run)
        for line in changed or ["nothing to change"]:
            typer.echo(line)
        if dry_run:
            return
        if asterisk_runs(settings) and any(line.startswith("station ") for line in changed):
            this_asterisk(settings, provide()).reload_pjsip()
            typer.echo("Asterisk knows the stations now; calls in progress went on")
