"""The words that records use for the stages of a call, its legs and its recording."""

from enum import StrEnum


class CallState(StrEnum):
    """How far a call has come. Only `accepted` and later may be connected."""

    KEYED = "keyed"
    ALLOWED = "allowed"  # money or a subscription call is reserved; the dialplan rings the called party
    OFFERED = "offered"  # the called party has answered and hears who calls
    ACCEPTED = "accepted"
    SEALED = "sealed"


class Leg(StrEnum):
    """One side of a call."""

    INMATE = "inmate"
    CALLED_PARTY = "called_party"


class RecordingState(StrEnum):
    """What has become of a recording that was started."""

    RUNNING = "running"
    KEPT = "kept"
    EMPTY = "empty"  # the two were never connected, or no audio came
    MISSING = "missing"
    DESTROYED = "destroyed"


class Finding(StrEnum):
    """What a look at the disk has found of a recording that should be kept as it is."""

    MISSING = "missing"
    CHANGED = "changed"
    TOO_SHORT = "too_short"  # for its call
    PRIVILEGED = "privileged"  # it must not be there


class SealedWish(StrEnum):
    """What two operators may do with a sealed recording."""

    OPEN = "open"
    DESTROY = "destroy"
