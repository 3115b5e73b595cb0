"""Somebody has looked at an alert."""

from typing import ClassVar

from ivr.records import alerts
from ivr.staff.desk import Asked, Desk, StaffError


class AlertDone(Asked):
    """An open alert, by its number."""

    of_facility: ClassVar[bool] = False

    alert_id: int

    @property
    def about(self) -> str:
        """The alert."""
        return f"alert {self.alert_id}"


def done(desk: Desk, asked: AlertDone) -> str:
    """The alert is listed no longer; raises StaffError for one that is not open."""
    if not alerts.done(desk.conn, asked.alert_id, asked.author, desk.at):
        raise StaffError(f"there is no open alert {asked.alert_id}")
    return f"alert {asked.alert_id}: done"
