"""`ivr recording` and `ivr alerts`: recordings heard, sealed, locked; and what somebody has to look at."""

import getpass
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from ivr.archive import audio
from ivr.cli.calls import open_database
from ivr.cli.private_file import new_file
from ivr.cli.staff import Facility, Note, change, show
from ivr.config import load_settings
from ivr.playing import Reason, open_recording, whole_id
from ivr.records.alerts import open_alerts

Recording = Annotated[str, typer.Argument(metavar="ID", help="the recording's id, or the beginning of it")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    recordings = typer.Typer(
        no_args_is_help=True, help="Recordings: heard for a reason, locked, destroyed by two."
    )
    app.add_typer(recordings, name="recording")
    for verb in (play, lock, unlock, open_, destroy):
        recordings.command(verb.__name__.rstrip("_"))(verb)
    app.command()(alerts)


def play(
    recording: Recording,
    note: Note,
    into: Annotated[Path | None, typer.Option("--into", metavar="FILE", help="a new WAV file")] = None,
    facility: Facility = None,
) -> None:
    """Write a recording as WAV, the called party left, what they heard right, to a player or a new file.

    `ivr recording play ID --note … | aplay` leaves nothing on the disk; a file is for its owner alone. That you heard
    it, and why, is on record before it is opened.
    """
    if into is None and sys.stdout.isatty():
        raise typer.BadParameter("expected --into FILE, or a player behind a |")
    with new_file(into) if into else nullcontext(sys.stdout.buffer) as target:
        try:
            reason = Reason(getpass.getuser(), note, facility)
            opened = open_recording(load_settings(), recording, "recording play", reason)
            audio.write_wav(opened.flac, target)
        except BaseException:
            if into is not None:
                into.unlink()
            raise


def open_(recording: Recording, note: Note, facility: Facility = None) -> None:
    """Let a sealed recording be heard: done by the second of two operators who want it."""
    _change("recording open", recording, note, facility)


def destroy(recording: Recording, note: Note, facility: Facility = None) -> None:
    """Destroy a sealed recording: done by the second of two operators who want it, never under a legal hold."""
    _change("recording destroy", recording, note, facility)


def lock(recording: Recording, note: Note, facility: Facility = None) -> None:
    """Put a legal hold on a recording: nobody destroys it."""
    _change("recording lock", recording, note, facility)


def unlock(recording: Recording, note: Note, facility: Facility = None) -> None:
    """Take the legal hold off a recording."""
    _change("recording unlock", recording, note, facility)


def _change(name: str, recording: str, note: str, facility: str | None) -> None:
    """The log has the whole id, whatever was typed."""
    recording_id, of_facility = whole_id(load_settings(), recording, facility)
    change(name, note, of_facility, recording_id=recording_id)


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
