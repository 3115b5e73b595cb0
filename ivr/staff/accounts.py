"""Money of called parties' prepaid accounts: paid in, given back on request, given back in full when an account closes.

There is no least and no most amount, and no fee (47 CFR 64.6100, 64.6130). What is reserved for a call in progress
stays until that call is settled. A part of a cent is rounded up for the holder, at the provider's loss.
"""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field
from sqlalchemy import Connection, distinct, select

from accounts import ledger, payers, statement
from accounts.tables import AccountKind, Unit
from ivr.records.tables import call
from ivr.staff.desk import Asked, Desk, StaffError
from rating.money import ZERO, Money, ceil_to_cent, format_money, parse_money


def _amount(value: object) -> object:
    return parse_money(value) if isinstance(value, str) else value


Amount = Annotated[Money, BeforeValidator(_amount), Field(gt=0)]
#: What tells one payment from another, so that asking again does nothing again.
Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class OfAccount(Asked):
    """A change of one account, by its id."""

    of_facility: ClassVar[bool] = False
    account_id: str

    @property
    def about(self) -> str:
        """The account."""
        return f"account {self.account_id}"


class Deposit(OfAccount):
    """Money has come in."""

    amount: Amount
    reference: Reference


class Refund(OfAccount):
    """The holder wants money back: so much, or all that is available."""

    amount: Amount | None = None
    reference: Reference


class Close(OfAccount):
    """The holder wants everything back, and the account to pay for nothing any more."""

    reference: Reference


def deposit(desk: Desk, asked: Deposit) -> str:
    """Credit money; the same reference again changes nothing, and with another amount it is refused."""
    _prepaid(desk, asked)
    entry = f"deposit/{asked.reference}"
    repeated = ledger.find_transfer(desk.conn, entry) is not None
    try:
        payers.deposit(
            desk.conn, transfer_id=entry, account_id=asked.account_id, amount=asked.amount, at=desk.at
        )
    except ledger.TransferConflict:
        raise StaffError(f"deposit {asked.reference} was another one: nothing was booked") from None
    return _told(
        desk, asked, f"{'was booked before' if repeated else 'paid in'}: ${format_money(asked.amount)}"
    )


def refund(desk: Desk, asked: Refund) -> str:
    """Give back what is asked for, or all that is available."""
    found = _prepaid(desk, asked)
    before = ledger.find_transfer(desk.conn, _refund_id(asked.reference))
    if before is not None:
        if before.debit_id != asked.account_id:
            raise StaffError(f"refund {asked.reference} was another account's: nothing was booked")
        return _told(desk, asked, f"was booked before: ${format_money(ceil_to_cent(Money(before.amount)))}")
    amount = Money(found.available) if asked.amount is None else asked.amount
    if asked.amount is not None and asked.amount != ceil_to_cent(asked.amount):
        raise StaffError("amount: expected whole cents; all that is available is given back without --amount")
    if not 0 < amount <= found.available:
        available = format_money(Money(found.available))
        raise StaffError(f"{asked.account_id}: ${available} is available to be given back, no more")
    paid = _give_back(desk, asked, amount)
    return _told(desk, asked, f"given back: ${format_money(paid)}")


def close(desk: Desk, asked: Close) -> str:
    """Give back everything and pay for no number any more; refused while a call of it is in progress."""
    found = _prepaid(desk, asked)
    if ledger.find_transfer(desk.conn, _refund_id(asked.reference)) is not None:
        raise StaffError(f"refund {asked.reference} was booked before: name another reference")
    if found.held:
        raise StaffError(f"{asked.account_id}: a call that it pays for is in progress; close it afterwards")
    paid = _give_back(desk, asked, Money(found.available)) if found.available else ZERO
    numbers = sorted(payers.numbers_of(desk.conn, account_id=asked.account_id))
    for number in numbers:
        payers.remove_number(desk.conn, account_id=asked.account_id, number=number, at=desk.at)
    pays = f"; it pays no longer for {', '.join(numbers)}" if numbers else ""
    return _told(desk, asked, f"given back: ${format_money(paid)}{pays}")


def facilities_paid_for(conn: Connection, account_id: str) -> list[str]:
    """The facilities from which the account has paid for calls."""
    paid = select(distinct(call.c.facility_id)).where(call.c.account_id == account_id)
    return list(conn.scalars(paid.order_by(call.c.facility_id)))


def _prepaid(desk: Desk, asked: OfAccount) -> statement.Account:
    try:
        found = statement.account_of(desk.conn, asked.account_id)
    except ledger.AccountUnknown:
        raise StaffError(f"there is no account {asked.account_id}") from None
    if (found.kind, found.unit) != (AccountKind.PREPAID, Unit.USD):
        raise StaffError(f"{asked.account_id} is no prepaid account")
    return found


def _refund_id(reference: str) -> str:
    return f"refund/{reference}"


def _give_back(desk: Desk, asked: Refund | Close, amount: Money) -> Money:
    """Book what is paid out in whole cents; returns it."""
    entry, paid = _refund_id(asked.reference), ceil_to_cent(amount)
    ledger.post(
        desk.conn,
        transfer_id=entry,
        debit_id=asked.account_id,
        credit_id=payers.CASH,
        amount=amount,
        at=desk.at,
    )
    if paid > amount:
        ledger.post(
            desk.conn,
            transfer_id=f"{entry}/rounding",
            debit_id=payers.LOSS,
            credit_id=payers.CASH,
            amount=paid - amount,
            at=desk.at,
        )
    return paid


def _told(desk: Desk, asked: OfAccount, what: str) -> str:
    now = statement.account_of(desk.conn, asked.account_id)
    reserved = f", ${format_money(Money(now.held))} reserved" if now.held else ""
    return f"{asked.account_id}: {what}; available ${format_money(Money(now.available))}{reserved}"
