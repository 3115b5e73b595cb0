"""A paper as its reader sees it, whatever it is printed on: headed lines, a table, sums, and a last sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ivr.papers.invoice import Bill
from ivr.papers.statement import Line, Statement
from ivr.papers.wording import day, length, moment, money, word

#: The columns whose figures stand at the right.
FIGURES = frozenset({"talk", "tax", "amount", "balance"})


@dataclass(frozen=True, slots=True)
class Paper:
    """What is printed; `columns` are words' ids, each row has a text for each of them."""

    title: str
    head: Sequence[tuple[str, str]]
    columns: Sequence[str]
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    sums: Sequence[tuple[str, str]]
    last: str


def statement_paper(of: Statement) -> Paper:
    """A statement in its holder's language."""
    language = of.language
    columns = ("date", "what", "number", "talk", "tax", "amount", "balance")
    head = [(word("account", language), of.account_id)]
    if of.holder:
        head.append((word("holder", language), of.holder))
    head.append((word("period", language), f"{day(of.first, language)} - {day(of.last, language)}"))
    sums = [(word("before", language), money(of.before, language))]
    sums.append((word("after", language), money(of.after, language)))
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
        (word("period", language), f"{day(of.first, language)} - {day(of.last, language)}"),
    ]
    sums = [(word("to_pay", language), money(of.amount, language))]
    return _paper("bill", language, head=head, columns=columns, lines=of.lines, sums=sums)


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
    return Paper(word(title, language), head, columns, headings, rows, sums, last)


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
    }
