"""`ivr calls` and `ivr cdr`: calls in progress, and call-detail records."""

import json
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

    @app.command("cdr")
    def cdr_(
        call_id: Annotated[
            str | None,
            typer.Argument(metavar="[CALL]", help="one call, told whole: its id, or the beginning of it"),
        ] = None,
        most: Annotated[int, typer.Option("--most", min=1, help="how many of the newest to list")] = 20,
        as_json: Annotated[bool, typer.Option("--json", help="one JSON object for each call")] = False,
        hidden: HIDDEN = False,
    ) -> None:
        """Show call-detail records: the newest, or one call with all of its fields.

        Times are the facility's. A record is sealed in the transaction that settles its money and never changed after.
        """
        with open_database() as database:
            ids = (
                [whole_id(database, call_id, hidden=hidden)]
                if call_id
                else _newest_ids(database, most, hidden=hidden)
            )
            if call_id is None and not as_json:
                Console().print(cdr_table(database, most, hidden=hidden))
                return
            for each in ids:
                fields = database.read_now(cdr.whole, each)
                assert fields is not None
                if as_json:
                    typer.echo(json.dumps(fields, default=str))
                else:
                    Console().print(record_table(fields))


@contextmanager
def open_database() -> Iterator[Database]:
    """The database of the settings, for reading; raises DatabaseError for one without our tables."""
    url = load_settings().url
    schema.require_head(url)
    with Database.open(url) as database:
        yield database


def _newest_ids(database: Database, most: int, *, hidden: bool) -> list[str]:
    return [row.id for row in database.read_now(cdr.newest, most, hidden=hidden)]


def whole_id(database: Database, start: str, *, hidden: bool) -> str:
    """The one call whose id begins so."""
    found = database.read_now(cdr.ids_starting, start.lower(), hidden=hidden)
    if len(found) != 1:
        why = "more than one call begins with" if found else "there is no call"
        typer.echo(f"ivr: {why} {start}", err=True)
        raise typer.Exit(1)
    return found[0]


def cdr_table(database: Database, most: int, *, hidden: bool = False) -> Table:
    """The newest records, a line each."""
    table = Table(box=None, pad_edge=False)
    for column in ("call", "keyed", "inmate", "number", "talk", "paid", "reason"):
        table.add_column(column, no_wrap=True)
    for row in database.read_now(cdr.newest, most, hidden=hidden):
        table.add_row(
            row.id[:8],
            cdr.local_time(row, row.keyed_at),
            row.inmate_id,
            row.number or row.dialled,
            cdr.talk_time(row.talk_ms),
            cdr.paid(row),
            row.reason,
        )
    return table


def record_table(fields: dict[str, object] | object) -> Table:
    """One record, a field a line; fields that hold nothing are left out."""
    table = Table(box=None, pad_edge=False, show_header=False)
    assert isinstance(fields, dict)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in cdr.lines(fields):
        table.add_row(name, value)
    return table
