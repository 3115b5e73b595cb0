"""How subscriptions end: cancelled to their period's end, or early with what is unused given back.

What is given back of a period is the greater of two shares: its whole days that are left, and its calls neither used
nor held. A payer has bought both, days in which to call and so many calls, and either measure alone would take from
some: from who has called little, or from who has called much and early. So nobody loses by it. A part of a cent is
rounded up, and never more is given back than was paid (47 CFR 64.6140(d)).
"""

from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from sqlalchemy import Connection, delete, select, update

from accounts import ledger, payers
from accounts.db import LostRace
from accounts.outbox import NoticeKind, tell
from accounts.periods import days_in, unused_days
from accounts.subscribed import Period, last_period, periods_of, subscription_of
from accounts.subscriptions import close
from accounts.tables import subscription, subscription_period
from rating.money import MICROS_PER_CENT, ZERO, Money, format_money


class EndedBecause(StrEnum):
    """Why a subscription ends before its period does, with what is unused given back."""

    RELEASED = "released"  # whom they talk to has left
    TRANSFERRED = "transferred"
    DECEASED = "deceased"
    LOST_PRIVILEGES = "lost_privileges"
    FACILITY_LEFT = "facility_left"  # it is served no longer


def share_to_give_back(price: Money, *, days: Fraction, calls: Fraction) -> Money:
    """The greater share of the price, in whole cents rounded up, never more than the price."""
    cents = -(-price * max(days, calls) // MICROS_PER_CENT)
    return Money(min(price, int(cents) * MICROS_PER_CENT))


def cancel(conn: Connection, subscription_id: str, at: datetime) -> Money:
    """Let the subscription end with its period, or now where it has none; what was given back.

    A next period that was bought and has not begun is given back whole. Harmless when repeated.
    """
    held = subscription_of(conn, subscription_id)
    if held is None or held.cancelled_at is not None or held.closed_at is not None:
        return ZERO
    conn.execute(update(subscription).where(subscription.c.id == held.id).values(cancelled_at=at))
    today, last, given_back = held.day(at), last_period(conn, held.id), ZERO
    if last is not None and last.first_date > today:
        given_back = _give_back(conn, held.account_id, last, today, at)
        gone = subscription_period.c.account_id == last.account_id
        conn.execute(delete(subscription_period).where(gone))  # its account stays in the book
        last = last_period(conn, held.id)
    if last is not None and last.last_date < today:
        close(conn, held.id, "cancelled", at)
    return given_back


def undo_cancel(conn: Connection, subscription_id: str) -> None:
    """Let a cancelled subscription that has not ended go on; harmless when repeated."""
    live = (subscription.c.id == subscription_id) & subscription.c.closed_at.is_(None)
    conn.execute(update(subscription).where(live).values(cancelled_at=None))


def end_early(conn: Connection, subscription_id: str, why: EndedBecause, at: datetime) -> Money:
    """End the subscription now and give back what is unused of what was paid; what was given back, by a notice too.

    A call in progress counts as used, and is settled as usual. Harmless when repeated. A subscription of a facility's
    file ends as well; nothing was paid for it.
    """
    found = select(subscription.c.closed_at).where(subscription.c.id == subscription_id).with_for_update()
    row = conn.execute(found).one_or_none()
    if row is None or row.closed_at is not None:
        return ZERO
    held = subscription_of(conn, subscription_id)
    over = date.min if held is None else held.day(at)
    given_back = ZERO
    for period in periods_of(conn, subscription_id):
        if held is None:
            _take_back(conn, period, at)
        elif period.last_date >= over:
            given_back = Money(given_back + _give_back(conn, held.account_id, period, over, at))
    close(conn, subscription_id, why, at)
    if held is not None and given_back:
        told = {"amount": format_money(given_back)}
        key = f"refunded/{subscription_id}"
        tell(conn, account_id=held.account_id, kind=NoticeKind.REFUNDED, key=key, told=told, at=at)
    return given_back


def facility_leaves(conn: Connection, facility_id: str, at: datetime) -> int:
    """End every subscription of a facility that is served no longer, as `end_early`; how many."""
    live = (subscription.c.facility_id == facility_id) & subscription.c.closed_at.is_(None)
    ids = conn.scalars(select(subscription.c.id).where(live).order_by(subscription.c.id)).all()
    for each in ids:
        end_early(conn, each, EndedBecause.FACILITY_LEFT, at)
    return len(ids)


def _give_back(conn: Connection, account_id: str, period: Period, today: date, at: datetime) -> Money:
    """Take back the calls that are left of a period, and give back its unused share."""
    sold = ledger.find_transfer(conn, f"{period.account_id}/credit")
    assert sold is not None  # in the transaction that opened the period
    assert period.price is not None  # the same
    left = min(sold.amount, _take_back(conn, period, at))
    days = unused_days(period.first_date, period.last_date, today)
    amount = share_to_give_back(
        period.price,
        days=Fraction(days, days_in(period.first_date, period.last_date)),
        calls=Fraction(left, sold.amount),
    )
    if amount:
        ledger.post(
            conn,
            transfer_id=f"{period.account_id}/refund",
            debit_id=payers.REVENUE,
            credit_id=account_id,
            amount=amount,
            at=at,
        )
    return amount


def _take_back(conn: Connection, period: Period, at: datetime) -> int:
    """Take the calls that are neither used nor held; how many. LostRace where one was held at the same moment."""
    left = ledger.balance(conn, period.account_id).available
    if left:
        try:
            ledger.post(
                conn,
                transfer_id=f"{period.account_id}/taken_back",
                debit_id=period.account_id,
                credit_id=payers.CALLS_SOLD,
                amount=left,
                at=at,
            )
        except ledger.InsufficientFunds as outrun:
            raise LostRace(period.account_id) from outrun
    return left
