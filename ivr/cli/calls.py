"""`ivr calls`: calls in progress."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from accounts import schema
from accounts.db import Database
from ivr import cdr
from ivr.config import load_settings

HIDDEN = Annotated[
    bool, typer.Option("--hidden", help="also calls to hotlines that keep no trace of who calls")
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""

    @app.command()
    def calls(*, hidden: HIDDEN = False) -> None:
        """List the calls in progress: from the keyed number to the settlement."""
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
