"""`ivr card`: calling cards, in batches."""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ivr.cli.calls import open_database
from ivr.cli.given import DAY
from ivr.cli.private_file import change_into
from ivr.cli.staff import AsJson, Facility, Note, change, show
from ivr.staff.accounts.cards import batches_shown

BatchId = Annotated[str, typer.Argument(metavar="BATCH", help="its id, such as 2026-11")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help="Calling cards, in batches.")

    @verbs.callback()
    def _group() -> None:
        """Calling cards, in batches.

        Each change needs a note, which is kept with the time and your name (`ivr changes`).
        """

    for name, verb in VERBS.items():
        verbs.command(name)(verb)
    app.add_typer(verbs, name="card")


def batch(
    batch_id: BatchId,
    count: Annotated[int, typer.Option("--count", help="how many cards")],
    value: Annotated[str, typer.Option("--value", help="dollars on each")],
    file: Annotated[Path, typer.Option("--file", help="a CSV file for the PINs; it must not be there yet")],
    note: Note,
    *,
    expires_on: Annotated[
        datetime | None, typer.Option("--expires-on", parser=DAY, help="the last day, included")
    ] = None,
    law: Annotated[str | None, typer.Option("--law", help="the law that has cards expire")] = None,
    facility: Facility = None,
) -> None:
    """Make calling cards whose value is paid: their PINs are written once, to a file that only you can read.

    PINs can never be read back, and no log has them. Cards do not expire, unless a law says so.
    """
    day = expires_on.date().isoformat() if expires_on else None
    again = f"`ivr card cancel {batch_id}` cancels the cards, whose PINs nobody knows"
    given = {"batch_id": batch_id, "count": count, "value": value, "expires_on": day, "law": law}
    change_into(file, again, "card batch", note, facility, **given)


def list_(
    facility: Annotated[
        str | None, typer.Option("--facility", metavar="ID", help="only of this facility")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the batches, and what is left of each; `ivr account cards --batch` lists the cards of one."""
    with open_database() as database:
        rows = database.read_now(batches_shown, facility)
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
        return
    columns = ("batch", "facility", "made", "cards", "value", "left", "worth", "expires")
    show(columns, rows, "No calling cards.")


def cancel(
    batch_id: BatchId,
    note: Note,
    *,
    serial: Annotated[int | None, typer.Option("--serial", help="one card of it, by its number")] = None,
    facility: Facility = None,
) -> None:
    """Cancel the cards of a batch, or one: they pay for nothing more, and what is left is given back to the buyer."""
    given = {"batch_id": batch_id, "serial": serial, "reference": secrets.token_hex(8)}
    change("card cancel", note, facility, **given)


VERBS: Mapping[str, Callable[..., None]] = {"batch": batch, "list": list_, "cancel": cancel}
