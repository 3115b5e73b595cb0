"""`ivr off`, `ivr on`: telephones are switched off and on."""

import time
from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ivr.asking import ask_controller, done_by_controller
from ivr.config import load_settings
from ivr.control import NoController
from ivr.login import own_login
from ivr.policy.switching import Way


class What(StrEnum):
    """What has telephones to switch."""

    STATION = "station"
    UNIT = "unit"
    FACILITY = "facility"
    AGENCY = "agency"


WHAT = Annotated[What, typer.Argument(help="what to switch", show_default=False)]
NAME = Annotated[str, typer.Argument(metavar="ID", help="its id, as the facility's file has it")]
NOTE = Annotated[str, typer.Option("--note", help="why, for those who ask later")]
OF = Annotated[str | None, typer.Option("--facility", help="whose unit, where several have one of that id")]


class ListsWithoutWords(TyperCommand):
    """A verb that lists what is off where nothing else is said."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The words of the command line; without any the list is shown, and nothing else done."""
        if not args and not ctx.resilient_parsing:
            from ivr.cli.switches import switches  # noqa: PLC0415 - slow to load, and for this alone

            switches()
            ctx.exit()
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("off", cls=ListsWithoutWords)(off)
    app.command("on")(on)
    app.command("lockdown", cls=ListsWithoutWords)(off)  # the same, in the words of the console
    app.command("unlock")(on)


def off(
    what: WHAT,
    name: NAME,
    note: NOTE,
    let: Annotated[
        Way,
        typer.Option(
            "--let",
            help="what calls in progress do: finish; end in a minute, which both hear at once; end now",
            show_default=False,
        ),
    ],
    facility: OF = None,
) -> None:
    """Switch telephones off: of a station, a housing unit, a facility or an agency; alone, list what is off.

    Nobody makes a call there any more, to privileged numbers and hotlines neither: who lifts the receiver hears
    why. `--let` says what becomes of calls in progress; one that only rings goes on with `finish` and ends with
    the others. Switching off again replaces what was said before, so `--let now` may follow `--let minute`.

    This works with the controller down too: the database and Asterisk's own are changed directly, and with
    `--let minute` the command stays for that minute and then ends the calls. Where the database can't be reached
    either, Asterisk closes (all stations, if what belongs to a unit, facility or agency can't be looked up), and
    the controller takes that over when it runs again.
    """
    given = {"level": what.value, "which": name, "note": note, "let": let.value, "facility_id": facility}
    settings, asked = load_settings(), _signed(given)
    if not done_by_controller(settings, "off", asked, typer.echo):
        from ivr.throwing import switch_off_directly  # noqa: PLC0415 - slow to load, and the controller mostly runs

        switch_off_directly(settings, asked, typer.echo, _wait)


def on(what: WHAT, name: NAME, note: NOTE, facility: OF = None) -> None:
    """Switch telephones on again.

    Where something wider is off too, they stay off until that is on again. Calls that were told to end in a minute
    go on, if the minute is not over. The database is needed for this.
    """
    given = {"level": what.value, "which": name, "note": note, "facility_id": facility}
    settings, asked = load_settings(), _signed(given)
    try:
        typer.echo(ask_controller(settings, "on", asked))
    except NoController:
        from ivr.throwing import switch_on_directly  # noqa: PLC0415

        switch_on_directly(settings, asked, typer.echo)


def _signed(given: dict[str, str | None]) -> dict[str, object]:
    said: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    return said | {"author": own_login()}


def _wait(seconds: float) -> None:
    """Let the last minute pass, and show it."""
    from rich.console import Console  # noqa: PLC0415 - only where the controller does not wait
    from rich.progress import Progress  # noqa: PLC0415

    over = time.monotonic() + seconds
    with Progress(console=Console(stderr=True), transient=True) as progress:
        shown = progress.add_task("Calls end in a minute", total=seconds)
        while (left := over - time.monotonic()) > 0:
            progress.update(shown, completed=seconds - left)
            time.sleep(min(left, 0.5))
