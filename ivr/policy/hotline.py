"""Hotlines that are called by a short code, before anybody says who they are."""

from datetime import datetime
from enum import StrEnum
from typing import Final


class HotlineKind(StrEnum):
    """What a hotline with a code is for: the prompt `hotline.<value>`."""

    CRIME_TIPS = "crime_tips"
    PREA = "prea"  # reports of sexual abuse to an entity outside the facility (28 CFR 115.51)
    GRIEVANCE = "grievance"
    LEGAL_AID = "legal_aid"


#: Of a call to these no trace of the caller is kept, nor is it recorded, whoever calls.
ANONYMOUS_KINDS: Final = frozenset({HotlineKind.CRIME_TIPS, HotlineKind.PREA})
#: Calling hours of the facility and of all that is in it do not hold for these; the number's own do.
REACHABLE_ALWAYS: Final = frozenset({HotlineKind.PREA})
LONGEST_CODE: Final = 5  # keys
#: What stands in records in place of the telephone of an anonymous call. No telephone can have this name.
NO_STATION: Final = "-"


def coarse(at: datetime) -> datetime:
    """The hour in which something was: as exactly as it is kept of an anonymous call."""
    return at.replace(minute=0, second=0, microsecond=0)
