"""A paper as PDF, for people."""

import unicodedata

from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from ivr.papers.paper import FIGURES, Paper


def as_pdf(paper: Paper) -> bytes:
    """Letter paper, the headings again on each page, its number at the foot."""
    pdf = _Pages(format="letter")
    pdf.set_title(paper.title)
    pdf.set_margin(18)
    pdf.add_page()
    pdf.set_font("helvetica", style="B", size=16)
    pdf.cell(0, 10, paper.title, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("helvetica", size=10)
    for name, value in paper.head:
        pdf.cell(0, 6, _known(f"{name}: {value}"), new_x="LMARGIN", new_y="NEXT")
    pdf.ln(4)
    if paper.rows:
        _pdf_table(pdf, paper)
    pdf.ln(4)
    for name, value in paper.sums:
        pdf.set_font("helvetica", style="B", size=10)
        pdf.cell(0, 6, f"{name}: {value}", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("helvetica", size=9)
    pdf.multi_cell(0, 5, paper.last, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _pdf_table(pdf: FPDF, paper: Paper) -> None:
    pdf.set_font("helvetica", size=9)
    aligned = tuple("RIGHT" if column in FIGURES else "LEFT" for column in paper.columns)
    widths = tuple(
        max(len(text) for text in column) + 2 for column in zip(paper.headings, *paper.rows, strict=True)
    )
    with pdf.table(
        text_align=aligned,
        col_widths=widths,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="BOLD"),
        line_height=5.5,
    ) as table:
        for row in (paper.headings, *paper.rows):
            table.row(row)


def _known(text: str) -> str:
    """The text in the letters that the font has: without an accent that it has not, or else a question mark."""
    letters = (each if _in_font(each) else unicodedata.normalize("NFKD", each)[0] for each in text)
    return "".join(each if _in_font(each) else "?" for each in letters)


def _in_font(letter: str) -> bool:
    return letter.isascii() or letter in _LATIN


_LATIN = frozenset(bytes(range(0xA0, 0x100)).decode("latin-1"))


class _Pages(FPDF):
    """Pages that tell their number."""

    def footer(self) -> None:
        """The number of the page, and of how many."""
        self.set_y(-15)
        self.set_font("helvetica", size=8)
        self.cell(0, 8, f"{self.page_no()}/{{nb}}", align="R")
