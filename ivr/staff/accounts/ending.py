"""Accounts close at their holder's wish: all is given back, nothing is paid for any more, and no file undoes it."""

from sqlalchemy import Connection, select

from accounts import closing, direct_bill, ledger, payers, statement, subscription_ends
from accounts.tables import AccountKind, billed_account, subscription
from ivr.records.tables import call
from ivr.staff.accounts.asked import OfAccount, Reference, dollars, found, told
from ivr.staff.accounts.money import give_back, refund_id
from ivr.staff.desk import Desk, StaffError
from rating.money import ZERO, Money, ceil_to_cent


class Close(OfAccount):
    """The holder wants everything back, and the account to pay for nothing any more."""

    reference: Reference


def close(desk: Desk, asked: Close) -> str:
    """Close the account, and end its subscriptions with their period; refused while it pays for a call in progress.

    A period that was paid ahead and has not begun is given back with the rest.
    """
    kind = found(desk, asked.account_id, AccountKind.PREPAID, AccountKind.DEBIT, AccountKind.BILLED).kind
    billed = kind == AccountKind.BILLED
    cancelled = _cancel_subscriptions(desk, asked.account_id)
    there = ledger.balance(desk.conn, asked.account_id)
    if there.held:
        raise StaffError(f"{asked.account_id}: a call that it pays for is in progress; close it afterwards")
    what = _stop_billing(desk, asked) if billed else _pay_out(desk, asked, Money(there.available))
    source = direct_bill if billed else payers
    numbers = sorted(source.numbers_of(desk.conn, account_id=asked.account_id))
    for number in numbers:
        source.remove_number(desk.conn, account_id=asked.account_id, number=number, at=desk.at)
    closing.close(desk.conn, asked.account_id, desk.at)
    pays = f"; it pays no longer for {', '.join(numbers)}" if numbers else ""
    ends = f"; the subscription of {', '.join(cancelled)} ends with its period" if cancelled else ""
    return told(desk, asked.account_id, f"closed, {what}{pays}{ends}")


def _cancel_subscriptions(desk: Desk, account_id: str) -> list[str]:
    live = (
        subscription.c.account_id == account_id,
        subscription.c.closed_at.is_(None),
        subscription.c.cancelled_at.is_(None),
    )
    rows = desk.conn.execute(select(subscription.c.id, subscription.c.number).where(*live)).all()
    for row in rows:
        subscription_ends.cancel(desk.conn, row.id, desk.at)
    return sorted(row.number for row in rows)


def _pay_out(desk: Desk, asked: Close, available: Money) -> str:
    if available and ledger.find_transfer(desk.conn, refund_id(asked.reference)) is not None:
        raise StaffError(f"refund {asked.reference} was booked before: name another reference")
    if not available:
        return f"given back: {dollars(ZERO)}"
    return give_back(desk, asked.account_id, available, asked.reference)[1]


def _stop_billing(desk: Desk, asked: Close) -> str:
    """What is owed stays owed; the limit that is left is taken away, so that nothing more can be."""
    limit = desk.conn.execute(
        select(billed_account.c.credit_limit).where(billed_account.c.account_id == asked.account_id)
    ).scalar_one()
    owed = Money(limit - ledger.balance(desk.conn, asked.account_id).available)
    direct_bill.stop(desk.conn, asked.account_id, desk.at)
    return f"{dollars(owed)} owed" if owed > 0 else "nothing owed"


def before_closing(conn: Connection, account_id: str) -> list[str]:
    """What closing the account does, in lines: what is given back, and what it will pay for no more.

    Raises StaffError for an account that there is not.
    """
    try:
        there = statement.account_of(conn, account_id)
    except ledger.AccountUnknown:
        raise StaffError(f"there is no account {account_id}") from None
    billed = there.kind == AccountKind.BILLED
    paid = Money(0 if billed else ceil_to_cent(Money(there.available)))
    numbers = sorted((direct_bill if billed else payers).numbers_of(conn, account_id=account_id))
    listed = [f"its numbers: {', '.join(numbers)}"] if numbers else []
    pays_for = [*listed, *_places(conn, account_id)] or ["nothing yet"]
    back = f"{account_id} gives back: {'nothing, what is owed stays owed' if billed else dollars(paid)}"
    return [back, f"{account_id} pays for:", *(f"  {each}" for each in pays_for)]


def _places(conn: Connection, account_id: str) -> list[str]:
    """A line for each facility where closing the account ends something: calls paid for, subscriptions."""
    paid = select(call.c.facility_id).distinct().where(call.c.account_id == account_id)
    subscribed = select(subscription.c.facility_id, subscription.c.number).where(
        subscription.c.account_id == account_id, subscription.c.closed_at.is_(None)
    )
    places: dict[str, list[str]] = {each: ["calls"] for each in conn.scalars(paid)}
    for facility_id, number in conn.execute(subscribed.order_by(subscription.c.number)):
        places.setdefault(facility_id, []).append(f"the subscription of {number}")
    return [f"{facility_id}: {', '.join(what)}" for facility_id, what in sorted(places.items())]
