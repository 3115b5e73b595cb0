"""`ivr recording` and `ivr alerts`: sealed recordings, legal holds, and what somebody has to look at."""

import getpass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ivr.cli.calls import open_database
from ivr.config import load_settings
from ivr.records.alerts import open_alerts
from ivr.staff.changes import perform

Recording = Annotated[str, typer.Argument(metavar="ID", help="the recording's id, or the beginning of it")]
Note = Annotated[str, typer.Option("--note", help="why, for those who ask later")]
Facility = Annotated[str | None, typer.Option("--facility", help="needed where there are several")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    recordings = typer.Typer(no_args_is_help=True, help="Sealed recordings, and legal holds.")
    app.add_typer(recordings, name="recording")
    for verb in (open_, destroy, hold, release):
        recordings.command(verb.__name__.rstrip("_"))(verb)
    app.command()(alerts)


def open_(recording: Recording, note: Note, facility: Facility = None) -> None:
    """Let a sealed recording be heard: done by the second of two operators who want it."""
    _change("recording open", recording, note, facility)


def destroy(recording: Recording, note: Note, facility: Facility = None) -> None:
    """Destroy a sealed recording: done by the second of two operators who want it, never under a legal hold."""
    _change("recording destroy", recording, note, facility)


def hold(recording: Recording, note: Note, facility: Facility = None) -> None:
    """Put a legal hold on a recording: nobody destroys it."""
    _change("recording hold", recording, note, facility)


def release(recording: Recording, note: Note, facility: Facility = None) -> None:
    """Take the legal hold off a recording."""
    _change("recording release", recording, note, facility)


def _change(name: str, recording: str, note: str, facility: str | None) -> None:
    who = {"note": note, "author": getpass.getuser(), "facility_id": facility}
    typer.echo(perform(load_settings(), name, recording_id=recording.lower(), **who))


def alerts(
    done: Annotated[
        int | None, typer.Option("--done", metavar="ID", help="somebody has looked at it")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="what came of it")] = "looked at",
) -> None:
    """List what somebody has to look at, or take one off the list."""
    if done is not None:
        who = {"note": note, "author": getpass.getuser()}
        typer.echo(perform(load_settings(), "alerts done", alert_id=done, **who))
        return
    with open_database() as database:
        rows = database.read_now(open_alerts)
    table = Table(box=None, pad_edge=False)
    for column in ("id", "at", "kind", "text"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(str(row.id), f"{row.at:%Y-%m-%d %H:%M} UTC", row.kind, row.text)
    Console().print(table if rows else "No alerts.")
