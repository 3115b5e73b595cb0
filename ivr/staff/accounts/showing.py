"""One account as staff read it: whose it is, what it pays for, where it stands, and what happened last."""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, or_, select

from accounts import direct_bill, payers, statement
from accounts.holders import Holder, holder_of
from accounts.ledger import AccountUnknown
from accounts.payment_tables import notice
from accounts.statement import Account
from accounts.tables import (
    AccountKind,
    TransferKind,
    Unit,
    billed_account,
    inmate_account,
    subscription,
    transfer,
)
from ivr.facility.tables import facility, inmate
from ivr.records.tables import call
from ivr.staff.desk import StaffError
from rating.money import Money, format_money

LATEST = 10


def account_shown(conn: Connection, account_id: str) -> dict[str, Any]:
    """All that is known of an account; times are UTC, or of the only facility that it pays for.

    Raises StaffError for one that there is not.
    """
    try:
        there = statement.account_of(conn, account_id)
    except AccountUnknown:
        raise StaffError(f"there is no account {account_id}") from None
    places = facilities_paid_for(conn, account_id)
    zone = _zone(conn, places)
    holder = holder_of(conn, account_id)
    return {
        "account": there.id,
        "kind": there.kind,
        "opened": f"{there.opened_at.astimezone(zone):%Y-%m-%d}",
        "closed": f"{holder.closed_at.astimezone(zone):%Y-%m-%d}" if holder and holder.closed_at else None,
        **_holder(holder),
        **_inmate(conn, account_id),
        "available": _said(there, there.available),
        "reserved": _said(there, there.held) if there.held else None,
        **_owed(conn, there),
        "facilities paid for": ", ".join(places) or None,
        "numbers": [{"number": each} for each in _numbers(conn, there)],
        "subscriptions": _subscriptions(conn, account_id),
        "entries": _entries(conn, there, zone),
        "notices": _notices(conn, account_id, zone),
    }


def facilities_paid_for(conn: Connection, account_id: str) -> list[str]:
    """The facilities from which the account has paid for calls."""
    paid = select(call.c.facility_id).distinct().where(call.c.account_id == account_id)
    return list(conn.scalars(paid.order_by(call.c.facility_id)))


def _zone(conn: Connection, places: list[str]) -> ZoneInfo:
    zones = set(conn.scalars(select(facility.c.time_zone).where(facility.c.id.in_(places))))
    return ZoneInfo(zones.pop()) if len(zones) == 1 else ZoneInfo("UTC")


def _holder(holder: Holder | None) -> dict[str, Any]:
    if holder is None:
        return {"holder": None}
    reload = None
    if holder.reload_below is not None and holder.reload_amount is not None:
        below, amount = format_money(holder.reload_below), format_money(holder.reload_amount)
        reload = f"${amount} when the balance is less than ${below}"
    expires = f", expires {holder.card_expires_on:%Y-%m}" if holder.card_expires_on else ""
    return {
        "holder": holder.name,
        "language": holder.language,
        "mobile": holder.mobile,
        "email": holder.email,
        "state": holder.state,
        "card on file": f"{holder.card_label}{expires}" if holder.card_label else None,
        "told below": f"${format_money(holder.low_balance)}" if holder.low_balance is not None else None,
        "reload": reload,
    }


def _inmate(conn: Connection, account_id: str) -> dict[str, Any]:
    joined = select(inmate.c.inmate_id, inmate.c.name, inmate.c.state).join(
        inmate_account, inmate_account.c.inmate == inmate.c.id
    )
    row = conn.execute(joined.where(inmate_account.c.account_id == account_id)).one_or_none()
    return {} if row is None else {"inmate": f"{row.inmate_id} {row.name}, {row.state}"}


def _owed(conn: Connection, there: Account) -> dict[str, Any]:
    if there.kind != AccountKind.BILLED:
        return {}
    limit = conn.scalar(select(billed_account.c.credit_limit).where(billed_account.c.account_id == there.id))
    owed = (limit or 0) - there.balance
    return {"credit limit": _said(there, limit or 0), "owed": _said(there, owed)}


def _numbers(conn: Connection, there: Account) -> list[str]:
    source = direct_bill if there.kind == AccountKind.BILLED else payers
    return sorted(source.numbers_of(conn, account_id=there.id))


def _subscriptions(conn: Connection, account_id: str) -> list[dict[str, Any]]:
    mine = select(subscription).where(
        subscription.c.account_id == account_id, subscription.c.closed_at.is_(None)
    )
    return [
        {
            "number": row.number,
            "facility": row.facility_id,
            "calls": row.calls_each_period,
            "renewal": "ends with its period" if row.cancelled_at is not None else row.renewal,
        }
        for row in conn.execute(mine.order_by(subscription.c.number))
    ]


def _entries(conn: Connection, there: Account, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The newest that moved something, the newest first."""
    mine = or_(transfer.c.debit_id == there.id, transfer.c.credit_id == there.id)
    moves = transfer.c.kind.in_([TransferKind.PAYMENT, TransferKind.SETTLEMENT])
    newest = select(transfer).where(mine, moves).order_by(transfer.c.posted_at.desc(), transfer.c.id.desc())
    return [
        {
            "at": f"{row.posted_at.astimezone(zone):%Y-%m-%d %H:%M}",
            "amount": _said(there, row.amount if row.credit_id == there.id else -row.amount),
            "entry": row.id,
        }
        for row in conn.execute(newest.limit(LATEST))
    ]


def _notices(conn: Connection, account_id: str, zone: ZoneInfo) -> list[dict[str, Any]]:
    mine = select(notice).where(notice.c.account_id == account_id)
    return [
        {
            "at": f"{row.made_at.astimezone(zone):%Y-%m-%d %H:%M}",
            "notice": str(row.kind).replace("_", " "),
            "by": row.channel,
            "state": row.state,
        }
        for row in conn.execute(mine.order_by(notice.c.made_at.desc(), notice.c.id.desc()).limit(LATEST))
    ]


def _said(there: Account, amount: int) -> str:
    return format_money(Money(amount)) if there.unit == Unit.USD else str(amount)
