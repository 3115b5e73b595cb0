"""`ivr watch`: inmates and numbers whose calls somebody is told of as they are accepted."""

from typing import Annotated

import typer

from ivr.cli.calls import open_database
from ivr.cli.staff import AsJson, Facility, change, look, show
from ivr.config import load_settings
from ivr.records import watched
from ivr.staff.desk import StaffError

Why = Annotated[str, typer.Option("--why", help="why, for those who ask later")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help="Inmates and numbers whose calls somebody is told of.")

    @verbs.callback()
    def _group() -> None:
        """Inmates and numbers whose calls somebody is told of as they are accepted; nobody on the line notices."""

    app.add_typer(verbs, name="watch")
    for verb in (add, end, list_):
        verbs.command(verb.__name__.rstrip("_"))(verb)


def add(
    why: Why,
    *,
    inmate: Annotated[str | None, typer.Option("--inmate", metavar="ID", help="whose calls")] = None,
    number: Annotated[str | None, typer.Option("--number", help="calls to this number")] = None,
    sms: Annotated[str | None, typer.Option("--sms", metavar="NUMBER", help="tell by SMS")] = None,
    email: Annotated[str | None, typer.Option("--email", help="tell by e-mail")] = None,
    phone: Annotated[str | None, typer.Option("--phone", help="ring this telephone to listen")] = None,
    facility: Facility = None,
) -> None:
    """Be told of every call of an inmate, or to a number, as it is accepted, and have a telephone rung to listen.

    Never of a privileged call, nor of one to an anonymous hotline. What rings is kept as every listening.
    """
    known = load_settings().listeners
    if phone is not None and phone not in known:
        raise StaffError(f"--phone: expected one of listening_phones: {', '.join(known) or 'none is set'}")
    whom = {"sms": sms, "email": email, "phone": phone}
    change("watch add", why, facility, inmate_id=inmate, number=number, **whom)


def end(
    watched_id: Annotated[int, typer.Argument(metavar="ID", help="as `ivr watch list` has it")], why: Why
) -> None:
    """Watch an inmate or a number no longer."""
    change("watch end", why, None, watched_id=watched_id)


def list_(as_json: AsJson = False) -> None:
    """List what is watched, by whom and why; that somebody looked is logged."""
    look("watch list", "what is watched")
    with open_database() as database:
        found = database.read_now(watched.standing)
    rows = [
        {
            "id": row.id,
            "who": f"inmate {row.inmate_id}" if row.inmate_id else row.number,
            "told": ", ".join(filter(None, (row.sms, row.email, row.phone))),
            "by": row.author,
            "why": row.note,
        }
        for row in found
    ]
    show(("id", "who", "told", "by", "why"), rows, "Nothing is watched.", as_json=as_json)
