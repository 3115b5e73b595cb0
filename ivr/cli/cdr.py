"""`ivr cdr`: call-detail records, found again, told whole, and held against Asterisk's own."""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Row
from typer.core import TyperGroup

from accounts.db import Database
from ivr import cdr
from ivr.cli import staff
from ivr.cli.calls import HIDDEN, looked_at, open_database, story_table
from ivr.cli.given import DAY, TIME
from ivr.cli.staff import LOCAL, AsJson, Facility
from ivr.clock import utc_now
from ivr.config import load_settings
from ivr.crosscheck import differences, kept_by_asterisk
from ivr.policy.reasons import Denial, NotRecorded, Outcome
from ivr.policy.request import Payer
from ivr.records.listing import RECORDED, UNRECORDED, Wanted, flags, is_recorded, page, place_of
from ivr.reports.report import days_of
from ivr.story import story
from rating.numbers import Number, NumberKind, read_e164, read_keys

LISTED = 20  # calls of a table
PAGE = 1_000
_REASONS = (*Denial, *Outcome)
_RECORDED = (RECORDED, UNRECORDED, *NotRecorded)

Unit = Annotated[str | None, typer.Option("--unit", help="of its telephones, or of whoever is in it now")]
Station = Annotated[str | None, typer.Option("--station", help="a telephone")]
Inmate = Annotated[str | None, typer.Option("--inmate", metavar="ID", help="as it is keyed")]
Keyed = Annotated[str | None, typer.Option("--number", help="as it is keyed, or in E.164")]
Day = Annotated[datetime | None, typer.Option("--day", parser=DAY, help="one day, facility's time")]
First = Annotated[datetime | None, typer.Option("--from", parser=TIME, help=f"keyed then or later, {LOCAL}")]
Last = Annotated[datetime | None, typer.Option("--to", parser=TIME, help="keyed before; a day is included")]
Shortest = Annotated[
    int | None, typer.Option("--talk-from", min=0, metavar="SECONDS", help="talked so long at least")
]
Longest = Annotated[
    int | None, typer.Option("--talk-to", min=0, metavar="SECONDS", help="talked so long at most")
]
Reason = Annotated[str | None, typer.Option("--reason", help="how it ended: a word of the records")]
Paying = Annotated[str | None, typer.Option("--payer", help="who paid, such as prepaid")]
Recorded = Annotated[
    str | None, typer.Option("--recorded", help="yes, no, or why not: privileged, facility …")
]
Flagged = Annotated[bool, typer.Option("--flagged", help="doubtful times, forwarded, or complained of")]
Most = Annotated[
    int | None, typer.Option("--most", min=1, help="so many of the newest; else 20, in files all")
]
AsCsv = Annotated[bool, typer.Option("--csv", help="comma-separated, with a header")]


class _CdrGroup(TyperGroup):
    """`ivr cdr` alone lists, `ivr cdr ID` tells one call: no further word is needed for either."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if first not in {*self.commands, "--help"}:
            args = ["show" if first and not first.startswith("-") else "list", *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    records = typer.Typer(cls=_CdrGroup, help="Call-detail records: a list, or one call told whole.")
    app.add_typer(records, name="cdr")

    @records.callback()
    def _group() -> None:
        """Call-detail records: `ivr cdr` lists the newest, `ivr cdr ID` tells one call as a story.

        A record is sealed in the transaction that settles its money and never changed after.
        """

    records.command("list")(list_)
    records.command("show")(show)
    records.command("audit")(audit)


def list_(
    *,
    facility: Facility = None,
    unit: Unit = None,
    station: Station = None,
    inmate: Inmate = None,
    number: Keyed = None,
    day: Day = None,
    first: First = None,
    last: Last = None,
    shortest: Shortest = None,
    longest: Longest = None,
    reason: Reason = None,
    payer: Paying = None,
    recorded: Recorded = None,
    flagged: Flagged = False,
    most: Most = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    hidden: HIDDEN = False,
) -> None:
    """List sealed calls, the newest first: those of which all that is given holds.

    A mark after the reason says that somebody may want to look at the call: `ivr cdr ID` says what at. To look at an
    inmate's or a number's calls, at hidden ones, or to take them along as CSV or JSON, is logged.
    """
    if day is not None and (first is not None or last is not None):
        raise typer.BadParameter("either --day, or --from and --to")
    wanted = Wanted(
        facility_id=facility,
        unit=unit,
        station_id=station,
        inmate_id=inmate,
        **_number(number),
        begins=day or first,
        ends=_end(day or last, whole_day=day is not None),
        shortest_s=shortest,
        longest_s=longest,
        reason=_word("--reason", reason, _REASONS),
        payer=_word("--payer", payer, tuple(Payer)),
        recorded=_word("--recorded", recorded, _RECORDED),
        flagged=flagged,
        hidden=hidden,
    )
    if hidden or as_csv or as_json or inmate or number:
        staff.look("cdr --hidden" if hidden else "cdr", _looked_at(inmate, number, most))
    with open_database() as database:
        if as_csv or as_json:
            _write(found(database, wanted, most), as_csv=as_csv)
        else:
            rows = list(found(database, wanted, most or LISTED))
            Console().print(cdr_table(rows) if rows else "No such calls.")


def show(
    call_id: Annotated[str, typer.Argument(metavar="CALL", help="its id, or the beginning of it")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="every field, as one JSON object")] = False,
    hidden: HIDDEN = False,
) -> None:
    """Tell one call as a story: times, the decision and its rule, what each was told, money, recording, evidence.

    That somebody looked is logged.
    """
    with open_database() as database:
        whole = looked_at(database, call_id, hidden=hidden)
        if as_json:
            typer.echo(json.dumps(database.read_now(cdr.whole, whole), default=str))
        else:
            Console().print(story_table(database.read_now(story, whole)))


def audit(
    *,
    facility: Facility = None,
    day: Annotated[
        datetime | None, typer.Option("--day", parser=DAY, help="facility's time; else yesterday")
    ] = None,
) -> None:
    """Hold a day's records against Asterisk's own: list every call that one has and the other has not.

    Asterisk keeps them by itself, with the controller down too. The exit status is 1 where there is a difference.
    """
    settings = load_settings()
    kept = kept_by_asterisk(settings.state_dir.absolute() / "asterisk" / "log")
    which = day.date() if day else None
    with open_database() as database:
        days = database.read_now(days_of, facility, which, which, now=utc_now(), usual=1)
        different = database.read_now(differences, kept, days.since, days.until)
    rows = [{"call": each.call_id, "what": each.what} for each in different]
    staff.show(("call", "what"), rows, f"{days.in_words}: the two agree.")
    if different:
        raise typer.Exit(1)


def _looked_at(inmate: str | None, number: str | None, most: int | None) -> str:
    """What the log has of a list: whose calls, or how many."""
    whose = [f"inmate {inmate}"] if inmate else []
    whose += [f"number {number}"] if number else []
    return f"calls of {' and '.join(whose)}" if whose else f"the newest {most} calls" if most else "calls"


def found(database: Database, wanted: Wanted, most: int | None) -> Iterator[Row[Any]]:
    """The wanted calls, the newest first, read page by page."""
    after, left = None, most
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        rows = database.read_now(page, wanted, size, after)
        yield from rows
        if len(rows) < size:
            return
        after, left = place_of(rows[-1]), None if left is None else left - size


def cdr_table(rows: Sequence[Row[Any]]) -> Table:
    """Calls, a line each."""
    table = Table(box=None, pad_edge=False)
    for column in ("call", "keyed", "inmate", "number", "talk", "paid", "rec", "reason"):
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(
            row.id[:8],
            cdr.local_time(row, row.keyed_at),
            row.inmate_id,
            row.number or row.dialled,
            cdr.talk_time(row.talk_ms),
            cdr.paid(row),
            "yes" if is_recorded(row) else "",
            f"{row.reason}{' !' if flags(row) else ''}",
        )
    return table


def _write(rows: Iterator[Row[Any]], *, as_csv: bool) -> None:
    if not as_csv:
        for row in rows:
            print(json.dumps(cdr.listed(row)))
        return
    lines = csv.DictWriter(sys.stdout, cdr.COLUMNS, lineterminator="\n")
    lines.writeheader()
    lines.writerows(map(cdr.listed, rows))


def _number(text: str | None) -> dict[str, str]:
    """The field that a number is looked for in: what is none, such as a hotline's code, was keyed all the same."""
    if text is None:
        return {}
    kinds = frozenset(NumberKind)
    read = (read_e164 if text.startswith("+") else read_keys)(text, allowed_kinds=kinds)
    return {"number": read.e164} if isinstance(read, Number) else {"dialled": text}


def _end(at: datetime | None, *, whole_day: bool) -> datetime | None:
    """A day ends with its last moment; a time of day is the end itself."""
    if at is None:
        return None
    is_day = whole_day or (at.hour, at.minute) == (0, 0)
    return at + timedelta(days=1) if is_day else at


def _word(option: str, given: str | None, words: Sequence[str]) -> str | None:
    if given is not None and given not in words:
        raise typer.BadParameter(f"{option} {given}: one of {', '.join(map(str, words))}")
    return given
