"""How a number becomes privileged, and how it ceases to be: always by two different operators.

What is added holds at once, so that no doubt is ever recorded; what takes something away holds when a second operator
has confirmed it.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

#: How long what one operator wants waits for another: an addition that nobody confirms lapses, and so does a removal.
WAITS_FOR_ANOTHER: Final = timedelta(hours=72)
#: An imported list that has lost more of its numbers than this is taken for a mistake.
MOST_LOST_PERCENT: Final = 1


class PrivilegeKind(StrEnum):
    """Whose number it is."""

    ATTORNEY = "attorney"
    CLERGY = "clergy"
    OMBUDSMAN = "ombudsman"
    CONSULATE = "consulate"
    COURT = "court"
    MEDICAL = "medical"
    OTHER = "other"


class PrivilegeSource(StrEnum):
    """Where it was said that a number is privileged."""

    STAFF = "staff"
    FILE = "file"  # the facility's
    LIST = "list"  # imported, signed


class Shrinking(StrEnum):
    """What takes something away from a privileged number."""

    REMOVE = "remove"
    TIMED = "timed"  # it is untimed no longer
    NARROW = "narrow"  # from the whole facility to one inmate


class Waiting(StrEnum):
    """What of a privileged number waits for another operator."""

    ADDITION = "addition"
    REMOVAL = "removal"
    TIMED = "timed"
    NARROWING = "narrowing"


#: What waits once it was asked for.
ASKED_FOR: Final = {
    Shrinking.REMOVE: Waiting.REMOVAL,
    Shrinking.TIMED: Waiting.TIMED,
    Shrinking.NARROW: Waiting.NARROWING,
}


def is_too_short(standing: int, missing: int) -> bool:
    """Whether a list has lost so many of its numbers that it is refused."""
    return missing * 100 > standing * MOST_LOST_PERCENT
