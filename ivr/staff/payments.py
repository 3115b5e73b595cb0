"""Payments by card that staff ask for: a page on which a holder pays or puts a card on file, and another try of one."""

from typing import ClassVar

from accounts import payments
from accounts.holders import holder_of
from accounts.payment_tables import PaymentKind, PaymentState
from accounts.tables import AccountKind
from ivr.policy.paying import LEAST_BY_CARD
from ivr.staff.accounts.asked import Amount, OfAccount, Reference, dollars, found, refuse_closed
from ivr.staff.desk import Asked, Desk, StaffError
from rating.money import MICROS_PER_CENT, ZERO, Money


class DepositPage(OfAccount):
    """The holder is to pay in so much on a page of the card processor."""

    amount: Amount
    reference: Reference


class CardPage(OfAccount):
    """The holder is to put a card on file on a page of the card processor."""

    reference: Reference


class TryAgain(Asked):
    """A payment of which the processor has told nothing is to be tried again."""

    of_facility: ClassVar[bool] = False
    payment_id: str

    @property
    def about(self) -> str:
        """The payment."""
        return f"payment {self.payment_id}"


def deposit_page(desk: Desk, asked: DepositPage) -> str:
    """Send the holder the way to a page; any amount of whole cents (47 CFR 64.6100), without a fee."""
    if asked.amount % MICROS_PER_CENT:
        raise StaffError("amount: expected whole cents")
    if asked.amount < LEAST_BY_CARD:
        raise StaffError(f"amount: expected at least {dollars(LEAST_BY_CARD)}: no card processor takes less")
    return _page(desk, asked, PaymentKind.DEPOSIT, asked.amount, f"pay in {dollars(asked.amount)}")


def card_page(desk: Desk, asked: CardPage) -> str:
    """Send the holder the way to a page; the card takes the place of any other as soon as it is there."""
    return _page(desk, asked, PaymentKind.CARD, ZERO, "put a card on file")


def _page(desk: Desk, asked: DepositPage | CardPage, kind: PaymentKind, amount: Money, what: str) -> str:
    found(desk, asked.account_id, AccountKind.PREPAID)
    refuse_closed(desk, asked.account_id)
    holder = holder_of(desk.conn, asked.account_id)
    if holder is None or not (holder.mobile or holder.email):
        raise StaffError(f"{asked.account_id}: its holder has no mobile number and no e-mail address")
    payment_id = f"{kind}/{asked.reference}"
    try:
        is_new = payments.ask(
            desk.conn,
            payment_id=payment_id,
            kind=kind,
            amount=amount,
            at=desk.at,
            account_id=asked.account_id,
        )
    except payments.PaymentConflict:
        raise StaffError(f"reference: {asked.reference} was another payment's") from None
    told = "will be sent" if is_new else "was asked for before"
    return f"{asked.account_id}: a page to {what} {told} ({payment_id})"


def try_again(desk: Desk, asked: TryAgain) -> str:
    """Have it tried again under the same id, under which the processor does it once."""
    row = payments.payment_of(desk.conn, asked.payment_id)
    if row is None:
        raise StaffError(f"there is no payment {asked.payment_id}")
    if row.state not in {PaymentState.ASKED, PaymentState.AUTHORISED}:
        raise StaffError(f"{asked.payment_id} is {row.state}: nothing is to be done with it")
    payments.try_soon(desk.conn, asked.payment_id, desk.at)
    return f"{asked.payment_id}: will be tried again"
