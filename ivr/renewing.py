"""The work on subscriptions that time brings: renewals, those that are over, and what is told ahead.

Each is safe to run twice, and after a crash wherever it was. A subscription that can't be renewed leaves calls to the
prepaid account, by the minute.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from accounts import ledger
from accounts.outbox import NoticeKind, is_told, tell
from accounts.payment_tables import PaymentState
from accounts.subscribed import Subscription, Terms, due_date, last_period, live_bought, subscription_of
from accounts.subscriptions import (
    agree,
    attempts,
    buy,
    close,
    is_under_way,
    near_limit,
    near_their_limit,
)
from accounts.tables import Renewal
from ivr.facility.lookup import facility_by_id
from ivr.plans import PAID_DAYS_BEFORE, TOLD_DAYS_BEFORE, TRIED_AGAIN, offered
from rating.money import format_money

#: How a payment ends that has brought nothing.
NOT_PAID: Final = frozenset({PaymentState.FAILED, PaymentState.VOIDED})


def renew_due(conn: Connection, at: datetime) -> int:
    """Have the next period of every subscription that renews by itself, from a day before the end of this one on.

    A renewal that is not paid for is told, and tried again once a day; then the subscription is closed. How many
    periods were bought, payments asked and subscriptions closed.
    """
    return sum(_renew(conn, held, at) for held in _ending(conn, at, PAID_DAYS_BEFORE))


def close_ended(conn: Connection, at: datetime) -> int:
    """Close those whose last period is over and that do not renew by themselves; how many."""
    return sum(_close_if_over(conn, held, at) for held in _ending(conn, at, 0))


def tell_renewals(conn: Connection, at: datetime) -> int:
    """Tell of renewals with their price so many days before, and of periods with few calls left; how many, of both."""
    soon = sum(_tell_ahead(conn, held, at) for held in _ending(conn, at, TOLD_DAYS_BEFORE))
    return soon + sum(near_limit(conn, *each, at) for each in near_their_limit(conn))


def terms_to_renew(agreed: Terms, now: Terms | None) -> Terms | None:
    """What a subscription renews on by itself: what is offered now, if it is no worse than what was agreed to.

    None where the plan is offered no more, or has got dearer or smaller: that needs its payer's consent anew.
    """
    if now is None or now.price > agreed.price or now.calls < agreed.calls:
        return None
    return now


def _ending(conn: Connection, at: datetime, days: int) -> Iterator[Subscription]:
    """Every live subscription, locked, whose last period ends in so many local days at most, or that has none yet."""
    for each in live_bought(conn, ending_by=at.date() + timedelta(days=days + 1)):
        held = subscription_of(conn, each)
        if held is not None and held.closed_at is None:
            yield held


def _renew(conn: Connection, held: Subscription, at: datetime) -> int:
    last = last_period(conn, held.id)
    due = due_date(held, last)
    tried = attempts(conn, held, due)
    if held.cancelled_at is not None or is_under_way(tried):
        return 0
    failed = bool(tried) and tried[-1].state in NOT_PAID
    by_itself = last is not None and held.next_renewal is Renewal.AUTO
    if failed:
        _tell_failed(conn, held, due, at, key=f"{held.id}/{due}" if by_itself else tried[-1].id)
    if last is None:
        return _begin(conn, held, due, at, failed=failed)
    if not by_itself or held.day(at) < last.last_date - timedelta(days=PAID_DAYS_BEFORE):
        return 0
    failures = [held.day(each.made_at) for each in tried] if failed else []
    return _renew_by_itself(conn, held, due, failures, at)


def _renew_by_itself(
    conn: Connection, held: Subscription, due: date, failures: Sequence[date], at: datetime
) -> int:
    """`failures` are the days of the tries that failed, the newest last."""
    terms, today = _terms(conn, held, due, at), held.day(at)
    is_over = len(failures) > TRIED_AGAIN or today > due + timedelta(days=TRIED_AGAIN - 1)
    if terms is None or is_over:
        _tell_failed(conn, held, due, at, key=f"{held.id}/{due}/stopped")
        if due > today:
            return 0
        close(conn, held.id, "not_offered" if terms is None else "renewal_failed", at)
        return 1
    if failures and failures[-1] >= today:
        return 0
    if terms != held.next_terms:
        held = agree(conn, held.id, held.agreed_at, terms=terms, renewal=held.next_renewal)
    return _try_to_buy(conn, held, due, at)


def _begin(conn: Connection, held: Subscription, due: date, at: datetime, *, failed: bool) -> int:
    """A subscription whose first payment failed is none; one whose money has come begins."""
    if failed:
        close(conn, held.id, "unpaid", at)
        return 1
    return _try_to_buy(conn, held, due, at)


def _try_to_buy(conn: Connection, held: Subscription, due: date, at: datetime) -> int:
    try:
        buy(conn, held.id, at)
    except ledger.InsufficientFunds:
        _tell_failed(conn, held, due, at, key=f"{held.id}/{due}")
        return 0
    return 1


def _terms(conn: Connection, held: Subscription, due: date, at: datetime) -> Terms | None:
    """On what the subscription would renew by itself."""
    place, agreed = facility_by_id(conn, held.facility_id), held.next_terms
    if place is None or agreed.plan_id is None:
        return None
    return terms_to_renew(agreed, offered(conn, place, max(due, held.day(at))).get(agreed.plan_id))


def _close_if_over(conn: Connection, held: Subscription, at: datetime) -> int:
    last = last_period(conn, held.id)
    renews = held.cancelled_at is None and (last is None or held.next_renewal is Renewal.AUTO)
    is_open = last is not None and last.last_date >= held.day(at)
    if renews or is_open or is_under_way(attempts(conn, held, due_date(held, last))):
        return 0
    close(conn, held.id, "cancelled" if held.cancelled_at is not None else "not_renewed", at)
    return 1


def _tell_ahead(conn: Connection, held: Subscription, at: datetime) -> int:
    last, today = last_period(conn, held.id), held.day(at)
    if last is None or held.cancelled_at is not None or held.next_renewal is Renewal.MANUAL:
        return 0
    due = due_date(held, last)
    is_soon = last.last_date - timedelta(days=TOLD_DAYS_BEFORE) <= today <= last.last_date
    terms, key = _terms(conn, held, due, at), f"renewal_soon/{held.id}/{due}"
    if not is_soon or terms is None or is_told(conn, key):
        return 0
    told = {"number": held.number, "date": str(due), "price": format_money(terms.price)}
    tell(conn, account_id=held.account_id, kind=NoticeKind.RENEWAL_SOON, key=key, told=told, at=at)
    return int(is_told(conn, key))


def _tell_failed(conn: Connection, held: Subscription, due: date, at: datetime, *, key: str) -> None:
    tell(
        conn,
        account_id=held.account_id,
        kind=NoticeKind.RENEWAL_FAILED,
        key=f"renewal_failed/{key}",
        told={"number": held.number, "date": str(due)},
        at=at,
    )
