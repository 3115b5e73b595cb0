"""A paper as text for a terminal, and as CSV for a spreadsheet; as PDF by `ivr.papers.pdf`."""

import csv
import io
from collections.abc import Sequence
from textwrap import wrap

from ivr.papers.paper import FIGURES, Paper

FORMATS = ("text", "csv", "pdf")


def printed(paper: Paper, form: str) -> bytes:
    """The paper in one of the `FORMATS`; text and CSV in UTF-8."""
    match form:
        case "csv":
            return as_csv(paper).encode()
        case "pdf":
            from ivr.papers.pdf import as_pdf  # noqa: PLC0415 - slow to import; nothing else needs it

            return as_pdf(paper)
        case _:
            return as_text(paper).encode()


def as_text(paper: Paper) -> str:
    """As wide as its columns are: about eighty."""
    table = [paper.headings, *paper.rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [paper.title, *(f"{name}: {value}" for name, value in paper.head), ""]
    if paper.rows:
        lines += [_text_row(paper.columns, row, widths) for row in table]
    lines += ["", *(f"{name}: {value}" for name, value in paper.sums), *wrap(paper.last, 80)]
    return "\n".join(lines) + "\n"


def _text_row(columns: Sequence[str], row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        text.rjust(width) if column in FIGURES else text.ljust(width)
        for column, text, width in zip(columns, row, widths, strict=True)
    ]
    return " ".join(cells).rstrip()


def as_csv(paper: Paper) -> str:
    """The table alone, its first row the headings; figures are plain, so that a spreadsheet adds them up."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(paper.sheet)
    return out.getvalue()
