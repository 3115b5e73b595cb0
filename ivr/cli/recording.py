"""`ivr recording` and `ivr alerts`: sealed recordings, legal holds, and what somebody has to look at."""

from typing import Annotated

import typer

from ivr.cli.calls import open_database
from ivr.cli.staff import Facility, Note, change, show
from ivr.records.alerts import open_alerts

Recording = Annotated[str, typer.Argument(metavar="ID", help="the recording's id, or the beginning of it")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    recordings = typer.Typer(no_args_is_help=True, help="Sealed recordings, and legal holds.")
    app.add_typer(recordings, name="recording")
    for verb in (open_, destroy, hold, release):
        recordings.command(verb.__name__.rstrip("_"))(verb)
    app.command()(alerts)


def open_(recording: Recording, note: Note, facility: Facility = None) -> None:
    """Let a sealed recording be heard: done by the second of two operators who want it."""
    change("recording open", note, facility, recording_id=recording.lower())


def destroy(recording: Recording, note: Note, facility: Facility = None) -> None:
    """Destroy a sealed recording: done by the second of two operators who want it, never under a legal hold."""
    change("recording destroy", note, facility, recording_id=recording.lower())


def hold(recording: Recording, note: Note, facility: Facility = None) -> None:
    """Put a legal hold on a recording: nobody destroys it."""
    change("recording hold", note, facility, recording_id=recording.lower())


def release(recording: Recording, note: Note, facility: Facility = None) -> None:
    """Take the legal hold off a recording."""
    change("recording release", note, facility, recording_id=recording.lower())


def alerts(
    done: Annotated[
        int | None, typer.Option("--done", metavar="ID", help="somebody has looked at it")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="what came of it")] = "looked at",
) -> None:
    """List what somebody has to look at, or take one off the list."""
    if done is not None:
        change("alerts done", note, None, alert_id=done)
        return
    with open_database() as database:
        rows = database.read_now(open_alerts)
    told = [{**row._mapping, "at": f"{row.at:%Y-%m-%d %H:%M} UTC"} for row in rows]
    show(("id", "at", "kind", "text"), told, "No alerts.")
