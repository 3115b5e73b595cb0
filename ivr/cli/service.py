"""`ivr service`: what people have asked for on the service line."""

import json
from typing import Annotated

import typer

from ivr.cli.calls import open_database
from ivr.cli.staff import AsJson, Facility, Note, change, show
from ivr.staff.service import service_shown

Request = Annotated[
    int,
    typer.Argument(
        metavar="REQUEST", help="its number, as `ivr service list` shows it and they were told it"
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    service = typer.Typer(no_args_is_help=True, help="What people have asked for on the service line.")
    app.add_typer(service, name="service")

    @service.callback()
    def _group() -> None:
        """What people have asked for who called the number that called parties see, and by when they are answered.

        A number that is verified was called back; any other is only what was shown. An answer needs a note.
        """

    service.command("list")(list_)
    service.command("done")(done)
    service.command("refuse")(refuse)


def list_(
    facility: Annotated[
        str | None, typer.Option("--facility", metavar="ID", help="only of this facility")
    ] = None,
    *,
    decided: Annotated[bool, typer.Option("--all", help="those that were answered, too")] = False,
    as_json: AsJson = False,
) -> None:
    """List the requests that wait, those due first at the top."""
    with open_database() as database:
        found = database.read_now(service_shown, facility, decided=decided)
    if as_json:
        for each in found:
            typer.echo(json.dumps(each))
        return
    rows = [{**each, "no.": each["request"]} for each in found]
    columns = ("no.", "due", "asked", "number", "verified", "wants", "language")
    more = ("state", "note") if decided else ()
    show((*columns, *more), rows, "No requests." if decided else "No requests wait.")


def done(request: Request, note: Note, facility: Facility = None) -> None:
    """It was done: the person was called, the money paid out, the number listed."""
    change("service done", note, facility, request=request)


def refuse(request: Request, note: Note, facility: Facility = None) -> None:
    """It is not done, and the person was told why."""
    change("service refuse", note, facility, request=request)
