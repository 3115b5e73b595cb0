"""`ivr listenings`: who has heard which call."""

from typing import Annotated

import typer

from ivr.cli.calls import open_database
from ivr.cli.staff import AsJson, look, show
from ivr.records import listening


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(listenings)


def listenings(
    most: Annotated[int, typer.Option("--most", min=1, help="how many of the newest")] = 20,
    as_json: AsJson = False,
) -> None:
    """List who listened to which call, why, from when to when (UTC); that somebody looked is logged."""
    look("listenings", f"the newest {most} listenings")
    with open_database() as database:
        found = database.read_now(listening.newest, most)
    rows = [
        {
            "call": row.call_id[:8],
            "by": row.author,
            "phone": row.phone,
            "from": f"{row.from_at:%Y-%m-%d %H:%M:%S}" if row.from_at else "not answered",
            "to": f"{row.to_at:%H:%M:%S}" if row.to_at else "",
            "spoke": "yes" if row.speaks else "",
            "why": row.note,
        }
        for row in found
    ]
    show(("call", "by", "phone", "from", "to", "spoke", "why"), rows, "Nobody has listened.", as_json=as_json)
