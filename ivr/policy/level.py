"""Where a rule is set. All that a call meets hold together: the most restrictive wins."""

from enum import StrEnum


class Level(StrEnum):
    """From the widest to the narrowest."""

    AGENCY = "agency"  # of several facilities
    FACILITY = "facility"
    UNIT = "unit"
    STATION = "station"
    INMATE = "inmate"
    NUMBER = "number"
    ENTRY = "entry"  # a number in one inmate's own list
