"""What may be bought of subscriptions, and what stands of one: read, told, and refused with the reason in one word."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from accounts import ledger, statement, subscriptions
from accounts.holders import holder_of
from accounts.periods import last_date
from accounts.subscribed import (
    Period,
    Subscription,
    Terms,
    due_date,
    last_period,
    newest_of,
    periods_of,
    read,
)
from accounts.tables import AccountKind, Renewal
from ivr.facility.lawfulness import local_day
from ivr.facility.lookup import Facility, facility_by_id
from ivr.plans import Offer, offered
from ivr.staff.desk import StaffError
from rating.money import format_money
from rating.numbers import Number, read_e164, read_keys

Shown = dict[str, Any]
#: Closed like this, the next period can still be bought.
RENEWABLE = frozenset({"not_renewed", "renewal_failed", "not_offered"})


class Refusal(StrEnum):
    """Why a subscription is not sold, or not changed."""

    NUMBER_UNKNOWN = "number_unknown"
    OUT_OF_STATE = "out_of_state"
    NOT_OFFERED = "not_offered"
    PLAN_NOT_OFFERED = "plan_not_offered"
    ALREADY_SUBSCRIBED = "already_subscribed"
    ALREADY_BOUGHT = "already_bought"
    ACCOUNT_UNKNOWN = "account_unknown"
    ACCOUNT_CLOSED = "account_closed"
    ACCOUNT_NOT_PREPAID = "account_not_prepaid"
    NOT_PAID = "not_paid"
    NOT_AGREED = "not_agreed"
    NOT_SUBSCRIBED = "not_subscribed"
    CANCELLED = "cancelled"
    UNDER_WAY = "under_way"


class NotSold(StaffError):  # noqa: N818 - the refusal, not a mistake of the program
    """What is asked for is refused, for a reason in one word and a sentence."""

    def __init__(self, why: Refusal, sentence: str) -> None:
        super().__init__(f"{why}: {sentence}")
        self.why = why


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to subscribe to."""

    facility_id: str
    number: str
    plan: str
    account_id: str
    renewal: Renewal


def number_of(text: str) -> str:
    """The number in E.164; raises ValueError for what is none."""
    keys = "".join(each for each in text if each not in " ().-")
    found = read_e164(keys) if keys.startswith("+") else read_keys(keys)
    if not isinstance(found, Number):
        raise ValueError("expected a number such as +1 217 555 0101 or 217 555 0101")
    return found.e164


def offer_to_start(conn: Connection, wanted: Wanted, at: datetime) -> Offer:
    """What would be bought; raises NotSold, and StaffError for a facility that there is not."""
    place = _place(conn, wanted.facility_id)
    found = read_e164(wanted.number)
    state = found.state if isinstance(found, Number) else None
    if state != f"US-{place.state}":
        sentence = (
            f"{wanted.number} is no number of {place.state}, and subscriptions are for calls inside the state"
        )
        raise NotSold(Refusal.OUT_OF_STATE, sentence)
    today = local_day(place, at)
    terms = _offered_plan(conn, place, wanted.plan, today)
    _check_account(conn, wanted.account_id)
    live = newest_of(conn, place.id, wanted.number)
    if live is not None and live.closed_at is None and not _is_over_and_given(conn, live, today):
        sentence = f"{wanted.number} has a subscription with {place.id}; change, renew or end it"
        raise NotSold(Refusal.ALREADY_SUBSCRIBED, sentence)
    return Offer(
        place, wanted.account_id, wanted.number, terms, wanted.renewal, today, last_date(today, today.day)
    )


def offer_to_renew(conn: Connection, facility_id: str, number: str, at: datetime) -> Offer:
    """What the next period would be, at what is offered now; raises NotSold."""
    held = _bought(conn, facility_id, number)
    if held is None or (held.closed_at is not None and held.close_reason not in RENEWABLE):
        raise not_subscribed(facility_id, number)
    if held.cancelled_at is not None:
        raise NotSold(Refusal.CANCELLED, f"the subscription of {number} is cancelled; undo that first")
    last = last_period(conn, held.id)
    if last is not None and last.first_date > held.day(at):
        sentence = f"the next period is bought: {last.first_date} to {last.last_date}"
        raise NotSold(Refusal.ALREADY_BOUGHT, sentence)
    _check_account(conn, held.account_id)
    plan = held.next_terms.plan_id or ""
    _offered_plan(conn, _place(conn, facility_id), plan, held.day(at))
    return _next(conn, held, plan, held.next_renewal, at)


def offer_to_change(
    conn: Connection, facility_id: str, number: str, to: tuple[str | None, Renewal | None], at: datetime
) -> Offer:
    """What the next period would be with another plan, renewal or both; raises NotSold.

    The plan that holds now can be chosen as it was agreed to, even where nobody else may have it any more.
    """
    held = _bought(conn, facility_id, number)
    if held is None or held.closed_at is not None:
        raise not_subscribed(facility_id, number)
    plan, renewal = to
    if plan is None and renewal is None:
        raise StaffError("expected --plan or --renewal")
    return _next(conn, held, plan, renewal or held.next_renewal, at)


def _next(conn: Connection, held: Subscription, plan: str | None, renewal: Renewal, at: datetime) -> Offer:
    place, last = _place(conn, held.facility_id), last_period(conn, held.id)
    due = due_date(held, last)
    if subscriptions.is_under_way(subscriptions.attempts(conn, held, due)):
        raise NotSold(Refusal.UNDER_WAY, f"a payment for {held.number} is under way; wait until it is done")
    first = max(due, held.day(at))
    if plan is None:
        terms = held.next_terms
    elif plan == held.terms.plan_id and plan not in offered(conn, place, first):
        terms = held.terms
    else:
        terms = _offered_plan(conn, place, plan, first)
    anchor = held.anchor_day if first == due and held.anchor_day is not None else first.day
    return Offer(place, held.account_id, held.number, terms, renewal, first, last_date(first, anchor))


def changes_told(held: Subscription, since: date) -> Iterator[str]:
    """What is different from the end of the period on, in words."""
    if held.next_terms != held.terms:
        terms = held.next_terms
        yield f"from {since} plan {terms.plan_id}, {terms.calls} calls for ${format_money(terms.price)}"
    if held.next_renewal != held.renewal:
        yield f"from {since} {held.next_renewal} renewal"
    if held.cancelled_at is not None:
        yield f"it is cancelled: from {since} calls are paid for by the minute"


def subscription_shown(conn: Connection, facility_id: str, number: str, at: datetime) -> Shown:
    """What stands of the newest subscription of a number with a facility; raises NotSold where it has none."""
    place, row = _place(conn, facility_id), newest_of(conn, facility_id, number)
    if row is None:
        raise not_subscribed(facility_id, number)
    held, today = read(row), local_day(place, at)
    periods = periods_of(conn, row.id)
    now = next((each for each in periods if each.first_date <= today <= each.last_date), None)
    shown: Shown = {
        "subscription": row.id,
        "state": f"ended, {row.close_reason}"
        if row.closed_at
        else "cancelled"
        if row.cancelled_at
        else "live",
        "plan": row.plan_id,
        "calls each period": row.calls_each_period,
        "price": None if row.price is None else format_money(row.price),
        "paid by": row.account_id,
        "renewal": row.renewal if held is not None else "none, it is given by the facility's file",
        **_period_shown(conn, now),
        "bought ahead": next((_days(each) for each in periods if each.first_date > today), None),
    }
    if held is None or row.closed_at is not None:
        return shown
    since = due_date(held, periods[-1] if periods else None)
    renews = held.cancelled_at is None and held.next_renewal is Renewal.AUTO
    return {
        **shown,
        "renews on": str(since) if renews and periods else None,
        "changes": list(changes_told(held, since)),
    }


def not_subscribed(facility_id: str, number: str) -> NotSold:
    """The refusal where there is nothing to change."""
    sentence = f"{number} has no subscription with {facility_id} that an account pays for"
    return NotSold(Refusal.NOT_SUBSCRIBED, sentence)


def _bought(conn: Connection, facility_id: str, number: str) -> Subscription | None:
    row = newest_of(conn, facility_id, number)
    return None if row is None else read(row)


def _period_shown(conn: Connection, now: Period | None) -> Shown:
    if now is None:
        return {"period": None, "calls used": None, "calls held": None, "calls left": None}
    stands = ledger.balance(conn, now.account_id)
    taken = ledger.find_transfer(conn, f"{now.account_id}/taken_back")
    return {
        "period": _days(now),
        "calls used": stands.debits - (taken.amount if taken is not None else 0),
        "calls held": stands.held,
        "calls left": stands.available,
    }


def _days(period: Period) -> str:
    return f"{period.first_date} to {period.last_date}"


def _is_over_and_given(conn: Connection, row: Any, today: date) -> bool:
    """Whether a facility's file gave the calls, and none of its periods is left."""
    return row.account_id is None and all(each.last_date < today for each in periods_of(conn, row.id))


def _offered_plan(conn: Connection, place: Facility, plan: str, on: date) -> Terms:
    plans = offered(conn, place, on)
    if not plans:
        raise NotSold(Refusal.NOT_OFFERED, f"{place.id} offers no subscriptions")
    if plan not in plans:
        raise NotSold(Refusal.PLAN_NOT_OFFERED, f"{place.id} offers {', '.join(plans)}, not {plan}")
    return plans[plan]


def _check_account(conn: Connection, account_id: str) -> None:
    try:
        found = statement.account_of(conn, account_id)
    except ledger.AccountUnknown:
        raise NotSold(Refusal.ACCOUNT_UNKNOWN, f"there is no account {account_id}") from None
    if found.kind != AccountKind.PREPAID:
        raise NotSold(Refusal.ACCOUNT_NOT_PREPAID, f"{account_id} is no prepaid account")
    holder = holder_of(conn, account_id)
    if holder is not None and holder.closed_at is not None:
        raise NotSold(Refusal.ACCOUNT_CLOSED, f"{account_id} is closed")


def _place(conn: Connection, facility_id: str) -> Facility:
    place = facility_by_id(conn, facility_id)
    if place is None:
        raise StaffError(f"there is no facility {facility_id}")
    return place
