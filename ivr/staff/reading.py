"""What is only looked at, and still logged: it tells of one person, or of what was meant to leave no trace."""

from typing import ClassVar

from ivr.staff.desk import Asked, Desk


class Look(Asked):
    """Somebody looks at something; they need not say why."""

    of_facility: ClassVar[bool] = False

    note: str = ""
    what: str

    @property
    def about(self) -> str:
        """At what."""
        return self.what


def look(_desk: Desk, _asked: Look) -> str:
    """It may be shown."""
    return "shown"
