"""What calls that were authorised on a card have cost, once they are settled."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from accounts.payment_tables import PaymentKind, PaymentState, payment
from ivr.records.tables import call
from rating.money import Money, floor_to_cent


def captures_due(conn: Connection, at: datetime) -> int:
    """Have each settled call's charge captured on its card, or what was authorised given back; of how many calls.

    Whole cents are captured, a part of one is left to the payer.
    """
    waiting = (
        select(payment.c.id, call.c.charge)
        .join(call, call.c.id == payment.c.call_id)
        .where(
            payment.c.kind == PaymentKind.AUTHORISATION,
            payment.c.state == PaymentState.AUTHORISED,
            payment.c.captured.is_(None),
            call.c.sealed_at.is_not(None),
        )
    )
    rows = conn.execute(waiting).all()
    for row in rows:
        captured = floor_to_cent(Money(row.charge or 0))
        now = {"captured": captured, "next_try_at": at, "tries": 0, "changed_at": at}
        conn.execute(update(payment).where(payment.c.id == row.id).values(**now))
    return len(rows)
