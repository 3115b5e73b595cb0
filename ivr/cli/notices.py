"""`ivr notices`: what people were told or not told by SMS and e-mail, and why."""

import json
from typing import Annotated

import typer

from accounts.payment_tables import NoticeState
from ivr.cli.calls import open_database
from ivr.cli.staff import AsJson, Note, change, show
from ivr.config import load_settings
from ivr.notices.queue import notice_of
from ivr.notices.shown import Shown, Wanted, dead_shown, notice_row, notices_shown, waiting, whole
from ivr.staff.desk import StaffError

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="the number, in any way of writing it")]
NoticeId = Annotated[int, typer.Argument(metavar="NOTICE", help="its number in the list")]
Most = Annotated[int, typer.Option("--most", min=1, help="how many of the newest")]
#: What names the sender of a channel.
_SENDERS = {"sms": "twilio_account, twilio_sender", "email": "smtp_host, smtp_from"}
_COLUMNS = ("no.", "written", "kind", "to", "state", "why")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    notices = typer.Typer(no_args_is_help=True, help="SMS and e-mail: what was told to whom.")
    app.add_typer(notices, name="notices")

    @notices.callback()
    def _group() -> None:
        """SMS and e-mail to those who pay for calls: what was told to whom, what was not, and why.

        What is told is written down with what it tells of, and sent by the running controller. Times are UTC.
        """

    notices.command("list")(list_)
    notices.command("dead")(dead)
    notices.command("show")(show_)
    notices.command("retry")(retry)
    notices.command("opt-out")(opt_out)
    notices.command("opt-in")(opt_in)


def list_(
    *,
    state: Annotated[NoticeState | None, typer.Option("--state", help="only these")] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="ID", help="only of this account")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="only to this number or address")] = None,
    most: Most = 50,
    as_json: AsJson = False,
) -> None:
    """List notices, the newest first; and why what waits is waiting."""
    settings = load_settings()
    with open_database() as database:
        wanted = Wanted(state, account, to, most)
        found = database.read_now(notices_shown, wanted, settings.channels)
        held = database.read_now(waiting)
    _print(found, "No notices.", as_json=as_json)
    if not as_json:
        for channel, count in sorted(held.items()):
            if channel not in settings.channels:
                typer.echo(f"{count} by {channel} wait, since no sender is set: {_SENDERS[channel]}")


def dead(most: Most = 50, *, as_json: AsJson = False) -> None:
    """List what was not told: every try failed, or it was refused for good. `retry` sends one again."""
    with open_database() as database:
        found = database.read_now(dead_shown, most)
    _print(found, "No dead notices.", as_json=as_json)


def show_(notice: NoticeId) -> None:
    """Show one notice: to whom, where it is, and its words."""
    from ivr.notices.texts import TextError, Texts  # noqa: PLC0415 - slow to import; no other verb needs it

    settings = load_settings()
    with open_database() as database:
        row = database.read_now(notice_row, notice)
    if row is None:
        raise StaffError(f"there is no notice {notice}")
    for name, value in whole(row, settings.channels):
        typer.echo(f"{name + ':':15}{value}")
    its, texts = notice_of(row), Texts.load()
    sender = settings.notices_name or "…"
    try:
        if its.channel == "sms":
            words = texts.sms(its.kind, its.language, its.told, sender=sender)
        else:
            mail = texts.email(its.kind, its.language, its.told, sender=sender)
            words = f"{mail.subject}\n\n{mail.body}"
    except TextError as error:
        words = f"(can't be put into words: {error})"
    typer.echo(f"\n{words.rstrip()}")


def retry(notice: NoticeId, note: Note) -> None:
    """Send a dead or failed notice again, as a new one; where a message may be on its way it is looked for first."""
    change("notices retry", note, None, notice=notice)


def opt_out(number: Number, note: Note) -> None:
    """Send no SMS to a number any more, as if STOP had been answered from it."""
    change("notices opt-out", note, None, number=number)


def opt_in(number: Number, note: Note) -> None:
    """Send SMS to a number again, since its holder wants them; after a STOP the carrier wants START from them, too."""
    change("notices opt-in", note, None, number=number)


def _print(found: list[Shown], nothing: str, *, as_json: bool) -> None:
    if as_json:
        for each in found:
            typer.echo(json.dumps(each, ensure_ascii=False))
        return
    show(_COLUMNS, found, nothing)
