"""`ivr cut`: a call in progress ends at once."""

from typing import Annotated

import typer

from ivr.asking import done_by_controller
from ivr.config import load_settings
from ivr.login import own_login


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("cut")(cut)


def cut(
    call: Annotated[str, typer.Argument(metavar="CALL", help="its id, or the beginning of it (`ivr calls`)")],
    reason: Annotated[str, typer.Option("--reason", help="why, for those who ask later")],
    *,
    block: Annotated[bool, typer.Option("--block", help="block its number at the facility, too")] = False,
    note: Annotated[str | None, typer.Option("--note", help="why it is blocked; else the reason")] = None,
) -> None:
    """End a call at once: who talks hears that the facility has ended it; one that only rings is not connected.

    Only the talk until now is paid, and the record says `cut_off`. This works with the controller down too, and
    without the database: then Asterisk alone ends the call.
    """
    if note is not None and not block:
        raise typer.BadParameter("--note is for --block")
    settings = load_settings()
    given = {"call_id": call.lower(), "note": reason, "author": own_login(), "block": block}
    given |= {"block_note": note} if note else {}
    if not done_by_controller(settings, "cut", given, typer.echo):
        from ivr.cutting import cut_off_directly  # noqa: PLC0415 - slow to load, and the controller mostly runs

        cut_off_directly(settings, given, typer.echo)
