"""`ivr switches`: what is switched off."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from accounts.db import Database
from ivr.cli.calls import open_database
from ivr.facility.switches import open_switches


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(switches)


def switches(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object for each")] = False,
) -> None:
    """List what is switched off: since when, by whom, why, and what calls in progress were let do."""
    with open_database() as database:
        if as_json:
            for each in _open(database):
                typer.echo(json.dumps(each))
            return
        table = Table(box=None, pad_edge=False)
        for column in ("off", "since", "let", "by", "why"):
            table.add_column(column, overflow="fold", no_wrap=column in {"since", "let"})
        rows = _open(database)
        for each in rows:
            table.add_row(each["scope"], each["since"], each["let"], each["author"], each["note"])
        Console().print(table if rows else "Nothing is switched off.")


def _open(database: Database) -> list[dict[str, str]]:
    return [
        {
            "scope": row.scope.replace("/", " ", 1),
            "since": f"{row.thrown_at:%Y-%m-%d %H:%M}Z",
            "let": row.way,
            "author": row.author,
            "note": row.note,
        }
        for row in database.read_now(open_switches)
    ]
