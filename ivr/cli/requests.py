"""`ivr requests`: numbers that inmates have asked for by telephone."""

import json
from typing import Annotated

import typer

from ivr.cli.calls import open_database
from ivr.cli.number import PAYER, RECORD, RELATION, SPEED_DIAL
from ivr.cli.staff import AsJson, Facility, Note, change, show
from ivr.staff.requests import requests_shown

Request = Annotated[
    int, typer.Argument(metavar="REQUEST", help="its number, as `ivr requests list` shows it")
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    requests = typer.Typer(no_args_is_help=True, help="Numbers that inmates have asked for by telephone.")
    app.add_typer(requests, name="requests")

    @requests.callback()
    def _group() -> None:
        """Numbers that inmates have asked for by telephone, where the facility lets them.

        A decision needs a note, which is kept with the time and your name.
        """

    requests.command("list")(list_)
    requests.command("approve")(approve)
    requests.command("refuse")(refuse)


def list_(
    facility: Annotated[
        str | None, typer.Option("--facility", metavar="ID", help="only of this facility")
    ] = None,
    *,
    decided: Annotated[bool, typer.Option("--all", help="those that were decided, too")] = False,
    as_json: AsJson = False,
) -> None:
    """List the requests that wait for a decision, the oldest first."""
    with open_database() as database:
        found = database.read_now(requests_shown, facility, decided=decided)
    if as_json:
        for each in found:
            typer.echo(json.dumps(each))
        return
    rows = [{**each, "no.": each["request"]} for each in found]
    columns = ("no.", "asked", "inmate", "number", "station", *(("state", "note") if decided else ()))
    show(columns, rows, "No requests." if decided else "No requests wait.")


def approve(
    request: Request,
    note: Note,
    *,
    relation: RELATION = None,
    speed_dial: SPEED_DIAL = None,
    payer: PAYER = None,
    record: RECORD = None,
    facility: Facility = None,
) -> None:
    """Put the number into the inmate's list; they may call it at once."""
    said = {"relation": relation, "speed_dial": speed_dial, "payer": payer, "records": record}
    change("requests approve", note, facility, request=request, **said)


def refuse(request: Request, note: Note, facility: Facility = None) -> None:
    """Leave the number out of the inmate's list."""
    change("requests refuse", note, facility, request=request)
