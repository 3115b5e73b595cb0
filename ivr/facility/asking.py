"""An inmate asks by telephone for a number to be added to their list."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, func, insert, select

from ivr.facility.daily import number_request


class Asking(StrEnum):
    """Whether a number may be asked for now."""

    POSSIBLE = "possible"
    WAITS = "waits"  # it was asked for, and nobody has decided yet
    TOO_MANY = "too_many"  # so many wait that no more may be asked for


def asking(conn: Connection, inmate_key: int, number: str, most: int) -> Asking:
    """Whether the inmate may ask for this number, with so many waiting at most."""
    waiting = (number_request.c.inmate == inmate_key) & (number_request.c.state == "waiting")
    of_number = func.count().filter(number_request.c.number == number)
    row = conn.execute(select(func.count(), of_number).where(waiting)).one()
    if row[1]:
        return Asking.WAITS
    return Asking.POSSIBLE if row[0] < most else Asking.TOO_MANY


def ask_for(
    conn: Connection, inmate_key: int, number: str, most: int, *, station_id: str, at: datetime
) -> Asking:
    """Put the number into the queue where it may be asked for; what it was before."""
    before = asking(conn, inmate_key, number, most)
    if before is Asking.POSSIBLE:
        row = {"inmate": inmate_key, "number": number, "station_id": station_id, "asked_at": at}
        conn.execute(insert(number_request).values(**row, state="waiting"))
    return before
