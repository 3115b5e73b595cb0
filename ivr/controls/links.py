"""The link by which a called party, for whom nobody pays, may pay for one call: asked for by key."""

from datetime import datetime

from sqlalchemy import Connection

from accounts import payments
from accounts.payment_tables import PaymentKind
from ivr.policy.reasons import Outcome
from ivr.records import calls
from rating.money import Money


def send_link(conn: Connection, call_id: str, language: str, at: datetime) -> bool:
    """Ask for a page on which the call's number pays for one call from its facility; its way there goes by SMS.

    False where the call was not rung for that, or something else was chosen before. What is paid waits as a credit
    (`accounts.paid_calls`).
    """
    row = calls.call_of(conn, call_id)
    if row is None or row.link_for is None:
        return False
    if not calls.decline(conn, call_id, Outcome.PAYMENT_OFFERED, language):
        return False
    return payments.ask(
        conn,
        payment_id=f"call/{call_id}/link",
        kind=PaymentKind.PAID_CALL,
        amount=Money(row.link_for),
        facility_id=row.facility_id,
        number=row.number,
        language=language,
        call_id=call_id,
        at=at,
    )
