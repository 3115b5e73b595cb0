"""`ivr note`: what staff write about a call."""

from typing import Annotated

import typer

from ivr.cli.staff import change


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("note")(note)


def note(
    call: Annotated[str, typer.Argument(metavar="CALL", help="its id, or the beginning of it (`ivr calls`)")],
    text: Annotated[str, typer.Argument(help="what is to be noted")],
) -> None:
    """Write a note about a call, in progress or over: its story (`ivr call`) and the audit log have it."""
    change("note", text, None, call_id=call.lower())
