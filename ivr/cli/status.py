"""`ivr status`: how this node fares."""

import json
from dataclasses import asdict

import typer

from ivr.cli.staff import AsJson, show
from ivr.config import load_settings
from ivr.status import status as of_node


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(status)


def status(*, as_json: AsJson = False) -> None:
    """Tell how Asterisk, controller, database, disk, carriers and telephones fare, and what is switched off.

    Works whatever of them is down. The exit status is 1 where something is wrong, and its line has a mark. A telephone
    need not register to call.
    """
    lines = of_node(load_settings())
    if as_json:
        for line in lines:
            typer.echo(json.dumps(asdict(line)))
    else:
        rows = [{**asdict(line), "": "" if line.is_well else "!"} for line in lines]
        show(("", "part", "name", "told"), rows, "")
    if not all(line.is_well for line in lines):
        raise typer.Exit(1)
