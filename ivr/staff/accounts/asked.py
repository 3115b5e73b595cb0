"""What changes of accounts have in common: which account, how much, and the sentence that tells what was done."""

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from accounts import closing, ledger, statement
from accounts.tables import AccountKind, Unit
from ivr.staff.desk import Asked, Desk, StaffError
from rating.money import Money, at_most, format_money, parse_money

_NAME = "[a-z][a-z0-9-]{0,39}"
_REFERENCE = re.compile("[A-Za-z0-9._-]{1,64}")
NEW_ID = re.compile(f"prepaid/({_NAME}/)?{_NAME}|direct/{_NAME}/{_NAME}")


def _amount(value: object) -> object:
    return parse_money(value) if isinstance(value, str) else value


def _new_id(value: str) -> str:
    if NEW_ID.fullmatch(value) is None:
        raise ValueError(
            "expected prepaid/NAME, prepaid/FACILITY/NAME or direct/FACILITY/NAME, "
            "a name being small letters, digits and hyphens"
        )
    return value


def _reference(value: str) -> str:
    if _REFERENCE.fullmatch(value) is None:
        raise ValueError("expected 1 to 64 letters, digits, dots, hyphens or underscores")
    return value


Amount = Annotated[Money, BeforeValidator(_amount), Field(gt=0), AfterValidator(at_most)]
Threshold = Annotated[Money, BeforeValidator(_amount), Field(ge=0), AfterValidator(at_most)]
NewId = Annotated[str, AfterValidator(_new_id)]
#: What tells one payment from another, so that asking again does nothing again.
Reference = Annotated[str, AfterValidator(_reference)]


class OfAccount(Asked):
    """A change of one account, by its id."""

    of_facility: ClassVar[bool] = False
    account_id: str

    @property
    def about(self) -> str:
        """The account."""
        return f"account {self.account_id}"


def found(desk: Desk, account_id: str, *kinds: AccountKind) -> statement.Account:
    """The account, whose money nobody else moves until this change is done; raises StaffError for another kind."""
    if not closing.lock(desk.conn, account_id):
        raise StaffError(f"there is no account {account_id}")
    there = statement.account_of(desk.conn, account_id)
    if there.unit != Unit.USD or there.kind not in kinds:
        wanted = " or ".join(str(kind).replace("_", " ") for kind in kinds)
        raise StaffError(f"{account_id} is no {wanted} account")
    return there


def refuse_closed(desk: Desk, account_id: str) -> None:
    """Raises StaffError for an account that was closed."""
    if (closed := closing.closed_at(desk.conn, account_id)) is not None:
        raise StaffError(f"{account_id} was closed on {closed:%Y-%m-%d}: open another account")


def told(desk: Desk, account_id: str, what: str) -> str:
    """What was done, and what is available now."""
    now = statement.account_of(desk.conn, account_id)
    reserved = f", {dollars(now.held)} reserved" if now.held else ""
    return f"{account_id}: {what}; available {dollars(now.available)}{reserved}"


def dollars(amount: int) -> str:
    """An amount as it is told."""
    return f"${format_money(Money(amount))}"


def entry_of(desk: Desk, entry: str) -> ledger.Transfer:
    """An entry of the book; raises StaffError for one that is not there."""
    known = ledger.find_transfer(desk.conn, entry)
    if known is None:
        raise StaffError(f"there is no entry {entry}: `ivr ledger show` lists an account's")
    return known
