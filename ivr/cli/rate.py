"""`ivr rate`: calls rated line by line, to try a tariff or to test it against a reference."""

import json
from typing import Annotated

import typer

from rating.lines import reply


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command("rate")
    def rate_lines(
        file: Annotated[
            typer.FileText,
            typer.Argument(
                encoding="utf-8", errors="replace", help="calls as JSON, one a line; else standard input"
            ),
        ] = "-",  # type: ignore[assignment]  # typer opens it
    ) -> None:
        """Rate calls: one JSON object a line in, one a line out.

        A line has a tariff and a call: see examples/calls.jsonl, and rating/lines.py for all that may stand there. The
        exit status is 1 if any line had an error; a refused call is none. Nothing is read from the database.
        """
        failed = False
        for line in file:
            if not line.strip():
                continue
            answer = reply(line)
            failed = failed or "error" in answer
            print(json.dumps(answer), flush=True)
        if failed:
            raise typer.Exit(1)
