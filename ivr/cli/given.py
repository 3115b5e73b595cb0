"""Days and times on the command line, within the years that are taken (`rating/days.py`)."""

from collections.abc import Callable
from datetime import datetime

import typer

from rating.days import bounded


def _read(*forms: str) -> Callable[[str], datetime]:
    """Reads a text in one of these forms; a mistake tells what was expected."""

    def given(text: str) -> datetime:
        for form in forms:
            try:
                found = datetime.strptime(text, form)  # noqa: DTZ007 - the facility's zone is not known yet
            except ValueError:
                continue
            try:
                return bounded(found)
            except ValueError as mistake:
                raise typer.BadParameter(f"{text}: {mistake}") from None
        raise typer.BadParameter(f"{text!r} is not written as {' or '.join(forms)}")

    given.__name__ = "|".join(forms)  # what `--help` shows in the value's place
    return given


DAY = _read("%Y-%m-%d")
MONTH = _read("%Y-%m")
#: The facility's time, without an offset; a day alone is its midnight.
TIME = _read("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d")
#: The facility's time, or one with an offset.
ANY_TIME = _read("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d %H:%M")
