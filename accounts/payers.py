"""Who can pay for a call to a number: the subscription for it, and accounts of money (`accounts.funds`).

Functions that open or credit are harmless when repeated with the same ids, so that a file can be loaded
again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, FromClause, Row, RowMapping, and_, bindparam, literal, select, update

from accounts import by_card, funds, ledger
from accounts.db import Prepared, insert_if_new
from accounts.funds import Funds
from accounts.tables import (
    AccountKind,
    Unit,
    account,
    paid_call,
    prepaid_number,
    subscription,
    subscription_period,
)
from rating.money import Money

# ruff: noqa: N818 - the names say what happened; "Error" would say nothing more

# Every payment comes from, and every charge goes to, one of these accounts of the system itself.
CASH: Final = "system/cash"
REVENUE: Final = "system/revenue"
LOSS: Final = "system/loss"
CALLS_SOLD: Final = "system/calls_sold"
CALLS_USED: Final = "system/calls_used"
#: What those who pay later may owe.
CREDIT_GRANTED: Final = "system/credit_granted"
#: What the card processor has taken for calls and will pay out.
CARD_RECEIVABLE: Final = "system/card_receivable"
COURTESY_GIVEN: Final = "system/courtesy_given"
SYSTEM_ACCOUNTS: Final = {
    CASH: Unit.USD,
    REVENUE: Unit.USD,
    LOSS: Unit.USD,
    CALLS_SOLD: Unit.CALLS,
    CALLS_USED: Unit.CALLS,
    CREDIT_GRANTED: Unit.USD,
    CARD_RECEIVABLE: Unit.USD,
    COURTESY_GIVEN: Unit.CALLS,
}


def agency_account(facility_id: str) -> str:
    """The account of what the facility's agency owes by law: overdrawn until its invoices are paid."""
    return f"system/agency/{facility_id}"


class PayerConflict(Exception):
    """What was to be opened contradicts what exists; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Period:
    """The stretch of a subscription that a day is in."""

    account_id: str  # what a call is held on
    first_date: date
    last_date: date  # included
    calls_left: int  # neither used nor held


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """A subscription of this number with this facility."""

    id: str
    calls_each_period: int
    period: Period | None  # None once the last one has ended


@dataclass(frozen=True, slots=True)
class PayerFacts:
    """Everything that may pay for a call to a number from a facility."""

    subscription: SubscriptionFacts | None
    funds: Mapping[str, Funds]  # every account that there is, by its payer
    collect_stopped: bool = False  # the number's account of collect calls pays for nothing more
    card_account: str | None = None  # the prepaid account whose holder's card may be charged for one call
    takes_link: bool = False  # to pay for one call: see `accounts.by_card`

    @property
    def prepaid(self) -> Funds | None:
        """The prepaid account to which the number belongs."""
        return self.funds.get("prepaid")


SUBSCRIPTION: Final = "subscription"
_calls = account.alias("calls")
_anchor = select(literal(1).label("one")).subquery("anchor")
_SUBSCRIPTION_COLUMNS: Final[Sequence[Any]] = (
    subscription.c.id.label("subscription_id"),
    subscription.c.calls_each_period,
    subscription_period.c.first_date,
    subscription_period.c.last_date,
    _calls.c.id.label("period_id"),
    _calls.c.credits.label("period_credits"),
    _calls.c.debits.label("period_debits"),
    _calls.c.held.label("period_held"),
)


def columns(offered: Collection[str]) -> Sequence[Any]:
    """The columns of `payer_facts_of`, found in what `joined` makes for the same payers."""
    plan = _SUBSCRIPTION_COLUMNS if SUBSCRIPTION in offered else ()
    return (*plan, *funds.columns(offered), *by_card.columns(offered))


def joined(to: FromClause, offered: Collection[str]) -> FromClause:
    """Beside a row, who of those offered may pay for calls to a number.

    Parameters `number` (E.164), `facility_id`, `on` (a date), and those of `accounts.funds`.
    """
    to = by_card.joined(funds.joined(to, offered), offered)
    if SUBSCRIPTION not in offered:
        return to
    its_period = and_(
        subscription_period.c.subscription_id == subscription.c.id,
        subscription_period.c.first_date <= bindparam("on"),
        subscription_period.c.last_date >= bindparam("on"),
    )
    its_subscription = and_(
        subscription.c.number == bindparam("number"),
        subscription.c.facility_id == bindparam("facility_id"),
        subscription.c.closed_at.is_(None),
    )
    return (
        to.outerjoin(subscription, its_subscription)
        .outerjoin(subscription_period, its_period)
        .outerjoin(_calls, _calls.c.id == subscription_period.c.account_id)
    )


_BY_NUMBER: Final = (SUBSCRIPTION, "prepaid")
_PAYERS: Final = Prepared(select(*columns(_BY_NUMBER)).select_from(joined(_anchor, _BY_NUMBER)))


def payer_facts(conn: Connection, *, facility_id: str, number: str, on: date) -> PayerFacts:
    """The subscription and the prepaid account of a number (E.164) on the facility's local date. 1 statement."""
    row = _PAYERS.row(conn, {"facility_id": facility_id, "number": number, "on": on})
    assert row is not None  # whatever joins the anchor or does not
    return payer_facts_of(row, _BY_NUMBER)


def payer_facts_of(row: Row[Any], offered: Collection[str]) -> PayerFacts:
    """What the columns of a row say of who may pay."""
    plan = _subscription(row) if SUBSCRIPTION in offered and row.subscription_id is not None else None
    return PayerFacts(
        plan,
        funds.funds_of(row, offered),
        funds.is_stopped(row, offered),
        by_card.card_account_of(row, offered),
        by_card.takes_link(row, offered),
    )


def open_prepaid(conn: Connection, *, account_id: str, at: datetime) -> None:
    """Open a prepaid account, such as "prepaid/1001"; raises AccountConflict if that is something else."""
    ledger.open_account(conn, account_id=account_id, unit=Unit.USD, kind=AccountKind.PREPAID, at=at)


def add_number(conn: Connection, *, account_id: str, number: str, at: datetime) -> None:
    """Let a prepaid account pay for calls to the number; PayerConflict if another live account does."""
    row = {"account_id": account_id, "number": number, "added_at": at}
    if insert_if_new(conn, prepaid_number, row):
        return
    owner = conn.scalar(
        select(prepaid_number.c.account_id).where(
            prepaid_number.c.number == number, prepaid_number.c.removed_at.is_(None)
        )
    )
    if owner is None:  # it was this account's number before
        mine = and_(prepaid_number.c.account_id == account_id, prepaid_number.c.number == number)
        conn.execute(update(prepaid_number).where(mine).values(added_at=at, removed_at=None))
    elif owner != account_id:
        raise PayerConflict(f"{number} belongs to {owner}")


def remove_number(conn: Connection, *, account_id: str, number: str, at: datetime) -> None:
    """Stop a prepaid account from paying for calls to the number; harmless when repeated."""
    mine = and_(prepaid_number.c.account_id == account_id, prepaid_number.c.number == number)
    live = prepaid_number.c.removed_at.is_(None)
    conn.execute(update(prepaid_number).where(mine, live).values(removed_at=at))


def numbers_of(conn: Connection, *, account_id: str) -> set[str]:
    """The numbers (E.164) that a prepaid account pays for now."""
    live = prepaid_number.c.removed_at.is_(None)
    return set(
        conn.scalars(select(prepaid_number.c.number).where(prepaid_number.c.account_id == account_id, live))
    )


def holders_account(conn: Connection, account_id: str) -> str:
    """The account whose holder is told of what an account paid: of a subscription's period, the one that bought it."""
    its_period = subscription_period.c.account_id == account_id
    bought_from = select(subscription.c.account_id).join(subscription_period).where(its_period)
    return conn.scalar(bought_from) or account_id


def deposit(
    conn: Connection, *, transfer_id: str, account_id: str, amount: Money, at: datetime
) -> ledger.Transfer:
    """Credit money that came in to an account; TransferConflict if the id was another deposit."""
    return ledger.post(
        conn, transfer_id=transfer_id, debit_id=CASH, credit_id=account_id, amount=amount, at=at
    )


def end_paid_call(conn: Connection, *, account_id: str, at: datetime) -> None:
    """The paid call was talked: it pays for no other, and what is left of it is its payer's; harmless when repeated."""
    its = and_(paid_call.c.account_id == account_id, paid_call.c.ended_at.is_(None))
    conn.execute(update(paid_call).where(its).values(ended_at=at))


def open_subscription(
    conn: Connection,
    *,
    subscription_id: str,
    facility_id: str,
    number: str,
    state: str,
    calls_each_period: int,
    at: datetime,
    plan_id: str | None = None,
) -> None:
    """Open a subscription of a number (E.164) with a facility, for calls inside `state` ("US-MA"), that nobody buys.

    Raises PayerConflict if the id says something else, or if the number has another one with this facility.
    """
    row = {
        "id": subscription_id,
        "facility_id": facility_id,
        "number": number,
        "state": state,
        "calls_each_period": calls_each_period,
    }
    if insert_if_new(conn, subscription, {**row, "opened_at": at, "plan_id": plan_id}):
        return
    known = (
        conn.execute(select(subscription).where(subscription.c.id == subscription_id))
        .mappings()
        .one_or_none()
    )
    if known is None:
        raise PayerConflict(f"{number} has another subscription with {facility_id}")
    if any(known[name] != value for name, value in row.items()):
        raise PayerConflict(f"subscription {subscription_id} was opened with other terms")


def open_period(
    conn: Connection,
    *,
    account_id: str,
    subscription_id: str,
    first_date: date,
    last_date: date,
    calls: int,
    at: datetime,
    price: Money | None = None,
) -> None:
    """Credit a subscription with calls for the days from `first_date` to `last_date`, local, both included.

    The period is an account of its own, with an id such as "subscription/7/2026-11"; `price` is what was paid for it.
    Raises PayerConflict if the days overlap another period or the id says something else, TransferConflict if it was
    credited otherwise.
    """
    row = {
        "account_id": account_id,
        "subscription_id": subscription_id,
        "first_date": first_date,
        "last_date": last_date,
        "price": price,
    }
    overlapping = _overlapping(conn, subscription_id, first_date, last_date)
    known = [{name: period[name] for name in row} for period in overlapping]
    if known not in ([], [row]):
        raise PayerConflict(f"{first_date} to {last_date} overlaps {known[0]['account_id']}")
    ledger.open_account(
        conn, account_id=account_id, unit=Unit.CALLS, kind=AccountKind.SUBSCRIPTION_PERIOD, at=at
    )
    if not insert_if_new(conn, subscription_period, row) and not known:
        raise PayerConflict(f"{account_id} is a period of another subscription")
    ledger.post(
        conn,
        transfer_id=f"{account_id}/credit",
        debit_id=CALLS_SOLD,
        credit_id=account_id,
        amount=calls,
        at=at,
    )


def _overlapping(
    conn: Connection, subscription_id: str, first_date: date, last_date: date
) -> Sequence[RowMapping]:
    """The periods of a subscription that share a day with these; no other can be opened meanwhile."""
    owner = select(subscription.c.id).where(subscription.c.id == subscription_id).with_for_update()
    if conn.scalar(owner) is None:
        raise PayerConflict(f"there is no subscription {subscription_id}")
    periods = select(subscription_period).where(
        subscription_period.c.subscription_id == subscription_id,
        subscription_period.c.first_date <= last_date,
        subscription_period.c.last_date >= first_date,
    )
    return conn.execute(periods).mappings().all()


def _subscription(row: Row[*tuple[Any, ...]]) -> SubscriptionFacts:
    period = None
    if row.period_id is not None:
        left = row.period_credits - row.period_debits - row.period_held
        period = Period(row.period_id, row.first_date, row.last_date, left)
    return SubscriptionFacts(row.subscription_id, row.calls_each_period, period)
