"""Prepaid accounts that are filled again by themselves, from the card on file, when they fall below a threshold."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, exists, func, select

from accounts import payments
from accounts.payment_tables import PaymentKind, PaymentState, payment
from accounts.tables import AccountKind, account, account_holder
from rating.money import Money

#: A card that was declined is not tried again for so long.
RESTS: Final = timedelta(hours=24)


def reload_due(conn: Connection, at: datetime) -> int:
    """Ask for a reload of each account below its holder's threshold that has none under way; how many were asked.

    What is held for a call in progress still counts to the balance: no card is charged for what may come back.
    Reloads are numbered: whoever else asks at the same moment asks for the same one.
    """
    reloads = (payment.c.account_id == account.c.id) & (payment.c.kind == PaymentKind.RELOAD)
    under_way = payment.c.state.in_([PaymentState.ASKED, PaymentState.PENDING])
    declined = (payment.c.state == PaymentState.FAILED) & (payment.c.changed_at > at - RESTS)
    wanted = (
        select(account.c.id, account_holder.c.reload_amount)
        .join(account_holder, account_holder.c.account_id == account.c.id)
        .where(
            account.c.kind == AccountKind.PREPAID,
            account_holder.c.card_id.is_not(None),
            account_holder.c.closed_at.is_(None),
            account.c.credits - account.c.debits < account_holder.c.reload_below,
            ~exists().where(reloads, under_way | declined),
        )
    )
    asked = 0
    for row in conn.execute(wanted).all():
        before = select(func.count()).where(
            payment.c.account_id == row.id, payment.c.kind == PaymentKind.RELOAD
        )
        asked += payments.ask(
            conn,
            payment_id=f"reload/{row.id}/{(conn.scalar(before) or 0) + 1}",
            kind=PaymentKind.RELOAD,
            amount=Money(row.reload_amount),
            at=at,
            account_id=row.id,
        )
    return asked
