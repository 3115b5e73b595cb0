"""`ivr listen` and `ivr cut-in`: an investigator's telephone hears a call in progress, or joins it."""

import secrets
from typing import Annotated

import typer

from ivr.cli.staff import change
from ivr.config import load_settings


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(listen)
    app.command()(cut_in)


Call = Annotated[str, typer.Argument(metavar="CALL", help="its id, or the beginning of it (`ivr calls`)")]
Phone = Annotated[
    str,
    typer.Option("--phone", help="whose telephone is rung: one of `listening_phones`", show_default=False),
]
Why = Annotated[str, typer.Option("--why", help="why, for those who ask later", show_default=False)]


def listen(call: Call, phone: Phone, why: Why) -> None:
    """Have a telephone of staff rung that hears a talk; neither of the two who talk hears a difference.

    Never a privileged call, nor one to an anonymous hotline: that is refused before Asterisk is asked, and an alert
    tells of it. If the number becomes privileged meanwhile, the listening ends at once. Every listening is kept: who,
    why, from when to when.
    """
    _ring("listen", call, phone, why)


def cut_in(call: Call, phone: Phone, why: Why) -> None:
    """Have a telephone of staff rung that joins a talk: both are told so, each in their language, then hear it.

    Refused where `ivr listen` is, and for a relay's call. It is kept as a listening is.
    """
    _ring("cut-in", call, phone, why)


def _ring(verb: str, call: str, phone: str, why: str) -> None:
    known = load_settings().listeners
    if phone not in known:
        raise typer.BadParameter(
            f"--phone: expected one of listening_phones: {', '.join(known) or 'none is set'}"
        )
    change(verb, why, None, call_id=call.lower(), phone=phone, listening_id=secrets.token_hex(16))
