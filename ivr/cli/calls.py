"""`ivr calls`: calls in progress."""

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
from ivr.config import load_settings
from ivr.story import story

HIDDEN = Annotated[
    bool, typer.Option("--hidden", help="also calls to hotlines that keep no trace of who calls")
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("call")(one_call)

    @app.command()
    def calls(*, hidden: HIDDEN = False) -> None:
        """List the calls in progress: from the keyed number to the settlement."""
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


def one_call(
    call_id: Annotated[str, typer.Argument(metavar="CALL", help="its id, or the beginning of it")],
    *,
    hidden: HIDDEN = False,
) -> None:
    """Tell one call as a story, while it is in progress too; that somebody looked is logged."""
    look("cdr --hidden" if hidden else "cdr", f"call {call_id}")
    with open_database() as database:
        lines = database.read_now(story, whole_id(database, call_id, hidden=hidden))
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


def whole_id(database: Database, start: str, *, hidden: bool) -> str:
    """The one call whose id begins so."""
    found = database.read_now(cdr.ids_starting, start.lower(), hidden=hidden)
    if len(found) != 1:
        why = "more than one call begins with" if found else "there is no call"
        typer.echo(f"ivr: {why} {start}", err=True)
        raise typer.Exit(1)
    return found[0]
