"""`ivr recording` and `ivr alerts`: recordings heard, sealed, locked; and what somebody has to look at."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from ivr.archive import audio
from ivr.cli.calls import open_database
from ivr.cli.private_file import new_file
from ivr.cli.staff import AsJson, Facility, Note, change, show
from ivr.clock import utc_now
from ivr.config import load_settings
from ivr.login import own_login
from ivr.playing import (
    Reason,
    export_recording,
    open_recording,
    own_public_key,
    proved,
    whole_id,
)
from ivr.records.alerts import open_alerts
from ivr.records.states import Finding
from ivr.retention import old_ones
from ivr.staff.aging import MORE
from ivr.staff.recordings_shown import Wanted, recordings_shown

Recording = Annotated[str, typer.Argument(metavar="ID", help="the recording's id, or the beginning of it")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    recordings = typer.Typer(
        no_args_is_help=True, help="Recordings: heard for a reason, locked, destroyed by two."
    )
    app.add_typer(recordings, name="recording")
    for verb in (list_, play, export, verify, key, purge, lock, unlock, open_, destroy):
        recordings.command(verb.__name__.rstrip("_"))(verb)
    app.command()(alerts)


def list_(
    *,
    facility: Facility = None,
    finding: Annotated[
        Finding | None, typer.Option("--finding", help="only what the nightly check has found so")
    ] = None,
    locked: Annotated[bool, typer.Option("--locked", help="only those with a legal hold")] = False,
    sealed: Annotated[bool, typer.Option("--sealed", help="only sealed ones")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="how many of the newest")] = 50,
    as_json: AsJson = False,
) -> None:
    """List recordings, the newest first: of which call, how long, how large, and how each stands."""
    wanted = Wanted(facility, finding, locked=locked, sealed=sealed, most=most)
    with open_database() as database:
        rows = database.read_now(recordings_shown, wanted)
    show(("recording", "began", "call", "talk", "kB", "stands"), rows, "No recordings.", as_json=as_json)


def purge(
    note: Note = "",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would be destroyed")] = False,
    facility: Facility = None,
    as_json: AsJson = False,
) -> None:
    """Destroy what is older than its facility keeps it, now; the job recording-retention does it by the hour.

    Locked and sealed ones stay. Destroyed is the key, at once, and then the file: no backup of it is heard any more.
    """
    if dry_run:
        with open_database() as database:
            rows = database.read_now(old_ones, utc_now())
        wanted = [row for row in rows if facility in (None, row["facility"])]
        show(tuple(wanted[0]) if wanted else (), wanted, "No facilities.", as_json=as_json)
        return
    if not note:
        raise typer.BadParameter("expected --note, or --dry-run")
    while change("recording purge", note, facility) == MORE:
        pass


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
            reason = Reason(own_login(), note, facility)
            opened = open_recording(load_settings(), recording, "recording play", reason)
            audio.write_wav(opened.flac, target)
        except BaseException:
            if into is not None:
                into.unlink()
            raise


def export(
    recording: Recording,
    note: Note,
    into: Annotated[Path, typer.Option("--into", metavar="FILE", help="a new ZIP file")],
    facility: Facility = None,
) -> None:
    """Write a recording, its call's record and both hashes, with a signed manifest, for whoever has a right to it."""
    with new_file(into) as target:
        try:
            reason = Reason(own_login(), note, facility)
            recording_id = export_recording(load_settings(), recording, reason, target)
        except BaseException:
            into.unlink()
            raise
    typer.echo(f"recording {recording_id}: written to {into}")


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="what `ivr recording export` wrote")],
    public: Annotated[
        str | None, typer.Option("--key", metavar="HEX", help="else the key of this instance")
    ] = None,
) -> None:
    """Prove that an export is whole and unchanged: its manifest is signed, and both files have the hashes it names."""
    said = proved(load_settings(), file, public)
    typer.echo(f"whole and unchanged: recording {said['recording']} of call {said['call']}")
    typer.echo(f"exported by {said['exported_by']} at {said['exported_at']}: {said['reason']}")
    typer.echo(f"SHA-256 of the audio: {said['sha256']}")


def key() -> None:
    """Print the public key that proves this instance's exports, for whoever is given some."""
    found = own_public_key(load_settings())
    typer.echo(found or "No export was signed here yet.")


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
