"""`ivr number`: whom inmates may call, one number at a time."""

from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from ivr.cli import privileged
from ivr.cli.staff import Facility, Note, change

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="as it is keyed, or in E.164")]
MaybeNumber = Annotated[str | None, typer.Argument(metavar="[NUMBER]", help="as it is keyed, or in E.164")]
Inmate = Annotated[str, typer.Option("--inmate", metavar="ID", help="the inmate's ID")]
MaybeInmate = Annotated[
    str | None, typer.Option("--inmate", metavar="ID", help="for this inmate alone; else for everybody")
]
Prefix = Annotated[str | None, typer.Option("--prefix", help="all that begin so: 900, 217555, +44")]
Type = Annotated[str | None, typer.Option("--type", help="a type of number, such as international")]
PAYER = Annotated[str | None, typer.Option("--payer", help="who alone may pay, such as prepaid or debit")]
RELATION = Annotated[str | None, typer.Option("--relation", help="who it is to the inmate")]
SPEED_DIAL = Annotated[str | None, typer.Option("--speed-dial", help="one or two digits")]
OVERRIDE = Annotated[
    bool | None,
    typer.Option(
        "--override/--no-override", help="let the inmate call it although it is blocked; the note says why"
    ),
]
RECORD = Annotated[bool | None, typer.Option("--record/--no-record", help="record calls to it, or never")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    numbers = typer.Typer(no_args_is_help=True, help="Whom inmates may call, one number at a time.")
    app.add_typer(numbers, name="number")

    @numbers.callback()
    def _group() -> None:
        """Whom inmates may call, one number at a time.

        Each change needs a note, which is kept with the time and your name (`ivr changes`). What is set here
        stays, whatever facility's file is loaded later.
        """

    for name, verb in VERBS.items():
        numbers.command(name)(verb)
    privileged.register(numbers)


def allow(
    number: Number,
    inmate: Inmate,
    note: Note,
    *,
    relation: RELATION = None,
    speed_dial: SPEED_DIAL = None,
    payer: PAYER = None,
    record: RECORD = None,
    override: OVERRIDE = None,
    facility: Facility = None,
) -> None:
    """Put a number into an inmate's list, or change what is said of it there.

    What is not given stays as it is. A list takes no more numbers than the facility's pan_maximum. An override holds
    against blocks of staff and of the file, never against no-contact nor against what the called party has blocked.
    """
    said = {"relation": relation, "speed_dial": speed_dial, "payer": payer, "records": record}
    given = {"number": number, "inmate_id": inmate, "override": override, **said}
    change("number allow", note, facility, **given)


def disallow(number: Number, inmate: Inmate, note: Note, facility: Facility = None) -> None:
    """Take a number out of an inmate's list."""
    change("number disallow", note, facility, number=number, inmate_id=inmate)


def block(
    note: Note,
    number: MaybeNumber = None,
    *,
    prefix: Prefix = None,
    type_: Type = None,
    cause: Annotated[str, typer.Option("--cause", help="facility, security or agent")] = "facility",
    inmate: MaybeInmate = None,
    facility: Facility = None,
) -> None:
    """Block a number, all that begin with a prefix, or a type of number: for everybody, or for one inmate."""
    covered = {"number": number, "prefix": prefix, "type": type_}
    change("number block", note, facility, **covered, cause=cause, inmate_id=inmate)


def unblock(
    note: Note,
    number: MaybeNumber = None,
    *,
    prefix: Prefix = None,
    type_: Type = None,
    inmate: MaybeInmate = None,
    called_party_asked: Annotated[
        bool,
        typer.Option(
            "--called-party-asked", help="lift what the called party has blocked: they asked for it"
        ),
    ] = False,
    facility: Facility = None,
) -> None:
    """Lift the blocks of a number, prefix or type that staff or the facility's file have set.

    What a called party has blocked is lifted only with --called-party-asked, and nothing else with it. No-contact is
    never lifted here.
    """
    covered = {"number": number, "prefix": prefix, "type": type_}
    asked = {"inmate_id": inmate, "called_party_asked": called_party_asked}
    change("number unblock", note, facility, **covered, **asked)


VERBS: Mapping[str, Callable[..., None]] = {
    "allow": allow,
    "disallow": disallow,
    "block": block,
    "unblock": unblock,
}
