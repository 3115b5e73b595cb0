"""`ivr load`, `ivr dump` and `ivr check`: a facility's file into the database, out of it, and by itself."""

import textwrap
from pathlib import Path
from typing import Annotated

import typer

from dialplan.install import provide
from ivr.cli.calls import open_database
from ivr.cli.staff import look
from ivr.clock import utc_now
from ivr.config import load_settings
from ivr.dumping import DumpError, dump
from ivr.facility.check import findings
from ivr.facility.file import parse, read
from ivr.load_file import load_facility_file
from ivr.own_asterisk import asterisk_runs, this_asterisk


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("dump")(dump_file)
    app.command("check")(check)

    @app.command("load")
    def load_file(
        file: Annotated[
            Path, typer.Argument(help="a facility's TOML file, such as examples/demonstration.toml")
        ],
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="show what would change, and change nothing")
        ] = False,
        note: Annotated[
            str | None,
            typer.Option("--note", help="why; needed where the file changes a facility that there is"),
        ] = None,
    ) -> None:
        """Bring the database in step with a facility's file: all of it, or nothing.

        A line tells each thing that changes; `ivr changes` has them with who loaded the file, when and why. The first
        load of a facility needs no note, nor does one that changes nothing: loading the same file again. With the
        controller running, it does the writing, and calls in progress go on under the settings that they began with.
        """
        settings = load_settings()
        changed = load_facility_file(settings, file, dry_run=dry_run, note=note)
        for line in changed or ["nothing to change"]:
            typer.echo(_folded(line))
        if dry_run:
            return
        if asterisk_runs(settings) and any(line.startswith("station ") for line in changed):
            this_asterisk(settings, provide()).reload_pjsip()
            typer.echo("Asterisk knows the stations now; calls in progress went on")


def _folded(line: str) -> str:
    """In 80 columns, what goes on set in; no number and no path is broken."""
    return textwrap.fill(line, 80, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def dump_file(
    facility: Annotated[str, typer.Option("--facility", metavar="ID", help="the facility, by its id")],
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="write facility.toml there, and the tariffs that it names"),
    ] = None,
) -> None:
    """Write a facility's file as it stands in the database: loading it changes nothing.

    It holds no PIN, since none can be read back; loading keeps the PINs that there are. Without --folder the file
    is shown, and its tariffs are only named.
    """
    look("dump", f"facility {facility}")
    with open_database() as database:
        dumped = database.read_now(dump, facility)
    if folder is None:
        typer.echo(dumped.text, nl=False)
        return
    for name, text in {"facility.toml": dumped.text, **dumped.beside}.items():
        _write_new(folder / name, text)
        typer.echo(folder / name)


def _write_new(path: Path, text: str) -> None:
    """A file that was not there; what somebody has written is not written over."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise DumpError(f"{path}: {error.strerror}") from None


def check(
    file: Annotated[Path, typer.Argument(help="a facility's TOML file; the database is not looked at")],
) -> None:
    """Find contradictions and dead rules in a facility's file, one line each.

    Windows that never open, numbers both allowed and blocked, limits that never hold or give less than a law asks
    for, closures that are over. The exit status is 1 if anything was found.
    """
    found = findings(parse(read(file), str(file)), utc_now())
    for line in found or ["nothing to object to"]:
        typer.echo(line)
    if found:
        raise typer.Exit(1)
