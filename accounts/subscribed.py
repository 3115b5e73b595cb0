"""What stands of the subscriptions that an account pays for: terms, periods, and what changes with the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, func, select

from accounts.periods import ONE_DAY
from accounts.tables import Renewal, subscription, subscription_period
from rating.money import Money


@dataclass(frozen=True, slots=True)
class Terms:
    """What a period has, and its price."""

    plan_id: str | None
    price: Money
    calls: int


@dataclass(frozen=True, slots=True)
class Period:
    """One period; dates are local to the facility, both included."""

    account_id: str
    first_date: date
    last_date: date
    price: Money | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription that an account pays for."""

    id: str
    facility_id: str
    number: str  # E.164
    account_id: str
    time_zone: str
    terms: Terms
    next_terms: Terms  # from the next period on
    renewal: Renewal
    next_renewal: Renewal  # at the period's end
    anchor_day: int | None  # none before the first period
    agreed_at: datetime
    cancelled_at: datetime | None
    closed_at: datetime | None
    close_reason: str | None

    def day(self, at: datetime) -> date:
        """The facility's local day."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()


def subscription_of(conn: Connection, subscription_id: str) -> Subscription | None:
    """The subscription with this id, locked against others who change it; None for one that nobody buys."""
    found = select(subscription).where(subscription.c.id == subscription_id).with_for_update()
    row = conn.execute(found).one_or_none()
    return None if row is None else read(row)


def newest_of(conn: Connection, facility_id: str, number: str) -> Row[Any] | None:
    """The row of a number's live subscription with a facility, else of the last that was closed."""
    own = (subscription.c.facility_id == facility_id) & (subscription.c.number == number)
    newest = (subscription.c.closed_at.is_not(None), subscription.c.opened_at.desc(), subscription.c.id)
    return conn.execute(select(subscription).where(own).order_by(*newest).limit(1)).one_or_none()


def live_bought(conn: Connection, *, ending_by: date) -> Sequence[str]:
    """The live ones that an account pays for, by their ids, whose last period ends by a day, or that have none yet."""
    last = func.max(subscription_period.c.last_date)
    live = subscription.c.closed_at.is_(None) & subscription.c.account_id.is_not(None)
    found = (
        select(subscription.c.id)
        .outerjoin(subscription_period, subscription_period.c.subscription_id == subscription.c.id)
        .where(live)
        .group_by(subscription.c.id)
        .having(last.is_(None) | (last <= ending_by))
    )
    return conn.scalars(found.order_by(subscription.c.id)).all()


def periods_of(conn: Connection, subscription_id: str) -> list[Period]:
    """Every period, the first one first."""
    own = select(subscription_period).where(subscription_period.c.subscription_id == subscription_id)
    return [
        Period(row.account_id, row.first_date, row.last_date, row.price)
        for row in conn.execute(own.order_by(subscription_period.c.first_date))
    ]


def last_period(conn: Connection, subscription_id: str) -> Period | None:
    """The period that ends last; none before the first is bought."""
    return next(reversed(periods_of(conn, subscription_id)), None)


def due_date(held: Subscription, last: Period | None) -> date:
    """The first day without a period that is bought: a payment for the next one is asked under it."""
    return held.day(held.agreed_at) if last is None else last.last_date + ONE_DAY


def read(row: Row[Any]) -> Subscription | None:
    """What a row says; None for one that nobody buys."""
    if row.account_id is None:
        return None
    terms = Terms(row.plan_id, row.price, row.calls_each_period)
    changes = row.next_calls is not None
    return Subscription(
        id=row.id,
        facility_id=row.facility_id,
        number=row.number,
        account_id=row.account_id,
        time_zone=row.time_zone,
        terms=terms,
        next_terms=Terms(row.next_plan_id, row.next_price, row.next_calls) if changes else terms,
        renewal=Renewal(row.renewal),
        next_renewal=Renewal(row.next_renewal or row.renewal),
        anchor_day=row.anchor_day,
        agreed_at=row.agreed_at,
        cancelled_at=row.cancelled_at,
        closed_at=row.closed_at,
        close_reason=row.close_reason,
    )
