"""`ivr calls`: calls in progress."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from accounts import schema
from accounts.db import Database
from ivr import cdr
from ivr.cli.staff import look
from ivr.clock import utc_now
from ivr.config import load_settings
from ivr.story import story

HIDDEN = Annotated[
    bool, typer.Option("--hidden", help="also calls to hotlines that keep no trace of who calls")
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("call")(one_call)

    @app.command()
    def calls(
        *,
        hidden: HIDDEN = False,
        watch: Annotated[
            bool,
            typer.Option("--watch", help="a page of all telephones that is renewed, with keys; q ends it"),
        ] = False,
        as_json: Annotated[
            bool, typer.Option("--json", help="what the page shows, one JSON object for each telephone")
        ] = False,
        phone: Annotated[
            str | None, typer.Option("--phone", help="whose telephone is rung to listen, on the page")
        ] = None,
    ) -> None:
        """List the calls in progress: from the keyed number to the settlement.

        With --watch a page: who is identifying themselves, ringing, accepting, talking; for how long, and how long they
        may go on; who pays; whether it is recorded; what is special. Keys cut a call off, listen to it, or note on it.
        """
        if watch or as_json:
            if hidden:
                raise typer.BadParameter("--hidden: not with --watch or --json")
            show_now(phone, as_json=as_json)
            return
        if hidden:
            look("calls --hidden", "anonymous calls in progress")
        with open_database() as database:
            rows = database.read_now(cdr.in_progress, hidden=hidden)
        table = Table(box=None, pad_edge=False)
        for column in ("call", "station", "inmate", "number", "state", "payer", "limit", "since"):
            table.add_column(column, no_wrap=True, max_width=14 if column == "station" else None)
        for row in rows:
            since = cdr.local_time(row, row.keyed_at).rpartition(" ")[2]
            limit = cdr.talk_time(row.limit_ms) if row.limit_ms else ""
            table.add_row(
                row.id[:8], row.station_id, row.inmate_id, row.number, row.state, row.payer, limit, since
            )
        Console().print(table if rows else "No calls in progress.")


def show_now(phone: str | None, *, as_json: bool) -> None:
    """Every telephone as it is now: as JSON lines, or a page where there is a terminal to show it on."""
    from ivr.cli import calls_page, calls_watch  # noqa: PLC0415 - only for these
    from ivr.now import State, now  # noqa: PLC0415

    settings, console = load_settings(), Console()
    phone = phone or next(iter(settings.listeners), None)
    if phone is not None and phone not in settings.listeners:
        raise typer.BadParameter(
            f"--phone: expected one of listening_phones: {' '.join(settings.listeners) or 'none is set'}"
        )
    with open_database() as database:
        if console.is_terminal and not console.is_dumb_terminal and sys.stdin.isatty() and not as_json:
            calls_watch.watch(settings, database, console, phone)
            return
        lines, at = database.read_now(now, calls_watch.seen(settings)), utc_now()
    if as_json:
        for line in lines:
            typer.echo(json.dumps(line.told(at)))
    else:
        console.print(calls_page.table([line for line in lines if line.state is not State.IDLE], at))


def one_call(
    call_id: Annotated[str, typer.Argument(metavar="CALL", help="its id, or the beginning of it")],
    *,
    hidden: HIDDEN = False,
) -> None:
    """Tell one call as a story, while it is in progress too; that somebody looked is logged."""
    with open_database() as database:
        lines = database.read_now(story, looked_at(database, call_id, hidden=hidden))
    Console().print(story_table(lines))


def story_table(lines: Sequence[tuple[str, str]]) -> Table:
    """One call's story, a line each."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for at, told in lines:
        table.add_row(at, told)
    return table


@contextmanager
def open_database() -> Iterator[Database]:
    """The database of the settings, for reading; raises DatabaseError for one without our tables."""
    url = load_settings().url
    schema.require_head(url)
    with Database.open(url) as database:
        yield database


def looked_at(database: Database, start: str, *, hidden: bool) -> str:
    """The one call whose id begins so, once it is logged, by its whole id, that somebody looks at it."""
    found = database.read_now(cdr.ids_starting, start.lower(), hidden=hidden)
    look("cdr --hidden" if hidden else "cdr", f"call {found[0] if len(found) == 1 else start}")
    return _the_one(found, start)


def whole_id(database: Database, start: str) -> str:
    """The one call whose id begins so, of those that keep a trace of who calls."""
    return _the_one(database.read_now(cdr.ids_starting, start.lower()), start)


def _the_one(found: Sequence[str], start: str) -> str:
    if len(found) != 1:
        why = "more than one call begins with" if found else "there is no call"
        typer.echo(f"ivr: {why} {start}", err=True)
        raise typer.Exit(1)
    return found[0]
