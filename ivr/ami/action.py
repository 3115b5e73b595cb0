"""What may go into an action: the one place that checks headers before they are sent."""

import re
from collections.abc import Mapping

NORMAL_CLEARING = 16  # a cause, ITU-T Q.850
MAX_HEADER_BYTES = 1_000  # Asterisk drops a message with a line over 1,024 bytes

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_FORBIDDEN = re.compile(r"[\r\n\0]")


def checked(name: str, headers: Mapping[str, str | int]) -> dict[str, str]:
    """The whole action, its name first.

    Raises ValueError for a line break or NUL in a value, which would start a second action, for a name that
    is not one, and for lines over 1,000 bytes; the message does not repeat the value.
    """
    action = {"Action": name, **{header: str(value) for header, value in headers.items()}}
    for header, value in action.items():
        if not _NAME.fullmatch(header):
            raise ValueError("an AMI header's name is not a name")
        if _FORBIDDEN.search(value):
            raise ValueError(f"the AMI header {header} has a line break or NUL in it")
        if len(f"{header}: {value}".encode()) > MAX_HEADER_BYTES:
            raise ValueError(f"the AMI header {header} is too long")
    if len({header.lower() for header in action}) != len(headers) + 1:
        raise ValueError("an AMI header stands twice")
    return action
