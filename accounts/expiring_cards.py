"""Cards on file that will soon be worth nothing: their holders are told while they can still register another."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from accounts.outbox import NoticeKind, tell
from accounts.tables import account_holder

#: How many days before a card's last day its holder is told; the nearest of them that has come.
DAYS_BEFORE: Final = (30, 7)


def tell_of_expiring_cards(conn: Connection, at: datetime) -> int:
    """Tell each holder whose card expires within 30 days, and again within 7; how many notices are new.

    A job: running it again tells nothing again. The days are those of UTC. A card that is put on file instead has
    another last day, and so notices of its own.
    """
    today = at.date()
    on = account_holder.c.card_expires_on
    expiring = (
        select(account_holder.c.account_id, account_holder.c.card_label, on)
        .where(on >= today, on <= today + timedelta(days=max(DAYS_BEFORE)))
        .where(account_holder.c.card_id.is_not(None), account_holder.c.closed_at.is_(None))
        .order_by(account_holder.c.account_id)
    )
    told = 0
    for account_id, label, expires_on in conn.execute(expiring).all():
        days = min(each for each in DAYS_BEFORE if each >= (expires_on - today).days)
        told += tell(
            conn,
            account_id=account_id,
            kind=NoticeKind.CARD_EXPIRING,
            key=f"card_expiring/{account_id}/{expires_on}/{days}",
            told={"card": label or "", "date": str(expires_on)},
            at=at,
        )
    return told
