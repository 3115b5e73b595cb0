"""Subscriptions that are bought: so many calls a period from one facility to one number, out of a prepaid account.

A period is paid for before it begins. Its price goes from the account to revenue, and its calls are credited, in one
transaction under the subscription's lock. With a card on file the card's payment comes first, into the account. Periods
adjoin, or begin on the local day of the payment: nobody pays for a day without calls, or has calls on a day not paid.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum, auto
from typing import Any, Final

from sqlalchemy import Connection, Row, exists, or_, select, update
from sqlalchemy.exc import IntegrityError

from accounts import ledger, payers, payments
from accounts.db import LostRace, insert_if_new
from accounts.holders import holder_of, touch
from accounts.outbox import NoticeKind, is_told, tell
from accounts.payment_tables import PaymentKind, PaymentState, payment
from accounts.periods import last_date
from accounts.subscribed import Period, Subscription, Terms, due_date, last_period, newest_of, subscription_of
from accounts.tables import Renewal, account, subscription, subscription_period
from rating.money import ceil_to_cent, format_money

#: The processor has not said yet how a payment has ended.
UNDER_WAY: Final = frozenset({PaymentState.ASKED, PaymentState.PENDING, PaymentState.AUTHORISED})
#: So few calls left are told, once a period.
NEAR_LIMIT: Final = 5


class Purchase(Enum):
    """How far a period is bought."""

    OPENED = auto()  # paid out of the account
    ASKED = auto()  # the card on file is asked for its price


def start(
    conn: Connection,
    *,
    facility_id: str,
    number: str,
    state: str,
    time_zone: str,
    account_id: str,
    terms: Terms,
    renewal: Renewal,
    at: datetime,
) -> Subscription:
    """Open a subscription whose terms were told and agreed to; `buy` then buys its first period.

    `state` ("US-MA") and `time_zone` are the facility's. Raises PayerConflict if the number has another live one there.
    """
    own = (subscription.c.facility_id == facility_id) & (subscription.c.number == number)
    earlier = len(conn.scalars(select(subscription.c.id).where(own)).all())
    row = {
        "id": f"{facility_id}/{number}" + (f"/{earlier + 1}" if earlier else ""),
        "facility_id": facility_id,
        "number": number,
        "state": state,
        "time_zone": time_zone,
        "account_id": account_id,
        "plan_id": terms.plan_id,
        "price": terms.price,
        "calls_each_period": terms.calls,
        "renewal": renewal,
        "opened_at": at,
        "agreed_at": at,
    }
    opened = insert_if_new(conn, subscription, row)
    found = subscription_of(conn, str(row["id"])) if opened else None
    if found is None:
        raise payers.PayerConflict(f"{number} has another subscription with {facility_id}")
    return found


def attempts(conn: Connection, held: Subscription, due: date) -> Sequence[Row[*tuple[Any, ...]]]:
    """The payments that a card was asked for the period that is due then, the first one first."""
    asked = select(payment.c.id, payment.c.state, payment.c.made_at).where(
        payment.c.account_id == held.account_id,
        payment.c.subscription_id == held.id,
        payment.c.id.startswith(_payment_id(held.id, due, 1), autoescape=True),
    )
    return conn.execute(asked.order_by(payment.c.made_at, payment.c.id)).all()


def is_under_way(tried: Sequence[Row[*tuple[Any, ...]]]) -> bool:
    """Whether the processor has still to say how one of the payments has ended."""
    return any(each.state in UNDER_WAY for each in tried)


def buy(conn: Connection, subscription_id: str, at: datetime) -> Purchase:
    """Have the next period: by the card on file, whose payment is asked; without one at once out of the account.

    The same asked again while a payment is under way asks for nothing more, and money that a card has brought before
    is used. Raises PayerConflict where the next period is bought already, or none is wanted; InsufficientFunds where
    nothing pays.
    """
    held = _locked(conn, subscription_id)
    if held.closed_at is not None or held.cancelled_at is not None:
        raise payers.PayerConflict(f"{held.id} is to have no further period")
    last = last_period(conn, held.id)
    if last is not None and last.first_date > held.day(at):
        raise payers.PayerConflict(f"the next period is bought: {last.first_date} to {last.last_date}")
    due, price = due_date(held, last), held.next_terms.price
    tried = attempts(conn, held, due)
    if is_under_way(tried):
        return Purchase.ASKED
    holder = holder_of(conn, held.account_id)
    has_card = holder is not None and holder.card_id is not None and holder.closed_at is None
    has_come = any(each.state == PaymentState.SUCCEEDED for each in tried)
    if price and has_card and not has_come:
        payments.ask(
            conn,
            payment_id=_payment_id(held.id, due, len(tried) + 1),
            kind=PaymentKind.SUBSCRIPTION,
            amount=ceil_to_cent(price),
            at=at,
            account_id=held.account_id,
            subscription_id=held.id,
            facility_id=held.facility_id,
        )
        return Purchase.ASKED
    _open(conn, held, last, at)
    return Purchase.OPENED


def bought(conn: Connection, subscription_id: str, payment_id: str, at: datetime) -> bool:
    """Open the period whose payment has come into the account; whether one was opened.

    In the payment's own transaction, after its deposit. The same payment again opens nothing. Where the subscription is
    over or cancelled, or has its period already, the money stays in the account, its holder's.
    """
    held = subscription_of(conn, subscription_id)
    if held is None or held.closed_at is not None or held.cancelled_at is not None:
        return False
    last = last_period(conn, held.id)
    if last is not None and last.first_date >= _due_of(held.id, payment_id):
        return False
    try:
        _open(conn, held, last, at)
    except ledger.InsufficientFunds:
        return False
    return True


def agree(
    conn: Connection, subscription_id: str, at: datetime, *, terms: Terms, renewal: Renewal
) -> Subscription:
    """Keep what holds from the next period on, and from the period's end; what holds now undoes an earlier change."""
    held = _locked(conn, subscription_id)
    plan_id, price, calls = (None,) * 3 if terms == held.terms else (terms.plan_id, terms.price, terms.calls)
    _change(
        conn,
        held.id,
        next_plan_id=plan_id,
        next_price=price,
        next_calls=calls,
        next_renewal=None if renewal == held.renewal else renewal,
        agreed_at=held.agreed_at if last_period(conn, held.id) is None else at,
    )
    return _locked(conn, subscription_id)


def reopen(conn: Connection, subscription_id: str) -> None:
    """Have a closed subscription live again; PayerConflict if the number has another one there meanwhile."""
    held = _locked(conn, subscription_id)
    other = newest_of(conn, held.facility_id, held.number)
    if other is not None and other.closed_at is None and other.id != held.id:
        raise payers.PayerConflict(f"{held.number} has another subscription with {held.facility_id}")
    try:
        _change(conn, held.id, closed_at=None, close_reason=None)
    except IntegrityError as taken:
        raise LostRace(held.id) from taken


def close(conn: Connection, subscription_id: str, why: str, at: datetime) -> None:
    """Let the subscription pay for nothing more, for a reason in one word; calls in progress are settled as usual."""
    _change(conn, subscription_id, closed_at=at, close_reason=why)


def near_limit(conn: Connection, period_account_id: str, number: str, at: datetime) -> bool:
    """Have the holder told, once a period, that few of its calls are left; whether they are told now.

    Not where none of them has been used or held yet, nor where a facility's file gives the calls.
    """
    paying = (
        select(subscription.c.account_id)
        .join(subscription_period, subscription_period.c.subscription_id == subscription.c.id)
        .where(subscription_period.c.account_id == period_account_id)
    )
    account_id, stands = conn.scalar(paying), ledger.balance(conn, period_account_id)
    key = f"near_call_limit/{period_account_id}"
    is_near = stands.available <= NEAR_LIMIT and stands.available < stands.credits
    if account_id is None or not is_near or is_told(conn, key):
        return False
    told = {"number": number, "calls": stands.available}
    tell(conn, account_id=account_id, kind=NoticeKind.NEAR_CALL_LIMIT, key=key, told=told, at=at)
    return is_told(conn, key)


def near_their_limit(conn: Connection) -> Sequence[tuple[str, str]]:
    """The newest period of each live subscription with few calls left: its account, and the number."""
    other = subscription_period.alias("other")
    later = exists().where(
        other.c.subscription_id == subscription_period.c.subscription_id,
        other.c.first_date > subscription_period.c.first_date,
    )
    left = account.c.credits - account.c.debits - account.c.held
    near = (
        select(account.c.id, subscription.c.number)
        .join(subscription_period, subscription_period.c.account_id == account.c.id)
        .join(subscription, subscription.c.id == subscription_period.c.subscription_id)
        .where(subscription.c.closed_at.is_(None), left <= NEAR_LIMIT, left < account.c.credits, ~later)
    )
    return [(account_id, number) for account_id, number in conn.execute(near.order_by(account.c.id))]


def _open(conn: Connection, held: Subscription, last: Period | None, at: datetime) -> None:
    """Take the price and open the period; raises InsufficientFunds before anything has changed."""
    today, terms = held.day(at), held.next_terms
    adjoins = last is not None and due_date(held, last) >= today
    first = due_date(held, last) if adjoins else today
    anchor = held.anchor_day if adjoins and held.anchor_day is not None else first.day
    last_day = last_date(first, anchor)
    account_id = _unused_id(conn, f"subscription/{held.facility_id}/{held.number}/{first}")
    ledger.post(
        conn,
        transfer_id=f"{account_id}/price",
        debit_id=held.account_id,
        credit_id=payers.REVENUE,
        amount=terms.price,
        at=at,
    )
    payers.open_period(
        conn,
        account_id=account_id,
        subscription_id=held.id,
        first_date=first,
        last_date=last_day,
        calls=terms.calls,
        price=terms.price,
        at=at,
    )
    now = {"plan_id": terms.plan_id, "price": terms.price, "calls_each_period": terms.calls}
    then = {"next_plan_id": None, "next_price": None, "next_calls": None, "next_renewal": None}
    _change(conn, held.id, **now, renewal=held.next_renewal, **then, anchor_day=anchor)
    touch(conn, held.account_id, at)
    told = {
        "number": held.number,
        "calls": terms.calls,
        "date": str(last_day),
        "price": format_money(terms.price),
    }
    key = f"renewed/{account_id}"
    tell(conn, account_id=held.account_id, kind=NoticeKind.RENEWED, key=key, told=told, at=at)


def _unused_id(conn: Connection, account_id: str) -> str:
    """The id, or with a number behind it where a period that began on the same day was given back."""
    mine = or_(account.c.id == account_id, account.c.id.startswith(f"{account_id}/", autoescape=True))
    used = len(conn.scalars(select(account.c.id).where(mine)).all())
    return f"{account_id}/{used + 1}" if used else account_id


def _change(conn: Connection, subscription_id: str, **values: object) -> None:
    conn.execute(update(subscription).where(subscription.c.id == subscription_id).values(**values))


def _locked(conn: Connection, subscription_id: str) -> Subscription:
    found = subscription_of(conn, subscription_id)
    if found is None:
        raise payers.PayerConflict(f"no account pays for {subscription_id}")
    return found


def _payment_id(subscription_id: str, due: date, attempt: int) -> str:
    """What a payment is asked under, and its processor's idempotency key: every attempt is one of its own."""
    return f"subscription/{subscription_id}/{due}" + (f"/{attempt}" if attempt > 1 else "")


def _due_of(subscription_id: str, payment_id: str) -> date:
    due, _, _ = payment_id.removeprefix(f"subscription/{subscription_id}/").partition("/")
    return date.fromisoformat(due)
