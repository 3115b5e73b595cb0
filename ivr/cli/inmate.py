"""`ivr inmate`: what staff do for one inmate."""

import getpass
from typing import Annotated

import typer

from ivr.config import load_settings
from ivr.staff.changes import perform

FACILITY = Annotated[str | None, typer.Option("--facility", help="needed where there are several")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    inmates = typer.Typer(no_args_is_help=True, help="What staff do for one inmate.")
    app.add_typer(inmates, name="inmate")

    @inmates.callback()
    def _group() -> None:
        """What staff do for one inmate."""

    @inmates.command("unlock")
    def unlock(
        inmate_id: Annotated[str, typer.Argument(metavar="ID", help="the inmate's ID, as it is keyed")],
        note: Annotated[str, typer.Option("--note", help="why, for those who ask later")],
        facility: FACILITY = None,
    ) -> None:
        """Let an inmate call again after too many wrong PINs.

        After five wrong PINs at one telephone it takes none for that ID for a quarter of an hour; after ten in a row no
        telephone does, until this is done. The note is kept with the time and your user name.
        """
        who = {"note": note, "author": getpass.getuser(), "facility_id": facility}
        typer.echo(perform(load_settings(), "unlock", inmate_id=inmate_id, **who))
