"""`ivr changes`: who changed what, when and why."""

import json
from datetime import datetime
from typing import Annotated

import typer

from ivr.cli.calls import open_database
from ivr.cli.given import DAY
from ivr.cli.staff import AsJson, show
from ivr.staff.shown import Wanted, changes_shown

Day = Annotated[datetime | None, typer.Option(parser=DAY, help="a day such as 2026-12-24")]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command("changes")
    def changes(
        *,
        facility: Annotated[
            str | None, typer.Option("--facility", metavar="ID", help="only of this facility")
        ] = None,
        author: Annotated[
            str | None, typer.Option("--author", help="only by this operator, or `feed`")
        ] = None,
        since: Day = None,
        until: Day = None,
        most: Annotated[int, typer.Option("--most", min=1, help="how many of the newest")] = 50,
        as_json: AsJson = False,
    ) -> None:
        """Show what staff have changed by verbs, the newest first: when, who, what and why.

        Who listens to whom, and who is watched, is in the log alone: `ivr audit show`.
        """
        first, last = since.date() if since else None, until.date() if until else None
        with open_database() as database:
            found = database.read_now(changes_shown, Wanted(facility, author, first, last, most=most))
        if as_json:
            for each in found:
                typer.echo(json.dumps(each))
            return
        rows = [{**each, "what and why": f"{each['told']} ({each['note']})"} for each in found]
        show(("at", "author", "what and why"), rows, "No changes.")
