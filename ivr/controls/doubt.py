"""A facility's list of privileged numbers that is not what was written to it: nothing is recorded there meanwhile."""

from datetime import datetime

from sqlalchemy import Connection

from ivr.records.alerts import alert_once

_IN_DOUBT = (
    "{}: rows of the list were lost or changed by something else, and nothing is recorded; look at "
    "`ivr number privileged list`, mend it, then two operators vouch for it: `ivr number privileged vouch`"
)


def alert_of_doubt(conn: Connection, facility_id: str, at: datetime) -> None:
    """Whoever sees a list in doubt first leaves an alert of it."""
    alert_once(conn, "privileged list in doubt", _IN_DOUBT.format(facility_id), at)
