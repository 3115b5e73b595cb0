"""`ivr entitlements`: whether everybody could talk for as long as a law gives them."""

import csv
import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

import typer

from ivr.cli.calls import open_database
from ivr.cli.given import DAY
from ivr.cli.staff import Facility, show
from ivr.clock import utc_now
from ivr.entitlements import Given, entitlements

COLUMNS = ("day", "inmate", "unit", "state", "possible", "used", "entitled", "short")
Day = Annotated[datetime | None, typer.Option(parser=DAY, help="a day such as 2026-12-24")]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command("entitlements")
    def entitlements_(
        *,
        facility: Facility = None,
        day: Annotated[datetime | None, typer.Option("--day", parser=DAY, help="one day; else today")] = None,
        first: Annotated[datetime | None, typer.Option("--from", parser=DAY, help="the first day")] = None,
        last: Annotated[datetime | None, typer.Option("--to", parser=DAY, help="the last day")] = None,
        only_short: Annotated[
            bool, typer.Option("--short", help="only where less was possible than is due")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="one JSON object for each")] = False,
        as_csv: Annotated[bool, typer.Option("--csv", help="comma-separated, with a header")] = False,
    ) -> None:
        """Tell for each inmate and day how many minutes were possible, how many were used, and what law gives them.

        What was possible is worked out from the settings as they stand now: hours, closures, quotas, pauses and
        attempts of every level, with calls of full length, and from what was switched off when. Days on which less was
        possible than is due are short.
        """
        if day is not None and (first is not None or last is not None):
            raise typer.BadParameter("either --day, or --from and --to")
        begins, ends = (_date(day or each) for each in (first, last))
        with open_database() as database:
            found = database.read_now(entitlements, facility, begins, ends, utc_now())
        shown = [each for each in found if each.short or not only_short]
        if as_json:
            for each in shown:
                typer.echo(json.dumps(each.as_dict()))
        elif as_csv:
            _write(shown)
        else:
            _table(shown)
            typer.echo(_summary(found))


def _date(at: datetime | None) -> date | None:
    return at.date() if at is not None else None


def _write(shown: Sequence[Given]) -> None:
    lines = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    lines.writeheader()
    lines.writerows({**each.as_dict(), "short": "yes" if each.short else ""} for each in shown)


def _table(shown: Sequence[Given]) -> None:
    rows = [{**each.as_dict(), "short": "short" if each.short else ""} for each in shown]
    show(COLUMNS, rows, "Nobody.")


def _summary(found: Sequence[Given]) -> str:
    if all(each.entitled is None for each in found):
        return "No law is known that gives a person so many minutes here."
    short = sum(each.short for each in found)
    return f"{short} of {len(found)} days of inmates are short of what the law gives."
