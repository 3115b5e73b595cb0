"""`ivr inmate`: what staff do for one inmate."""

import json
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from ivr.cli.calls import open_database
from ivr.cli.given import TIME
from ivr.cli.staff import LOCAL, AsJson, Facility, InmateId, Note, change, look
from ivr.staff.shown import inmate_shown

PIN_DIGITS = 6
PinPrompt = Annotated[bool, typer.Option("--pin-prompt", help="ask for the PIN, without showing it")]
PinStdin = Annotated[
    bool, typer.Option("--pin-stdin", help="read the PIN from the first line of standard input")
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    inmates = typer.Typer(no_args_is_help=True, help="What staff do for one inmate.")
    app.add_typer(inmates, name="inmate")

    @inmates.callback()
    def _group() -> None:
        """What staff do for one inmate.

        Each change needs a note, which is kept with the time and your name (`ivr changes`). What is set here
        stays, whatever facility's file is loaded later.
        """

    for name, verb in VERBS.items():
        inmates.command(name)(verb)
    app.command("unlock-station")(unlock_station)


def add(
    inmate_id: InmateId,
    name: Annotated[str, typer.Option("--name", help="the name, for staff")],
    note: Note,
    unit: Annotated[str | None, typer.Option("--unit", help="the housing unit, by its id")] = None,
    *,
    pin_prompt: PinPrompt = False,
    pin_stdin: PinStdin = False,
    facility: Facility = None,
) -> None:
    """Let somebody new call.

    A PIN is made and shown once, unless you give one by --pin-prompt or --pin-stdin. It can never be read back.
    """
    pin = _pin(prompt=pin_prompt, stdin=pin_stdin)
    change("inmate add", note, facility, inmate_id=inmate_id, name=name, unit=unit, pin=pin)
    _show_once(pin, known=pin_prompt or pin_stdin)


def move(
    inmate_id: InmateId,
    unit: Annotated[str, typer.Argument(help="the housing unit, by its id")],
    note: Note,
    facility: Facility = None,
) -> None:
    """Move an inmate to another housing unit, whose hours and limits hold from now on."""
    change("inmate move", note, facility, inmate_id=inmate_id, unit=unit)


def suspend(
    inmate_id: InmateId,
    note: Note,
    begins: Annotated[datetime | None, typer.Option("--from", parser=TIME, help=LOCAL)] = None,
    ends: Annotated[datetime | None, typer.Option("--to", parser=TIME, help=LOCAL)] = None,
    facility: Facility = None,
) -> None:
    """Let an inmate make no calls but privileged ones and to hotlines, from a time to another.

    Without --from it begins now, without --to it holds until `ivr inmate activate`.
    """
    span = {"suspended_from": begins, "suspended_to": ends}
    change("inmate suspend", note, facility, inmate_id=inmate_id, **span)


def activate(inmate_id: InmateId, note: Note, facility: Facility = None) -> None:
    """Let an inmate call again who was suspended, released or transferred."""
    change("inmate activate", note, facility, inmate_id=inmate_id)


def release(inmate_id: InmateId, note: Note, facility: Facility = None) -> None:
    """An inmate has left: their ID makes no more calls."""
    change("inmate release", note, facility, inmate_id=inmate_id)


def transfer(inmate_id: InmateId, note: Note, facility: Facility = None) -> None:
    """An inmate has gone to another facility: their ID makes no more calls here."""
    change("inmate transfer", note, facility, inmate_id=inmate_id)


def pin(
    inmate_id: InmateId,
    note: Note,
    *,
    pin_prompt: PinPrompt = False,
    pin_stdin: PinStdin = False,
    facility: Facility = None,
) -> None:
    """Give an inmate a new PIN; the old one counts no more.

    It is made and shown once, unless you give one by --pin-prompt or --pin-stdin. A locked ID stays locked:
    see `ivr inmate unlock`.
    """
    new = _pin(prompt=pin_prompt, stdin=pin_stdin)
    change("inmate pin", note, facility, inmate_id=inmate_id, pin=new)
    _show_once(new, known=pin_prompt or pin_stdin)


def unlock(inmate_id: InmateId, note: Note, facility: Facility = None) -> None:
    """Let an inmate call again after too many wrong PINs.

    After five wrong PINs at one telephone it takes none for that ID for a quarter of an hour; after ten in a row no
    telephone does, until this is done. The note is kept with the time and your name.
    """
    change("unlock", note, facility, inmate_id=inmate_id)


def unlock_station(
    station: Annotated[str, typer.Argument(help="the telephone, by its id")],
    note: Note,
    facility: Facility = None,
) -> None:
    """Let a telephone take PINs again after too many wrong ones, where PINs are keyed alone.

    There each five wrong PINs in a row pause the telephone for everybody, longer each time; this ends the pause, and
    forgets what was counted. The note is kept with the time and your name.
    """
    change("unlock-station", note, facility, station=station)


def show_(inmate_id: InmateId, facility: Facility = None, *, as_json: AsJson = False) -> None:
    """Show an inmate: state, unit, list, limits, blocks, requests, appointments, and what staff changed last.

    That somebody looked is logged.
    """
    look("inmate show", f"inmate {inmate_id}")
    with open_database() as database:
        found = database.read_now(inmate_shown, facility, inmate_id)
    typer.echo(json.dumps(found, default=str) if as_json else "\n".join(_told(found)))


VERBS: Mapping[str, Callable[..., None]] = {
    "add": add,
    "show": show_,
    "move": move,
    "suspend": suspend,
    "activate": activate,
    "unsuspend": activate,
    "release": release,
    "transfer": transfer,
    "pin": pin,
    "unlock": unlock,
}


def _pin(*, prompt: bool, stdin: bool) -> str:
    """The PIN that was given, never on the command line; else a new one."""
    if prompt and stdin:
        raise typer.BadParameter("either --pin-prompt or --pin-stdin")
    if prompt:
        return str(typer.prompt("PIN", hide_input=True, confirmation_prompt=True))
    if stdin:
        return sys.stdin.readline().strip()
    return "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))


def _show_once(pin: str, *, known: bool) -> None:
    if not known:
        typer.echo(f"PIN: {pin} (it is shown this once)")


def _told(found: Mapping[str, Any]) -> Iterator[str]:
    """Who it is, then a paragraph for each list that is not empty."""
    for name, value in found.items():
        if not isinstance(value, list) and value is not None:
            yield f"{name.replace('_', ' '):<15} {value}"
    for name, entries in found.items():
        if isinstance(entries, list) and entries:
            yield f"{name.replace('_', ' ')}:"
            yield from (f"  {_line(each)}" for each in entries)


def _line(entry: Mapping[str, Any]) -> str:
    return ", ".join(_said(name, value) for name, value in entry.items() if value not in (None, False))


def _said(name: str, value: object) -> str:
    """A value by itself where it speaks for itself."""
    plain = name in ("number", "what", "at", "cause", "change", "told", "state", "limit", "payer", "relation")
    if value is True:
        return name.replace("_", " ")
    return str(value) if plain else f"{name.replace('_', ' ')} {value}"
