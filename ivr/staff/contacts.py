"""Numbers that an account's holder wants an inmate to be able to call: each becomes a request that staff decide on."""

from typing import Annotated, ClassVar

from pydantic import Field
from sqlalchemy import Connection, select

from accounts import ledger, payers, statement
from accounts.db import insert_if_new
from accounts.payment_tables import contact
from ivr.facility.daily import number_request
from ivr.facility.fields import E164, SpeedDial
from ivr.facility.tables import allowed_number
from ivr.staff.desk import Asked, Desk, Label, StaffError

#: Where a request comes from that no telephone has brought.
FROM_ACCOUNT = "account"


class Propose(Asked):
    """One number, or without one all that the account pays for, for one inmate's list."""

    of_facility: ClassVar[bool] = True
    account_id: str
    inmate_id: str
    number: E164 | None = None
    label: Annotated[Label, Field(max_length=40)] = ""
    speed_dial: SpeedDial | None = None

    @property
    def about(self) -> str:
        """The account."""
        return f"account {self.account_id}"


def propose(desk: Desk, asked: Propose) -> str:
    """Put each number that is not in the inmate's list into the queue of requests; the same again changes nothing."""
    if asked.speed_dial is not None and asked.number is None:
        raise StaffError("speed_dial: expected with one number only")
    try:
        statement.account_of(desk.conn, asked.account_id)
    except ledger.AccountUnknown:
        raise StaffError(f"there is no account {asked.account_id}") from None
    person = desk.inmate(desk.facility_id(asked), asked.inmate_id)
    own = payers.numbers_of(desk.conn, account_id=asked.account_id)
    wanted = sorted(own) if asked.number is None else [asked.number]
    if not wanted:
        raise StaffError(f"{asked.account_id} has no numbers: name one")
    known = set(
        desk.conn.scalars(select(allowed_number.c.number).where(allowed_number.c.inmate == person.id))
    )
    new = [each for each in wanted if each not in known]
    for number in new:
        _put(desk, asked, person.id, number)
    listed = f"; in the list already: {', '.join(sorted(known & set(wanted)))}" if known & set(wanted) else ""
    return f"inmate {asked.inmate_id}: proposed {', '.join(new) or 'nothing'}{listed}"


def _put(desk: Desk, asked: Propose, inmate: int, number: str) -> None:
    row = {"account_id": asked.account_id, "number": number, "inmate": inmate, "label": asked.label}
    insert_if_new(desk.conn, contact, {**row, "speed_dial": asked.speed_dial, "proposed_at": desk.at})
    request = {"inmate": inmate, "number": number, "station_id": FROM_ACCOUNT}
    insert_if_new(desk.conn, number_request, {**request, "asked_at": desk.at, "state": "waiting"})


def speed_dial_wanted(conn: Connection, inmate: int, number: str) -> str | None:
    """The speed dial that a holder has proposed for this number, if no other number of the inmate has it."""
    wanted = conn.scalar(
        select(contact.c.speed_dial)
        .where(contact.c.inmate == inmate, contact.c.number == number, contact.c.speed_dial.is_not(None))
        .order_by(contact.c.proposed_at, contact.c.account_id)
    )
    taken = select(allowed_number.c.number).where(
        allowed_number.c.inmate == inmate, allowed_number.c.speed_dial == wanted
    )
    return None if wanted is None or conn.scalar(taken) else str(wanted)
