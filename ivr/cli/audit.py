"""`ivr audit`: who did, read and was refused what, and the proof that nobody has changed that since."""

import json
from datetime import datetime
from typing import Annotated

import typer

from ivr.cli import chains
from ivr.cli.calls import open_database
from ivr.cli.chains import Known
from ivr.cli.staff import AsJson, look, show
from ivr.facility.audit import AUDIT, Deed
from ivr.staff.shown import Wanted, changes_shown

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="a day such as 2026-12-24")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(no_args_is_help=True, help="The audit log: who did, read and was refused what.")

    @verbs.callback()
    def _group() -> None:
        """The audit log: who did, read and was refused what."""

    app.add_typer(verbs, name="audit")
    for verb in (verify, show_, head):
        verbs.command(verb.__name__.rstrip("_"))(verb)


def head() -> None:
    """Print the chain's last entry and its hash: kept elsewhere, it proves every entry up to it."""
    with open_database() as database:
        typer.echo(str(database.read_now(AUDIT.head)))


def verify(known: Known = None) -> None:
    """Hash the whole log again: any entry that was changed, is missing or out of order is named.

    The exit status is 1 if anything is wrong. Entries of the last seconds may not be in the chain yet; one that is not
    in it after an hour is wrong too.
    """
    with open_database() as database:
        found = chains.faults(database, AUDIT, known)
        linked, waiting = database.read_now(AUDIT.links), database.read_now(AUDIT.unlinked)
        where = database.read_now(AUDIT.head)
    for fault in found:
        typer.echo(fault)
    typer.echo(f"{chains.entries(linked + waiting, waiting)}; {chains.found(found)}")
    typer.echo(f"head {where}")
    if found:
        raise typer.Exit(1)


def show_(
    *,
    author: Annotated[str | None, typer.Option("--author", help="only by this operator")] = None,
    deed: Annotated[Deed | None, typer.Option("--deed", help="only changes, reads or refusals")] = None,
    verb: Annotated[
        str | None, typer.Option("--verb", help='only of this verb, such as "inmate show"')
    ] = None,
    about: Annotated[str | None, typer.Option("--about", help="only where these words stand")] = None,
    facility: Annotated[
        str | None, typer.Option("--facility", metavar="ID", help="only of this facility")
    ] = None,
    since: Day = None,
    until: Day = None,
    most: Annotated[int, typer.Option("--most", min=1, help="how many of the newest")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the log, the newest first: when, who, whether it was a change, a read or a refusal, and of what.

    To look at it is a read that is logged, too.
    """
    first, last = since.date() if since else None, until.date() if until else None
    wanted = Wanted(facility, author, first, last, most=most, deed=deed, verb=verb, about=about, covert=True)
    asked = {"deed": deed, "verb": verb, "about": about, "facility": facility, "since": first, "until": last}
    only = "".join(f", {name} {value}" for name, value in asked.items() if value is not None)
    look("audit show", f"the audit log of {author or 'everybody'}{only}")
    with open_database() as database:
        found = database.read_now(changes_shown, wanted)
    if as_json:
        for each in found:
            typer.echo(json.dumps(each))
        return
    rows = [{**each, "what": _told(each)} for each in found]
    show(("at", "author", "deed", "what"), rows, "Nothing is logged.")


def _told(row: dict[str, str]) -> str:
    """What was done; a read tells of what, a refusal says it itself."""
    what = f"{row['change']}: {row['about']}" if row["deed"] == Deed.READ else row["told"]
    return f"{what} ({row['note']})" if row["note"] else what
