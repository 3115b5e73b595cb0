"""`ivr intake`: free calls after an arrest."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from accounts import schema
from accounts.db import Database
from ivr.asking import perform
from ivr.clock import utc_now
from ivr.config import load_settings
from ivr.intake import not_given
from ivr.login import own_login

FACILITY = Annotated[str | None, typer.Option("--facility", help="needed where there are several")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help="Free calls after an arrest, at intake stations.")
    app.add_typer(verbs, name="intake")
    verbs.command("open")(open_)
    verbs.command("report")(report)


def open_(
    booking: Annotated[str, typer.Argument(metavar="BOOKING", help="the digits that are keyed, 4 to 12")],
    *,
    arrested_at: Annotated[str, typer.Option("--arrested-at", help="2026-12-24T18:00, the facility's time")],
    note: Annotated[str, typer.Option("--note", help="why, for those who ask later")],
    custodial_parent: Annotated[
        bool, typer.Option("--custodial-parent", help="who has minor children in custody has more calls")
    ] = False,
    facility: FACILITY = None,
) -> None:
    """Open a booking, so that its free calls can be made at an intake station; or correct one.

    Completed local calls count, in the time that the facility sets; those to privileged numbers are neither counted nor
    recorded. The note is kept with the time and your name.
    """
    who = {"note": note, "author": own_login(), "facility_id": facility}
    asked = {"booking": booking, "arrested_at": arrested_at, "custodial_parent": custodial_parent}
    typer.echo(perform(load_settings(), "intake open", **who, **asked))


def report(
    *,
    facility: Annotated[str | None, typer.Option("--facility", help="of one facility; else of all")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object for each booking")] = False,
) -> None:
    """List the bookings whose time for free calls is over, and that had fewer than they were entitled to."""
    url = load_settings().url
    schema.require_head(url)
    with Database.open(url) as database:
        found = database.read_now(not_given, utc_now(), facility)
    if as_json:
        for each in found:
            typer.echo(json.dumps(each.as_dict()))
        return
    table = Table(box=None, pad_edge=False)
    for column in ("booking", "arrested", "until", "entitled", "completed", "attempts"):
        table.add_column(column, no_wrap=True)
    for each in found:
        counted = map(str, (each.entitled, each.completed, each.attempts))
        table.add_row(
            each.booking, f"{each.arrested_at:%m-%d %H:%M}", f"{each.ended_at:%m-%d %H:%M}", *counted
        )
    Console().print(table if found else "No booking was left short of its free calls.")
