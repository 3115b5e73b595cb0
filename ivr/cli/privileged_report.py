"""`ivr number privileged report`: the compliance report on privileged numbers, as tables, JSON or CSV."""

import csv
import json
import sys
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import typer

from ivr.cli.calls import open_database
from ivr.cli.given import DAY
from ivr.cli.staff import Facility, look, show
from ivr.staff.privileged_report import PARTS, Report, privileged_report

Part = StrEnum("Part", {name.upper(): name for name in PARTS})  # type: ignore[misc] # typer offers its words
_NOTHING = {
    "numbers": "No privileged numbers.",
    "changes": "No changes of the list.",
    "calls": "No calls with them.",
    "recordings": "No recordings of these calls.",
    "accesses": "Nobody has touched a recording of these calls.",
    "listenings": "Nobody was to hear one of these calls.",
}


def report(
    since: Annotated[datetime, typer.Option("--since", parser=DAY, help="the first day")],
    until: Annotated[datetime, typer.Option("--until", parser=DAY, help="the last day")],
    *,
    facility: Facility = None,
    as_json: Annotated[bool, typer.Option("--json", help="all of it as one JSON object")] = False,
    as_csv: Annotated[Part | None, typer.Option("--csv", help="one part of it as CSV")] = None,
) -> None:
    """Report on privileged numbers over some days of the facility's.

    The numbers, what was changed of the list, calls with them, recordings of these calls, who opened what, and who was
    to hear one. That somebody looked is logged.
    """
    if until < since:
        raise typer.BadParameter("--until: expected a day that is not before --since")
    look("number privileged report", f"privileged numbers, {since.date()} to {until.date()}")
    found = _read(facility, since.date(), until.date())
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
        return
    lines = found.as_dict()
    if as_csv is not None:
        out = csv.DictWriter(sys.stdout, PARTS[as_csv], lineterminator="\n")
        out.writeheader()
        out.writerows({name: _cell(each[name]) for name in each} for each in lines[as_csv])  # type: ignore[attr-defined]
        return
    typer.echo(f"Privileged numbers of {found.facility}, {found.since} to {found.until}")
    for name, count in found.sums.items():
        typer.echo(f"{count:>8}  {name}")
    for part, columns in PARTS.items():
        typer.echo(f"\n{part}")
        shown = [{**each, **_words(each)} for each in lines[part]]  # type: ignore[attr-defined]
        told = ("at", "author", "what and why") if "told" in columns else columns
        show(told, shown, _NOTHING[part])


def _read(facility: str | None, since: date, until: date) -> Report:
    with open_database() as database:
        return database.read_now(privileged_report, facility, since, until)


def _words(each: dict[str, object]) -> dict[str, object]:
    """What a table says otherwise."""
    if "told" in each:
        return {"what and why": f"{each['told']} ({each['note']})"}
    if "privileged" in each:
        return {"privileged": "yes" if each["privileged"] else "before"}
    return {}


def _cell(value: object) -> object:
    """What somebody has typed is no formula of a spreadsheet's; a number with its + is one that we wrote."""
    if isinstance(value, str) and value[:1] in ("=", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
