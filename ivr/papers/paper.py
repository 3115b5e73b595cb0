"""A paper as its reader sees it, whatever it is printed on: headed lines, a table, sums, and a last sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from ivr.papers.invoice import Bill
from ivr.papers.statement import Line, Statement
from ivr.papers.wording import (
    day,
    in_cells,
    length,
    length_in_cells,
    moment,
    money,
    offset,
    word,
    zone_name,
)

#: The columns whose figures stand at the right.
FIGURES = frozenset({"talk", "tax", "amount", "balance", "left_to_bill"})
DOLLARS = FIGURES - {"talk"}
#: The words for balances of who pays later: what may still be billed, which is no money of theirs.
LATER = ("left_before", "left_after", "left_to_bill")


@dataclass(frozen=True, slots=True)
class Paper:
    """What is printed; `columns` are words' ids, each row has a text for each of them.

    `sheet` is the same table for a spreadsheet, its headings first: plain figures, dates with their offset.
    """

    title: str
    head: Sequence[tuple[str, str]]
    columns: Sequence[str]
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    sums: Sequence[tuple[str, str]]
    last: str
    sheet: Sequence[Sequence[str]]


def statement_paper(of: Statement) -> Paper:
    """A statement in its holder's language."""
    language = of.language
    head = [(word("account", language), of.account_id)]
    if of.holder:
        head.append((word("holder", language), of.holder))
    head += _when(of.first, of.last, of.zone, language)
    before, after, balance = ("before", "after", "balance") if of.owed is None else LATER
    columns = ("date", "what", "number", "talk", "tax", "amount", balance)
    sums = [(word(before, language), money(of.before, language))]
    sums.append((word(after, language), money(of.after, language)))
    if of.owed is not None:
        sums.append((word("owed", language), money(of.owed, language)))
    if of.reserved:
        sums.append((word("reserved", language), money(of.reserved, language)))
    return _paper("statement", language, head=head, columns=columns, lines=of.lines, sums=sums)


def bill_paper(of: Bill) -> Paper:
    """A bill with its calls."""
    language = of.language
    columns = ("date", "inmate", "number", "talk", "tax", "amount")
    head = [
        (word("bill", language), of.id),
        *([(word("holder", language), of.holder)] if of.holder else []),
        *_when(of.first, of.last, of.zone, language),
    ]
    sums = [(word("to_pay", language), money(of.amount, language))]
    return _paper("bill", language, head=head, columns=columns, lines=of.lines, sums=sums)


def _when(first: date, last: date, zone: ZoneInfo, language: str) -> list[tuple[str, str]]:
    period = f"{day(first, language)} - {day(last, language)}"
    return [(word("period", language), period), (word("times", language), zone_name(zone, language))]


def _paper(
    title: str,
    language: str,
    *,
    head: Sequence[tuple[str, str]],
    columns: Sequence[str],
    lines: Sequence[Line],
    sums: Sequence[tuple[str, str]],
) -> Paper:
    cells = [_cells(line, language) for line in lines]
    rows = [[each[column] for column in columns] for each in cells]
    last = word("complaints", language) if rows else word("nothing", language)
    headings = [word(column, language) for column in columns]
    sheet = _sheet(columns, lines, language)
    return Paper(word(title, language), head, columns, headings, rows, sums, last, sheet)


def _sheet(columns: Sequence[str], lines: Sequence[Line], language: str) -> list[list[str]]:
    wanted = [columns[0], "offset", *columns[1:]]
    headings = [word(column, language) + (" (USD)" if column in DOLLARS else "") for column in wanted]
    cells = [_cells_of_sheet(line, language) for line in lines]
    return [headings, *([each[column] for column in wanted] for each in cells)]


def _cells(line: Line, language: str) -> Mapping[str, str]:
    """What a line has for each column."""
    return {
        "date": moment(line.at, language),
        "what": word(line.what, language),
        "number": line.number or "",
        "inmate": line.inmate_id or "",
        "talk": length(line.talk_ms),
        "tax": money(line.tax or None, language),
        "amount": money(line.amount, language),
        "balance": money(line.balance, language),
        "left_to_bill": money(line.balance, language),
    }


def _cells_of_sheet(line: Line, language: str) -> Mapping[str, str]:
    return {
        **_cells(line, language),
        "date": f"{line.at:%Y-%m-%d %H:%M:%S}",
        "offset": offset(line.at),
        "talk": length_in_cells(line.talk_ms),
        "tax": in_cells(line.tax),
        "amount": in_cells(line.amount),
        "balance": in_cells(line.balance),
        "left_to_bill": in_cells(line.balance),
    }
