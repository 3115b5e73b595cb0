"""A report's bars as a picture: matplotlib, loaded only where one is drawn."""

from collections import Counter
from pathlib import Path

from ivr.reports.report import Report

#: More parts than these can't be told apart by their colours; the smallest are one.
MOST_PARTS = 7
OTHER = "other"
_INCHES_HIGH, _INCHES_A_BAR, _INCHES_WIDE = 5.0, 0.28, 8.0
#: Room for so many at least, so that the only bar is a bar and no wall.
_LEAST_PLACES = 6


def draw(report: Report, file: Path) -> None:
    """Write the bars as PNG, whatever the file's name ends with. Raises OSError where it can't be written."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - a second of loading that only pictures need
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    totals: Counter[str] = Counter()
    for bar in report.bars:
        totals.update(bar.parts)
    named = [part for part, _ in totals.most_common(MOST_PARTS)]
    parts = [*named, OTHER] if len(totals) > MOST_PARTS else named
    width = max(_INCHES_WIDE, len(report.bars) * _INCHES_A_BAR)
    figure = Figure(figsize=(width, _INCHES_HIGH), layout="constrained")
    axes = figure.subplots()
    places = range(len(report.bars))
    below = [0] * len(report.bars)
    for part in parts:
        heights = [_height(bar.parts, part, named) for bar in report.bars]
        axes.bar(places, heights, bottom=below, label=part)
        below = [low + height for low, height in zip(below, heights, strict=True)]
    axes.set_xticks(list(places), [bar.label for bar in report.bars], rotation=0 if len(places) <= 24 else 90)
    axes.set_xlim(-0.6, max(len(places), _LEAST_PLACES) - 0.4)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(report.across)
    axes.set_ylabel(report.unit)
    figure.suptitle(report.title)
    if len(parts) > 1:
        figure.legend(loc="outside right upper")
    with file.open("wb") as picture:
        figure.savefig(picture, format="png", dpi=100)


def _height(parts: dict[str, int], part: str, named: list[str]) -> int:
    if part != OTHER:
        return parts.get(part, 0)
    return sum(amount for name, amount in parts.items() if name not in named)
