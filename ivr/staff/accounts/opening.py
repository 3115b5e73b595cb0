"""Accounts are opened and edited by staff, and numbers move from one to another; no load of a file undoes it."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from sqlalchemy import select

from accounts import billed, direct_bill, payers
from accounts.holders import Holder, holder_of, put_holder
from accounts.ledger import AccountUnknown
from accounts.statement import account_of
from accounts.tables import AccountKind, BilledKind, prepaid_number
from ivr.facility import kept, scopes
from ivr.facility.fields import E164, State
from ivr.facility.kept import keep
from ivr.facility.tables import facility
from ivr.staff.accounts.asked import (
    NewId,
    OfAccount,
    Reference,
    Threshold,
    dollars,
    found,
    refuse_closed,
)
from ivr.staff.desk import Desk, Label, StaffError
from rating.money import Money

#: What may be said of a holder, and taken away again.
Detail = Literal["name", "mobile", "email", "state", "low_balance", "reload"]
PAYING = (AccountKind.PREPAID, AccountKind.BILLED)


def _email(value: str) -> str:
    name, _, domain = value.partition("@")
    if not name or "." not in domain or any(each.isspace() or not each.isprintable() for each in value):
        raise ValueError("expected an e-mail address such as ana@example.org")
    return value


def _each_once(numbers: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted({each for each in numbers if numbers.count(each) > 1}):
        raise ValueError(f"expected each number once, found {', '.join(twice)} again")
    return numbers


class OfHolder(OfAccount):
    """What is said of an account and its holder."""

    name: Annotated[Label, Field(min_length=1, max_length=200)] | None = None
    language: Literal["en", "es"] | None = None
    mobile: E164 | None = None
    email: Annotated[str, AfterValidator(_email)] | None = None
    state: State | None = None
    low_balance: Threshold | None = None
    reload_below: Threshold | None = None
    reload_amount: Annotated[Threshold, Field(gt=0, multiple_of=10_000)] | None = Field(
        default=None, validate_default=True
    )
    credit_limit: Threshold | None = Field(default=None, validate_default=True)
    numbers: Annotated[tuple[E164, ...], AfterValidator(_each_once)] = ()

    def holder(self) -> dict[str, Any]:
        """The columns of what is said."""
        said = ("name", "language", "mobile", "email", "low_balance", "reload_below", "reload_amount")
        given = {name: value for name in said if (value := getattr(self, name)) is not None}
        return given if self.state is None else {**given, "state": f"US-{self.state}"}


class Open(OfHolder):
    """A new account: prepaid, or by direct bill."""

    account_id: NewId

    @field_validator("reload_amount")
    @classmethod
    def _with_its_balance(cls, value: Money | None, info: ValidationInfo) -> Money | None:
        if "reload_below" in info.data and (info.data["reload_below"] is None) != (value is None):
            raise ValueError("expected with reload_below: below which balance, and how much")
        return value

    @field_validator("credit_limit")
    @classmethod
    def _of_a_bill(cls, value: Money | None, info: ValidationInfo) -> Money | None:
        if str(info.data.get("account_id")).startswith("direct/") is (value is None):
            raise ValueError("expected for direct/… accounts, and for no others")
        return value


class Edit(OfHolder):
    """Something of an account is to be another; without anything, its holder was heard of."""

    reference: Reference
    forget: tuple[Detail, ...] = ()
    without: Annotated[tuple[E164, ...], AfterValidator(_each_once)] = ()


class MoveNumber(OfAccount):
    """Another account of the same kind is to pay for calls to a number."""

    number: E164


def open_account(desk: Desk, asked: Open) -> str:
    """A new account with its numbers; raises StaffError for an id or a number that is taken."""
    own = asked.account_id.split("/")[1] if asked.account_id.count("/") > 1 else None
    if own is not None and own not in _facilities(desk):
        raise StaffError(f"there is no facility {own}")
    try:
        account_of(desk.conn, asked.account_id)
    except AccountUnknown:
        pass
    else:
        raise StaffError(f"there is an account {asked.account_id} already: `ivr account edit` changes it")
    limit = ""
    if asked.credit_limit is not None:
        assert own is not None  # the id of a direct bill has one
        billed.open_billed(
            desk.conn,
            account_id=asked.account_id,
            kind=BilledKind.DIRECT_BILL,
            facility_id=own,
            credit_limit=asked.credit_limit,
            at=desk.at,
        )
        limit = f" with a limit of {dollars(asked.credit_limit)}"
    else:
        payers.open_prepaid(desk.conn, account_id=asked.account_id, at=desk.at)
    put_holder(desk.conn, asked.account_id, desk.at, **asked.holder())
    _add(desk, asked, asked.numbers)
    pays = f"; it pays for {', '.join(asked.numbers)}" if asked.numbers else ""
    return f"{asked.account_id}: opened{limit}{pays}"


def edit(desk: Desk, asked: Edit) -> str:
    """Change what is said; raises StaffError for a closed account, or a limit below what is owed."""
    there = found(desk, asked.account_id, *PAYING, AccountKind.DEBIT)
    refuse_closed(desk, asked.account_id)
    if there.kind == AccountKind.DEBIT and (asked.numbers or asked.without):
        raise StaffError(f"{asked.account_id}: an inmate's own money pays for every number they may call")
    before = holder_of(desk.conn, asked.account_id)
    emptied = [name for each in asked.forget for name in _columns(each)]
    holder = {**dict.fromkeys(emptied), **asked.holder()}
    _refuse_half_a_reload(before, holder)
    put_holder(desk.conn, asked.account_id, desk.at, **holder)
    done = sorted({"reload" if name.startswith("reload") else name for name in holder})
    said = [f"{name.replace('_', ' ')} changed" for name in done]
    if asked.credit_limit is not None:
        said.append(_change_limit(desk, asked, there.kind))
    _add(desk, asked, asked.numbers)
    _remove(desk, asked, asked.without)
    said += [f"pays for {number}" for number in asked.numbers]
    said += [f"pays no longer for {number}" for number in asked.without]
    return f"{asked.account_id}: {', '.join(said) or 'its holder was heard of'}"


def move_number(desk: Desk, asked: MoveNumber) -> str:
    """The number's calls are paid by this account from now on; raises StaffError where no other one paid for them."""
    there = found(desk, asked.account_id, *PAYING)
    refuse_closed(desk, asked.account_id)
    if there.kind == AccountKind.PREPAID:
        before = desk.conn.scalar(
            select(prepaid_number.c.account_id).where(
                prepaid_number.c.number == asked.number, prepaid_number.c.removed_at.is_(None)
            )
        )
    else:
        before = direct_bill.owner_of(
            desk.conn, facility_id=asked.account_id.split("/")[1], number=asked.number
        )
    if before is None:
        raise StaffError(f"no account pays for {asked.number} yet: `ivr account edit --number` adds it")
    if before == asked.account_id:
        raise StaffError(f"{asked.account_id} pays for {asked.number} already")
    remove = payers.remove_number if there.kind == AccountKind.PREPAID else direct_bill.remove_number
    remove(desk.conn, account_id=before, number=asked.number, at=desk.at)
    _add(desk, asked, [asked.number])
    put_holder(desk.conn, asked.account_id, desk.at)
    return f"{asked.number}: moved from {before} to {asked.account_id}"


def _columns(detail: Detail) -> tuple[str, ...]:
    return ("reload_below", "reload_amount") if detail == "reload" else (detail,)


def _refuse_half_a_reload(before: Holder | None, holder: dict[str, Any]) -> None:
    names = ("reload_below", "reload_amount")
    below, amount = (holder.get(name, getattr(before, name, None)) for name in names)
    if (below is None) != (amount is None):
        raise StaffError("reload: expected both, below which balance and how much")


def _change_limit(desk: Desk, asked: Edit, kind: str) -> str:
    if kind != AccountKind.BILLED:
        raise StaffError(f"{asked.account_id} is paid beforehand: it has no credit limit")
    assert asked.credit_limit is not None
    try:
        before = direct_bill.change_limit(
            desk.conn,
            account_id=asked.account_id,
            limit=asked.credit_limit,
            reference=asked.reference,
            at=desk.at,
        )
    except direct_bill.LimitTooLow:
        raise StaffError("credit_limit: more than that is owed or reserved already") from None
    return f"credit limit {dollars(asked.credit_limit)}, was {dollars(before)}"


def _add(desk: Desk, asked: OfAccount, numbers: Sequence[str]) -> None:
    for number in numbers:
        try:
            if asked.account_id.startswith("prepaid/"):
                payers.add_number(desk.conn, account_id=asked.account_id, number=number, at=desk.at)
            else:
                own = asked.account_id.split("/")[1]
                direct_bill.add_number(
                    desk.conn, account_id=asked.account_id, facility_id=own, number=number, at=desk.at
                )
        except payers.PayerConflict as taken:
            raise StaffError(f"{taken}: `ivr account move-number` moves it") from None
    _keep(desk, asked, numbers)


def _remove(desk: Desk, asked: Edit, numbers: Sequence[str]) -> None:
    prepaid = asked.account_id.startswith("prepaid/")
    paid_for = (payers if prepaid else direct_bill).numbers_of(desk.conn, account_id=asked.account_id)
    for number in numbers:
        if number not in paid_for:
            raise StaffError(f"{asked.account_id} does not pay for {number}")
        remove = payers.remove_number if prepaid else direct_bill.remove_number
        remove(desk.conn, account_id=asked.account_id, number=number, at=desk.at)
    _keep(desk, asked, numbers)


def _keep(desk: Desk, asked: OfAccount, numbers: Iterable[str]) -> None:
    """From now on no facility's file says which prepaid account pays for them."""
    if asked.account_id.startswith("prepaid/"):
        settings = [(scopes.number(number), kept.PAYER) for number in numbers]
        for facility_id in _facilities(desk):
            keep(desk.conn, facility_id, settings, asked.author, desk.at)


def _facilities(desk: Desk) -> list[str]:
    return list(desk.conn.scalars(select(facility.c.id).order_by(facility.c.id)))
