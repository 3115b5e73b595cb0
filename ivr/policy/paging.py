"""When whoever is on call is told of alerts: at once, then no oftener than somebody can act on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: What comes up so soon after something was told is told together, at the end of this.
QUIET: Final = timedelta(minutes=15)
#: What nobody has done with by then is told again.
AGAIN: Final = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Open:
    """An alert that nobody has done with, and when it was last told."""

    id: int
    told_at: datetime | None


def due(alerts: Sequence[Open], last_told: datetime | None, at: datetime) -> Sequence[int]:
    """The alerts to tell of now, in one message; `last_told` is when anything was told last.

    What is new comes first and alone; what was told long ago comes when nothing is new, all of it together.
    """
    if last_told is not None and at - last_told < QUIET:
        return []
    new = [each.id for each in alerts if each.told_at is None]
    waits = any(each.told_at is not None and at - each.told_at >= AGAIN for each in alerts)
    return new or [each.id for each in alerts if waits]
