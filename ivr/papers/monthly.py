"""Tells holders that the month's statement of their account is there."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from accounts import outbox
from accounts.tables import AccountKind, account, account_holder
from ivr.papers.statement import month_span, zone_of


def tell_statements(conn: Connection, at: datetime) -> int:
    """Tell each holder once a month that the statement of the month before can be had; how many notices are new.

    An account in which nothing has ever happened is told of, too: that nothing was charged is news.
    """
    told = 0
    open_ = account_holder.c.closed_at.is_(None)
    holders = (
        select(account.c.id, account.c.opened_at)
        .join(account_holder, account_holder.c.account_id == account.c.id)
        .where(open_, account.c.kind.in_([AccountKind.PREPAID, AccountKind.BILLED]))
    )
    for row in conn.execute(holders).all():
        zone = zone_of(conn, row.id)
        month = month_span(at.astimezone(zone).date().replace(day=1) - timedelta(days=1), zone)
        if row.opened_at < month.until:
            told += outbox.tell(
                conn,
                account_id=row.id,
                kind=outbox.NoticeKind.STATEMENT_READY,
                key=f"statement/{row.id}/{month.first:%Y-%m}",
                told={"month": f"{month.first:%Y-%m}"},
                at=at,
            )
    return told
