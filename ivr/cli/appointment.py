"""`ivr appointment`: calls that staff agree on beforehand."""

import json
from datetime import datetime
from typing import Annotated

import typer

from ivr.cli.calls import open_database
from ivr.cli.given import TIME
from ivr.cli.staff import LOCAL, AsJson, Facility, Note, change, show
from ivr.clock import utc_now
from ivr.staff.appointments import appointments_shown


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    appointments = typer.Typer(no_args_is_help=True, help="Calls that staff agree on beforehand.")
    app.add_typer(appointments, name="appointment")

    @appointments.callback()
    def _group() -> None:
        """Calls that staff agree on beforehand: one inmate, one number, from one time until another.

        Within it neither calling hours and closures nor quotas and cooling-off hold the inmate back, nor does their
        list, and a call may last until its end. Suspensions, blocks and no-contact hold, and somebody has to pay.
        """

    appointments.command("add")(add)
    appointments.command("list")(list_)
    appointments.command("cancel")(cancel)


def add(
    *,
    inmate: Annotated[str, typer.Option("--inmate", metavar="ID", help="the inmate's ID")],
    number: Annotated[str, typer.Option("--number", help="as it is keyed, or in E.164")],
    begins: Annotated[datetime, typer.Option("--from", parser=TIME, help=LOCAL)],
    ends: Annotated[datetime, typer.Option("--to", parser=TIME, help=LOCAL)],
    note: Note,
    facility: Facility = None,
) -> None:
    """Let an inmate call a number from one time until another, of four hours at most."""
    given = {"inmate_id": inmate, "number": number, "begins": begins, "ends": ends}
    change("appointment add", note, facility, **given)


def list_(
    facility: Annotated[
        str | None, typer.Option("--facility", metavar="ID", help="only of this facility")
    ] = None,
    *,
    past: Annotated[bool, typer.Option("--past", help="those that are over, too")] = False,
    as_json: AsJson = False,
) -> None:
    """List the appointments that are not over, the earliest first."""
    with open_database() as database:
        found = database.read_now(appointments_shown, facility, utc_now(), past=past)
    if as_json:
        for each in found:
            typer.echo(json.dumps(each))
        return
    rows = [{**each, "no.": each["appointment"]} for each in found]
    show(("no.", "inmate", "number", "from", "to", "note"), rows, "No appointments.")


def cancel(
    appointment: Annotated[int, typer.Argument(metavar="APPOINTMENT", help="its number in the list")],
    note: Note,
    facility: Facility = None,
) -> None:
    """Cancel an appointment; a call in progress goes on."""
    change("appointment cancel", note, facility, appointment=appointment)
