"""`ivr number privileged` and `ivr number passive`: privileged numbers, and those whose answer is the acceptance."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from ivr.cli.calls import open_database
from ivr.cli.privileged_report import report
from ivr.cli.staff import Facility, Note, change, show
from ivr.clock import utc_now
from ivr.policy.privilege import PrivilegeKind, Shrinking, Waiting
from ivr.staff.showing import lists_in_doubt, privileged_numbers

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="the number, in any way of writing it")]
Agency = Annotated[
    str | None, typer.Option("--agency", metavar="ID", help="that of every facility of this agency")
]
Inmate = Annotated[str | None, typer.Option("--inmate", metavar="ID", help="this inmate's only")]


def register(numbers: typer.Typer) -> None:
    """Add the verbs to those of one number."""
    privileged = typer.Typer(no_args_is_help=True, help="Numbers that are never recorded, by two operators.")
    numbers.add_typer(privileged, name="privileged")
    for verb in (add, confirm, remove, timed, narrow, vouch, list_, report):
        privileged.command(verb.__name__.rstrip("_"))(verb)
    passive = typer.Typer(
        no_args_is_help=True, help="Numbers whose answer is the acceptance, by two operators."
    )
    numbers.add_typer(passive, name="passive")
    passive.command("add")(passive_add)
    passive.command("confirm")(passive_confirm)
    passive.command("remove")(passive_remove)


def add(
    number: Number,
    kind: Annotated[PrivilegeKind, typer.Option("--kind", help="whose number it is")],
    note: Note,
    *,
    inmate: Inmate = None,
    untimed: Annotated[
        bool, typer.Option("--untimed", help="neither a longest call nor quotas hold")
    ] = False,
    bar_number: Annotated[str | None, typer.Option("--bar-number", help="an attorney's")] = None,
    document: Annotated[
        Path | None, typer.Option("--document", help="what proves it; its SHA-256 is kept", dir_okay=False)
    ] = None,
    facility: Facility = None,
    agency: Agency = None,
) -> None:
    """Have no call to a number recorded: at once, and for good when another operator has confirmed it within 72 hours.

    A recording that runs is stopped, and earlier ones of this number are sealed. Adding again what is to be removed
    withdraws that.
    """
    digest = hashlib.sha256(_content(document)).hexdigest() if document else None
    proof = {"bar_number": bar_number, "document_sha256": digest}
    change(
        "number privileged add",
        note,
        facility,
        number=number,
        inmate_id=inmate,
        agency_id=agency,
        kind=kind,
        untimed=untimed,
        **proof,
    )


def confirm(
    number: Number,
    note: Note,
    *,
    inmate: Inmate = None,
    what: Annotated[
        Waiting | None, typer.Option("--what", help="needed where more than one thing waits")
    ] = None,
    facility: Facility = None,
    agency: Agency = None,
) -> None:
    """Confirm what another operator has added, or has asked to be taken away; the answer says which it was."""
    whose = {"number": number, "inmate_id": inmate, "agency_id": agency}
    change("number privileged confirm", note, facility, **whose, what=what)


def remove(
    number: Number, note: Note, inmate: Inmate = None, facility: Facility = None, agency: Agency = None
) -> None:
    """Ask for a number to be privileged no longer; it is until another operator confirms that."""
    whose = {"number": number, "inmate_id": inmate, "agency_id": agency}
    change("number privileged shrink", note, facility, **whose, how=Shrinking.REMOVE)


def timed(
    number: Number, note: Note, inmate: Inmate = None, facility: Facility = None, agency: Agency = None
) -> None:
    """Ask for a number to be untimed no longer; it is until another operator confirms that."""
    whose = {"number": number, "inmate_id": inmate, "agency_id": agency}
    change("number privileged shrink", note, facility, **whose, how=Shrinking.TIMED)


def narrow(
    number: Number,
    to_inmate: Annotated[str, typer.Option("--to-inmate", metavar="ID", help="whose alone it will be")],
    note: Note,
    facility: Facility = None,
) -> None:
    """Ask for a number to be privileged for one inmate only; it is for all until another operator confirms that."""
    wanted = {"how": Shrinking.NARROW, "to_inmate_id": to_inmate}
    change("number privileged shrink", note, facility, number=number, **wanted)


def vouch(note: Note, facility: Facility = None) -> None:
    """Say that the list is right although something else has changed it; two operators have to.

    While rows of the list were lost or changed by anything but these commands, nothing is recorded at the facility, and
    an alert says so. Look at the list first, and mend it.
    """
    change("number privileged vouch", note, facility)


def list_(facility: Facility = None) -> None:
    """List privileged numbers: since when, by whom, what is asked for, and until when another operator may confirm.

    A last line says so where the list is in doubt.
    """
    columns = ("number", "whose", "kind", "state", "since", "by", "until")
    with open_database() as database:
        rows = database.read_now(privileged_numbers, facility, utc_now())
        in_doubt = database.read_now(lists_in_doubt, facility)
    show(columns, rows, "No privileged numbers.")
    for line in in_doubt:
        typer.echo(line)


def passive_add(number: Number, note: Note, facility: Facility = None) -> None:
    """Agree that an answer is an acceptance, as the facility's file asks; another operator has to confirm it."""
    change("number passive add", note, facility, number=number)


def passive_confirm(number: Number, note: Note, facility: Facility = None) -> None:
    """Confirm what another operator has added: from now on an answer is an acceptance."""
    change("number passive confirm", note, facility, number=number)


def passive_remove(number: Number, note: Note, facility: Facility = None) -> None:
    """Have every call to a number accepted by key again, at once."""
    change("number passive remove", note, facility, number=number)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from None
