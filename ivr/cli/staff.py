"""What verbs of staff have in common: whose facility, why, by whom; and tables of eighty columns."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ivr.asking import perform
from ivr.config import load_settings
from ivr.login import own_login

Facility = Annotated[
    str | None, typer.Option("--facility", metavar="ID", help="needed where there are several")
]
Note = Annotated[str, typer.Option("--note", help="why, for those who ask later")]
InmateId = Annotated[str, typer.Argument(metavar="ID", help="the inmate's ID, as it is keyed")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object for each")]
#: How a time of the facility is written.
LOCAL = "such as 2026-12-24T18:00, the facility's time"


def change(name: str, note: str, facility: str | None, /, **given: object) -> str:
    """Have a change done in the name of whoever runs the command, and tell what was done: the answer."""
    told = _perform(name, note=note, facility_id=facility, **given)
    typer.echo(told)
    return told


def look(verb: str, what: str) -> None:
    """Have it logged that whoever runs the command looks at this, before it is shown to them."""
    _perform(verb, what=what)


def _perform(name: str, /, **given: object) -> str:
    return perform(load_settings(), name, author=own_login(), **given)


def show(
    columns: Sequence[str], rows: Sequence[Mapping[str, object]], nothing: str, *, as_json: bool = False
) -> None:
    """A table with a line for each row, or a sentence where there is none; the last column takes what room is left.

    As JSON one object for each row, and nothing where there is none.
    """
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
        return
    if not rows:
        typer.echo(nothing)
        return
    table = Table(box=None, pad_edge=False)
    for column in columns[:-1]:
        table.add_column(column, no_wrap=True)
    table.add_column(columns[-1], overflow="fold")
    for row in rows:
        table.add_row(*("" if row[column] is None else str(row[column]) for column in columns))
    Console().print(table)
