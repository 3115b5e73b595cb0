"""Money of prepaid accounts and of inmates: paid in, given back on request, put right by corrections.

There is no least amount, no most below a million dollars, and no fee (47 CFR 64.6100, 64.6130). What is reserved for a
call in progress stays until that call is settled. A part of a cent is rounded up for the holder, at the provider's
loss. Nobody's money is taken by a free hand: a correction adds, or undoes one entry that staff have booked.
"""

from pydantic import Field, ValidationInfo, field_validator
from sqlalchemy import select

from accounts import debit, ledger, payers, refunds, statement
from accounts.holders import touch
from accounts.tables import AccountKind, TransferKind
from ivr.facility.tables import inmate
from ivr.staff.accounts.asked import (
    Amount,
    OfAccount,
    Reference,
    dollars,
    entry_of,
    found,
    refuse_closed,
    told,
)
from ivr.staff.desk import Desk, StaffError
from rating.money import Money, ceil_to_cent

#: Whose money it is that lies there: called parties', and inmates' own.
PEOPLES = (AccountKind.PREPAID, AccountKind.DEBIT)
#: Entries that staff have booked, which a correction may undo: never a payment by card, nor what a call came to.
BOOKED_BY_STAFF = ("deposit/", "adjust/", "transfer/")


class Deposit(OfAccount):
    """Money has come in."""

    amount: Amount
    reference: Reference


class Refund(OfAccount):
    """The holder wants money back: so much, or all that is available."""

    amount: Amount | None = None
    reference: Reference


class Adjust(OfAccount):
    """The book is to be put right: by a credit at the provider's loss, or by undoing an entry that was a mistake."""

    credit: Amount | None = None
    reverse: str | None = Field(default=None, validate_default=True)
    reference: Reference

    @field_validator("reverse")
    @classmethod
    def _one_of_both(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "credit" in info.data and (info.data["credit"] is None) == (value is None):
            raise ValueError("expected either an amount to credit or an entry to reverse")
        return value


def deposit(desk: Desk, asked: Deposit) -> str:
    """Credit money; the same reference again changes nothing, and with another amount it is refused."""
    _open_for_inmate(desk, asked.account_id)
    found(desk, asked.account_id, *PEOPLES)
    entry = f"deposit/{asked.reference}"
    repeated = ledger.find_transfer(desk.conn, entry) is not None
    if not repeated:
        refuse_closed(desk, asked.account_id)
    try:
        payers.deposit(
            desk.conn, transfer_id=entry, account_id=asked.account_id, amount=asked.amount, at=desk.at
        )
    except ledger.TransferConflict:
        raise StaffError(f"deposit {asked.reference} was another one: nothing was booked") from None
    touch(desk.conn, asked.account_id, desk.at)
    what = "was booked before" if repeated else "paid in"
    return told(desk, asked.account_id, f"{what}: {dollars(asked.amount)}")


def refund(desk: Desk, asked: Refund) -> str:
    """Give back what is asked for, or all that is available; of a closed account too."""
    there = found(desk, asked.account_id, *PEOPLES)
    before = ledger.find_transfer(desk.conn, refund_id(asked.reference))
    if before is not None:
        if before.debit_id != asked.account_id:
            raise StaffError(f"refund {asked.reference} was another account's: nothing was booked")
        if asked.amount not in (None, before.amount):
            raise StaffError(f"refund {asked.reference} was another one: nothing was booked")
        paid = ceil_to_cent(Money(before.amount))
        return told(desk, asked.account_id, f"was booked before: {dollars(paid)}")
    amount = Money(there.available) if asked.amount is None else asked.amount
    if asked.amount is not None and asked.amount != ceil_to_cent(asked.amount):
        raise StaffError("amount: expected whole cents; all that is available is given back without --amount")
    if not 0 < amount <= there.available:
        available = dollars(there.available)
        raise StaffError(f"{asked.account_id}: {available} is available to be given back, no more")
    _, what = give_back(desk, asked.account_id, amount, asked.reference)
    touch(desk.conn, asked.account_id, desk.at)
    return told(desk, asked.account_id, what)


def adjust(desk: Desk, asked: Adjust) -> str:
    """Book a correction: what it credits comes from the provider, what it undoes is one entry, whole and once."""
    found(desk, asked.account_id, *PEOPLES, AccountKind.CARD)
    what = _reverse(desk, asked, asked.reverse) if asked.reverse is not None else _credit(desk, asked)
    touch(desk.conn, asked.account_id, desk.at)
    return told(desk, asked.account_id, what)


def give_back(desk: Desk, account_id: str, amount: Money, reference: str) -> tuple[Money, str]:
    """Book what is paid out in whole cents, and ask for it on the cards that have paid; how much, and how it goes."""
    paid, by_card = refunds.give_back(
        desk.conn, account_id=account_id, amount=amount, reference=reference, at=desk.at
    )
    how = f", of it {dollars(by_card)} to the card" if by_card else ""
    return paid, f"given back: {dollars(paid)}{how}"


def refund_id(reference: str) -> str:
    """The entry of money given back."""
    return f"refund/{reference}"


def _open_for_inmate(desk: Desk, account_id: str) -> None:
    """An inmate's debit account is opened by the first money that comes for it."""
    head, _, rest = account_id.partition("/")
    facility_id, _, inmate_id = rest.partition("/")
    if head != "debit":
        return
    row = desk.conn.scalar(
        select(inmate.c.id).where(inmate.c.facility_id == facility_id, inmate.c.inmate_id == inmate_id)
    )
    if row is None:
        raise StaffError(f"{facility_id or 'no facility'} has no inmate {inmate_id or 'without an ID'}")
    debit.open_debit(desk.conn, account_id=account_id, inmate=row, at=desk.at)


def _credit(desk: Desk, asked: Adjust) -> str:
    refuse_closed(desk, asked.account_id)
    assert asked.credit is not None  # one of both is
    entry = f"adjust/{asked.reference}"
    repeated = ledger.find_transfer(desk.conn, entry) is not None
    try:
        _post(desk, entry, payers.LOSS, asked.account_id, asked.credit)
    except ledger.TransferConflict:
        raise StaffError(f"correction {asked.reference} was another one: nothing was booked") from None
    return f"{'was credited before' if repeated else 'credited'}: {dollars(asked.credit)}"


def _reverse(desk: Desk, asked: Adjust, entry: str) -> str:
    known = entry_of(desk, entry)
    by_staff = entry.startswith(BOOKED_BY_STAFF) and known.kind is TransferKind.PAYMENT
    if known.credit_id != asked.account_id or not by_staff:
        raise StaffError(f"{entry} is no credit to {asked.account_id} that staff have booked")
    undone = f"reversed/{entry}"
    repeated = ledger.find_transfer(desk.conn, undone) is not None
    lowest = statement.lowest_since(desk.conn, asked.account_id, entry)
    if not repeated and lowest < known.amount:
        since = f"since then its balance has been {dollars(lowest)}"
        raise StaffError(
            f"{asked.account_id}: {dollars(known.amount)} of {entry} are no longer there: {since}"
        )
    try:
        _post(desk, undone, asked.account_id, known.debit_id, Money(known.amount))
    except ledger.InsufficientFunds:
        raise StaffError(f"{asked.account_id} has less than {dollars(known.amount)} available") from None
    return f"{'was reversed before' if repeated else 'reversed'}: {entry} of {dollars(known.amount)}"


def _post(desk: Desk, entry: str, debit_id: str, credit_id: str, amount: Money) -> None:
    ledger.post(
        desk.conn, transfer_id=entry, debit_id=debit_id, credit_id=credit_id, amount=amount, at=desk.at
    )
