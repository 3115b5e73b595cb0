"""Subscriptions, as their payers want them: started, changed, cancelled, renewed, ended early.

What is bought is agreed to first, on terms that were told. Every refusal begins with its reason in one word.
"""

from typing import Annotated

from pydantic import AfterValidator

from accounts import ledger, payers, subscription_ends, subscriptions
from accounts.subscribed import Subscription, due_date, last_period, newest_of, subscription_of
from accounts.subscription_ends import EndedBecause
from accounts.subscriptions import Purchase
from accounts.tables import Renewal
from ivr.staff.desk import Asked, Desk, StaffError
from ivr.staff.offers import (
    NotSold,
    Refusal,
    Wanted,
    changes_told,
    not_subscribed,
    number_of,
    offer_to_change,
    offer_to_renew,
    offer_to_start,
)
from rating.money import Money, format_money


def _consent(agreed: bool) -> bool:
    if not agreed:
        raise ValueError(f"{Refusal.NOT_AGREED}: expected the payer's consent to the terms that were told")
    return agreed


Consent = Annotated[bool, AfterValidator(_consent)]


class OfSubscription(Asked):
    """A change of a number's subscription with a facility."""

    number: Annotated[str, AfterValidator(number_of)]

    @property
    def about(self) -> str:
        """The number."""
        return f"subscription {self.number}"


class Start(OfSubscription):
    """A payer wants a plan, and has agreed to its terms."""

    plan: str
    account_id: str
    renewal: Renewal
    agreed: Consent


class Change(OfSubscription):
    """Another plan from the next period on, or another renewal at this one's end; agreed to as it was told."""

    plan: str | None = None
    renewal: Renewal | None = None
    agreed: Consent


class Cancel(OfSubscription):
    """No next period; or, undone, one after all."""

    undo: bool = False


class Renew(OfSubscription):
    """The next period is wanted now, on the terms that were told."""

    agreed: Consent


class End(Asked):
    """It ends now, and what is unused is given back; without a number all of a facility that leaves."""

    number: Annotated[str, AfterValidator(number_of)] | None = None
    because: EndedBecause

    @property
    def about(self) -> str:
        """The number, or all."""
        return f"subscription {self.number}" if self.number else "all subscriptions"


def start(desk: Desk, asked: Start) -> str:
    """Open the subscription and buy its first period, on the terms that were agreed to."""
    facility_id = desk.facility_id(asked)
    wanted = Wanted(facility_id, asked.number, asked.plan, asked.account_id, asked.renewal)
    offer = offer_to_start(desk.conn, wanted, desk.at)
    given = newest_of(desk.conn, facility_id, asked.number)
    if given is not None and given.closed_at is None:  # a file's, whose calls are over
        subscriptions.close(desk.conn, given.id, "replaced", desk.at)
    try:
        held = subscriptions.start(
            desk.conn,
            facility_id=facility_id,
            number=asked.number,
            state=f"US-{offer.place.state}",
            time_zone=offer.place.time_zone,
            account_id=asked.account_id,
            terms=offer.terms,
            renewal=asked.renewal,
            at=desk.at,
        )
    except payers.PayerConflict as conflict:
        raise NotSold(Refusal.ALREADY_SUBSCRIBED, str(conflict)) from None
    return _buy(desk, held)


def renew(desk: Desk, asked: Renew) -> str:
    """Buy the next period: after this one, or from today on where the last one is over."""
    facility_id = desk.facility_id(asked)
    offer = offer_to_renew(desk.conn, facility_id, asked.number, desk.at)
    held = _locked(desk, facility_id, asked.number)
    if held.closed_at is not None:
        subscriptions.reopen(desk.conn, held.id)
    return _buy(
        desk, subscriptions.agree(desk.conn, held.id, desk.at, terms=offer.terms, renewal=offer.renewal)
    )


def change(desk: Desk, asked: Change) -> str:
    """Keep what holds from the end of the period on; what holds now undoes an earlier change."""
    facility_id = desk.facility_id(asked)
    held = _live(desk, facility_id, asked.number)
    offer = offer_to_change(desk.conn, facility_id, asked.number, (asked.plan, asked.renewal), desk.at)
    held = subscriptions.agree(desk.conn, held.id, desk.at, terms=offer.terms, renewal=offer.renewal)
    changes = "; ".join(changes_told(held, offer.first_date)) or "nothing changes at the period's end"
    return f"{held.number}: {changes}"


def cancel(desk: Desk, asked: Cancel) -> str:
    """Let it end with its period, or go on after all."""
    held = _live(desk, desk.facility_id(asked), asked.number)
    if asked.undo:
        subscription_ends.undo_cancel(desk.conn, held.id)
        return f"{held.number}: goes on, {held.next_renewal} renewal"
    tried = subscriptions.attempts(desk.conn, held, due_date(held, last_period(desk.conn, held.id)))
    given_back = subscription_ends.cancel(desk.conn, held.id, desk.at)
    last = last_period(desk.conn, held.id)
    told = [f"{held.number}: cancelled", f"calls until {last.last_date}" if last else "it has no period"]
    if given_back:
        told.append(f"given back to {held.account_id}: ${format_money(given_back)}")
    if subscriptions.is_under_way(tried):
        told.append("a payment of the card is under way; if it is taken, it is in the account")
    return "; ".join(told)


def end(desk: Desk, asked: End) -> str:
    """End it now and give back what is unused; without a number, all of the facility that leaves."""
    facility_id = desk.facility_id(asked)
    if asked.number is None:
        if asked.because is not EndedBecause.FACILITY_LEFT:
            raise StaffError("name a number; all of a facility end only with --because facility_left")
        return f"{facility_id}: {subscription_ends.facility_leaves(desk.conn, facility_id, desk.at)} ended"
    row = newest_of(desk.conn, facility_id, asked.number)
    if row is None or row.closed_at is not None:
        raise not_subscribed(facility_id, asked.number)
    given_back = subscription_ends.end_early(desk.conn, row.id, asked.because, desk.at)
    to = f" to {row.account_id}" if row.account_id else ""
    return f"{asked.number}: ended, {asked.because}; given back{to}: ${format_money(given_back)}"


def _buy(desk: Desk, held: Subscription) -> str:
    price = format_money(held.next_terms.price)
    try:
        purchase = subscriptions.buy(desk.conn, held.id, desk.at)
    except ledger.InsufficientFunds:
        available = format_money(Money(ledger.balance(desk.conn, held.account_id).available))
        sentence = f"{held.account_id} has ${available} available and no card on file; ${price} are needed"
        raise NotSold(Refusal.NOT_PAID, sentence) from None
    if purchase is Purchase.ASKED:
        return f"{held.number}: the card on file is asked for ${price}; the period is there when it has paid"
    period = last_period(desk.conn, held.id)
    assert period is not None  # it was opened just now
    days = f"from {period.first_date} to {period.last_date}"
    return f"{held.number}: {held.next_terms.calls} calls {days} for ${price} out of {held.account_id}"


def _locked(desk: Desk, facility_id: str, number: str) -> Subscription:
    row = newest_of(desk.conn, facility_id, number)
    held = subscription_of(desk.conn, row.id) if row is not None else None
    if held is None:
        raise not_subscribed(facility_id, number)
    return held


def _live(desk: Desk, facility_id: str, number: str) -> Subscription:
    held = _locked(desk, facility_id, number)
    if held.closed_at is not None:
        raise NotSold(Refusal.NOT_SUBSCRIBED, f"the subscription of {number} has ended, {held.close_reason}")
    return held
