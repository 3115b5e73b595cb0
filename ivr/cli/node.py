"""`ivr node`: the nodes that share a database."""

from typing import Annotated

import typer

from ivr.cli.staff import Note, change


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help="Nodes that share a database.")

    @verbs.callback()
    def _group() -> None:
        """Nodes that share a database; `ivr status` tells when each was seen."""

    app.add_typer(verbs, name="node")
    verbs.command("forget")(forget)


def forget(
    name: Annotated[str, typer.Argument(metavar="NAME", help="as `ivr status` has it")], note: Note
) -> None:
    """A node that is gone for good is told of no longer; if it comes back, it is known again.

    Refused where it was seen in the last ten minutes and has not stopped, and while calls of it are not settled.
    """
    change("node forget", note, None, name=name)
