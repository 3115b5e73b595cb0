"""The form of a text in a file, a setting or a command."""

import re
from typing import Annotated

from pydantic import AfterValidator


def like(pattern: str, expected: str) -> AfterValidator:
    """The whole text has this form; the message for any other says in words what was expected."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(check)


#: An id that people choose.
Slug = Annotated[
    str, like(r"[a-z][a-z0-9-]{0,39}", "small letters, digits and hyphens, a letter first, 40 at most")
]
