"""What `ivr account` takes in and gives out as files: inmates' money by the facility's trust, idle money by state."""

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
from ivr.importing import read_csv
from ivr.staff.accounts.unclaimed import unclaimed_shown

NewFile = Annotated[Path, typer.Option("--file", help="a CSV file to write; it must not be there yet")]


def register(verbs: typer.Typer) -> None:
    """Add the verbs."""
    for name, verb in VERBS.items():
        verbs.command(name)(verb)


def transfer_file(
    file: Annotated[Path, typer.Argument(help="a CSV file in UTF-8, with its header in the first line")],
    note: Note,
    facility: Facility = None,
) -> None:
    """Book money that a facility's trust or commissary hands over for its inmates.

    The header names the columns: reference, inmate_id, amount, and perhaps kind, which is trust (as without it) or
    commissary. A file is booked whole or not at all; a reference that was booked before is passed over, and refused if
    it says something else.
    """
    change("account transfer-file", note, facility, csv=read_csv(file), file=file.name)


def release_file(
    file: NewFile,
    note: Note,
    *,
    inmate: Annotated[
        list[str] | None,
        typer.Option("--inmate", metavar="ID", help="of these alone, still there or not; once for each"),
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", help="of a file before, to have it written again")
    ] = None,
    facility: Facility = None,
) -> None:
    """Give inmates' money back to the facility's trust, which pays it out: of all who have left, or of some.

    The file has the columns reference, inmate_id and amount. What is in it is no inmate's here any more.
    """
    named = secrets.token_hex(8) if reference is None else reference
    again = f"--reference {named} writes it again"
    given = {"reference": named, "inmates": inmate}
    change_into(file, again, "account release-file", note, facility, **given)


def unclaimed(
    *,
    state: Annotated[str | None, typer.Option("--state", help="the state to export for, such as IL")] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="a CSV file to write, not there yet")
    ] = None,
    exported_on: Annotated[
        datetime | None,
        typer.Option("--exported-on", parser=DAY, help="write again what was exported that day (UTC)"),
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="why, for those who ask later")] = None,
    as_json: AsJson = False,
) -> None:
    """List idle money that nobody could be given back and no state was paid, or export what a state is to have.

    What was exported is the state's: its holder has to turn there. Until then `ivr account reclaim` gives it back. `ivr
    account handed-over` books that the state was paid.
    """
    if export is None:
        if state is not None or exported_on is not None:
            raise typer.BadParameter("--state and --exported-on need --export")
        with open_database() as database:
            rows = database.read_now(unclaimed_shown)
        if as_json:
            for row in rows:
                typer.echo(json.dumps(row))
        else:
            show(("state", "account", "since", "exported", "amount"), rows, "Nothing is unclaimed.")
        return
    if state is None or note is None:
        raise typer.BadParameter("--export needs --state and --note")
    day = exported_on.date().isoformat() if exported_on else None
    again = "--exported-on writes it again"
    change_into(export, again, "account unclaimed", note, None, state=state, exported_on=day)


def handed_over(
    state: Annotated[str, typer.Argument(help="the state that was paid, such as IL")],
    amount: Annotated[str, typer.Argument(help="dollars, all that it was told of and not paid")],
    note: Note,
    *,
    reference: Annotated[
        str, typer.Option("--reference", help="the payment's: the same again books nothing")
    ],
    paid_on: Annotated[datetime, typer.Option("--paid-on", parser=DAY, help="the day of the payment")],
    exported_on: Annotated[
        datetime | None,
        typer.Option("--exported-on", parser=DAY, help="only what was exported that day (UTC)"),
    ] = None,
) -> None:
    """Book that a state was paid the unclaimed money that it was told of; another amount is refused."""
    days = {"paid_on": paid_on.date().isoformat()}
    days |= {"exported_on": exported_on.date().isoformat()} if exported_on else {}
    change("account handed-over", note, None, state=state, amount=amount, reference=reference, **days)


def reclaim(
    account: Annotated[str, typer.Argument(help="the account's id")],
    note: Note,
    *,
    returned: Annotated[
        str | None,
        typer.Option("--returned", metavar="REFERENCE", help="of the payment by which a state gave it back"),
    ] = None,
) -> None:
    """Give a holder who has come back the idle money that no state was told of yet, or that a state has returned."""
    change("account reclaim", note, None, account_id=account, returned=returned)


VERBS: Mapping[str, Callable[..., None]] = {
    "transfer-file": transfer_file,
    "release-file": release_file,
    "unclaimed": unclaimed,
    "handed-over": handed_over,
    "reclaim": reclaim,
}
