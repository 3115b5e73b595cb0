"""What a call's answer tells of forwarding by the called side; a flag in the record, and nothing else."""

import re
from enum import StrEnum

#: What is read of the answer (RFC 5806, RFC 7044, RFC 3325); of History-Info an entry a header.
HEADERS = {
    "diversion": "Diversion",
    "history": "History-Info",
    "later_history": "History-Info,2",
    "asserted": "P-Asserted-Identity",
}
_USER = re.compile(r"(?:sips?|tel):\+?([0-9]{7,15})\b", re.ASCII)


class Forwarded(StrEnum):
    """How it was seen that a call went, or was to go, elsewhere."""

    REDIRECTED = "redirected"  # the network answered with another number (3xx), which was not called
    DIVERTED = "diverted"  # the answer says that the call was forwarded
    OTHER_NUMBER = "other_number"  # the answer names another number as the one that took the call


def forwarded(
    number: str, *, diversion: str = "", history: str = "", later_history: str = "", asserted: str = ""
) -> Forwarded | None:
    """What the headers of an answer by `number` (E.164) say; None where they say nothing of it."""
    if diversion.strip() or f"{history},{later_history}".count("index=") > 1:
        return Forwarded.DIVERTED
    found = _USER.search(asserted)
    if found and not _are_one(number.removeprefix("+"), found[1]):
        return Forwarded.OTHER_NUMBER
    return None


def _are_one(number: str, other: str) -> bool:
    """The same number, written with or without its country code or an international prefix."""
    return number.endswith(other) or other.endswith(number)
