"""`ivr import`: inmates, their numbers and blocks from CSV files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from ivr.cli.staff import change
from ivr.config import load_settings
from ivr.facility.csv_rows import Kind
from ivr.importing import Asked, import_csv, read_csv
from ivr.login import own_login
from ivr.staff.desk import ToldOnce
from ivr.staff.privileged_list import digest_of

File = Annotated[Path, typer.Argument(help="a CSV file in UTF-8, with its header in the first line")]
FacilityId = Annotated[str, typer.Option("--facility", metavar="ID", help="the facility, by its id")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help="Import CSV files, each all or nothing.")

    @verbs.callback()
    def _group() -> None:
        """Import CSV files, each all or nothing."""

    verbs.command("inmates")(inmates)
    verbs.command("numbers")(numbers)
    verbs.command("blocked")(blocked)
    verbs.command("privileged")(privileged)
    verbs.command("sign")(sign)
    app.add_typer(verbs, name="import")


def inmates(file: File, facility: FacilityId) -> None:
    """Add inmates, or change those that there are.

    The header names the columns: id, name, and perhaps pin, unit, state, state_note. A new inmate needs a pin; where it
    is left out the one that stands is kept. An empty cell empties its
    field, but for pin and state. Columns that are not there change nothing, and nobody is removed.
    """
    _import(Kind.INMATES, file, facility)


def numbers(file: File, facility: FacilityId) -> None:
    """Add numbers to inmates' lists, or change those that there are.

    The header names the columns: inmate, number, and perhaps speed_dial, relation, records, payer (such as
    prepaid: nobody else pays), override_note. A later load of a facility's file that names the inmate puts the file's
    list in place: `ivr dump` writes one with these numbers.
    """
    _import(Kind.NUMBERS, file, facility)


def blocked(file: File, facility: FacilityId) -> None:
    """Block numbers for the whole facility; your name is kept with each.

    The header names the columns: note, one or more of number, prefix, type, and perhaps cause. Each row fills one of
    number, prefix and type. Blocks that stand already are left as they are.
    """
    _import(Kind.BLOCKED, file, facility)


def privileged(
    file: File,
    facility: Annotated[
        str | None, typer.Option("--facility", metavar="ID", help="whose list it is, or with --agency:")
    ] = None,
    agency: Annotated[
        str | None, typer.Option("--agency", metavar="ID", help="the list of every facility of an agency")
    ] = None,
) -> None:
    """Bring the privileged numbers of earlier lists in step with a signed one: FILE.sig holds its signature.

    The header names the columns: number, kind, note, and perhaps inmate, untimed, bar_number. Numbers that are new are
    privileged at once. Those that the list has lost stay so until another operator confirms their removal. A list
    that is unsigned, signed by you or more than 72 hours ago, malformed, or has lost more than 1 % of its numbers is
    refused, and an alert tells of it.
    """
    if (facility is None) == (agency is None):
        raise typer.BadParameter("expected either --facility or --agency")
    text, beside = read_csv(file), _beside(file)
    signature = read_csv(beside) if beside.exists() else ""
    signed = {"csv": text, "signature": signature}
    change("import privileged", f"list {file.name}", facility, agency_id=agency, **signed)


def sign(file: File) -> None:
    """Approve a list of privileged numbers as the first of two operators: write FILE.sig, which holds for 72 hours.

    It is made with the key `list_key` of this instance's secrets, and says who has signed: another operator imports.
    """
    told = change("import sign", f"list {file.name}", None, digest=digest_of(read_csv(file)))
    assert isinstance(told, ToldOnce)
    _beside(file).write_text(f"{told.once}\n", "utf-8")


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sig")


def _import(kind: Kind, path: Path, facility: str) -> None:
    text = read_csv(path)
    screen = Console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task(f"{kind} of {path.name}", total=max(1, text.count("\n") - 1))
        asked = Asked(kind, facility, text, own_login(), path.name)
        told = import_csv(load_settings(), asked, lambda: progress.advance(task))
    typer.echo(told)
