"""Amounts between accounts, in money and in subscription calls alike.

Double entry: every transfer debits one account and credits another of the same unit. Transfers are never
changed. A hold reserves an amount and is settled or released once. Every transfer has an id that its caller
makes, so that posting it again is harmless and posting something else under the same id is an error. Each
function raises before it has changed anything, so that its caller may go on in the same transaction.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, case, exists, or_, select, update

from accounts.db import LostRace, Prepared, insert_if_new
from accounts.tables import AccountKind, TransferKind, Unit, account, transfer

# ruff: noqa: N818 - the names say what happened; "Error" would say nothing more


class LedgerError(Exception):
    """A transfer was refused; nothing was recorded."""


class InsufficientFunds(LedgerError):
    """The account does not have the amount available."""


class TransferConflict(LedgerError):
    """The id was used before with other contents."""


class HoldClosed(LedgerError):
    """The hold is unknown, or was settled or released before."""


class MoreThanHeld(LedgerError):
    """The settlement asks for more than the hold reserved."""


class AccountUnknown(LedgerError):
    """There is no such account."""


class AccountConflict(LedgerError):
    """The account exists with another unit or kind, or the two accounts count different things."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Where an account stands, in the smallest unit of its ledger: micros of money, or calls."""

    credits: int
    debits: int
    held: int

    @property
    def available(self) -> int:
        """What may be spent or held now."""
        return self.credits - self.debits - self.held


@dataclass(frozen=True, slots=True)
class Transfer:
    """One line of the book; its amount is in the unit of its two accounts."""

    id: str
    kind: TransferKind
    debit_id: str
    credit_id: str
    amount: int
    resolves_id: str | None
    posted_at: datetime

    def same_as(self, other: "Transfer") -> bool:
        """Whether both say the same, whenever they were posted."""
        return self == replace(other, posted_at=self.posted_at)


_available = account.c.credits - account.c.debits - account.c.held
_is_debited = account.c.id == bindparam("debit_id")
_other = account.alias("other")
_resolution = transfer.alias("resolution")

_TRANSFER: Final = Prepared(select(transfer).where(transfer.c.id == bindparam("transfer_id")))
_ACCOUNT: Final = Prepared(select(account).where(account.c.id == bindparam("account_id")))
_both = select(account).where(account.c.id.in_([bindparam("debit_id"), bindparam("credit_id")]))
_ACCOUNTS: Final = Prepared(_both)
_OPEN_HOLD: Final = Prepared(
    select(transfer, _resolution.c.id.label("resolution_id"))
    .outerjoin(_resolution, _resolution.c.resolves_id == transfer.c.id)
    .where(transfer.c.id == bindparam("hold_id"), transfer.c.kind == TransferKind.HOLD)
)

_RESERVE: Final = Prepared(
    update(account)
    .where(
        _is_debited,
        or_(account.c.kind == AccountKind.SYSTEM, _available >= bindparam("amount")),
        exists().where(_other.c.id == bindparam("credit_id"), _other.c.unit == account.c.unit),
        ~exists().where(transfer.c.id == bindparam("transfer_id")),
    )
    .values(held=account.c.held + bindparam("amount"))
    .returning(account.c.unit)
)

# Both accounts are locked in the order of their ids before either changes, so that no two transfers wait for
# each other. NO KEY UPDATE, since a plain FOR UPDATE would wait for every transfer that only refers to the
# account.
_both_locked = _both.order_by(account.c.id).with_for_update(key_share=True)
_locked = _both_locked.with_only_columns(account.c.id).cte("locked")
_LOCK: Final = Prepared(_both_locked)
_MOVE: Final = Prepared(
    update(account)
    .where(account.c.id.in_(select(_locked.c.id)))
    .values(
        held=account.c.held - case((_is_debited, bindparam("unheld")), else_=0),
        debits=account.c.debits + case((_is_debited, bindparam("amount")), else_=0),
        credits=account.c.credits + case((_is_debited, 0), else_=bindparam("amount")),
    )
)


def open_account(conn: Connection, *, account_id: str, unit: Unit, kind: AccountKind, at: datetime) -> None:
    """Make an account; harmless when repeated, AccountConflict if it is something else. 1 statement."""
    row = {"id": account_id, "unit": unit, "kind": kind, "opened_at": at}
    if not insert_if_new(conn, account, row):
        known = _ACCOUNT.row(conn, {"account_id": account_id})
        if known is None or (known.unit, known.kind) != (unit, kind):
            raise AccountConflict(account_id)


def balance(conn: Connection, account_id: str) -> Balance:
    """Where the account stands; raises AccountUnknown. 1 statement."""
    row = _ACCOUNT.row(conn, {"account_id": account_id})
    if row is None:
        raise AccountUnknown(account_id)
    return Balance(row.credits, row.debits, row.held)


def find_transfer(conn: Connection, transfer_id: str) -> Transfer | None:
    """The transfer with this id. 1 statement."""
    row = _TRANSFER.row(conn, {"transfer_id": transfer_id})
    return None if row is None else _transfer(row)


def post(
    conn: Connection, *, transfer_id: str, debit_id: str, credit_id: str, amount: int, at: datetime
) -> Transfer:
    """Move an amount at once from one account to another. 4 statements.

    Raises InsufficientFunds, TransferConflict, AccountUnknown, or AccountConflict for accounts of two units.
    """
    _refuse_negative(amount)
    sides = {"debit_id": debit_id, "credit_id": credit_id}
    locked = {row.id: row for row in _LOCK.rows(conn, sides)}
    known = find_transfer(conn, transfer_id)
    new = Transfer(transfer_id, TransferKind.PAYMENT, debit_id, credit_id, amount, None, at)
    if known is not None:
        return _repetition(known, new)
    _check_accounts(locked, new)
    if not _record(conn, new, locked[debit_id].unit):
        raise LostRace(transfer_id)
    _MOVE.change(conn, {**sides, "amount": amount, "unheld": 0})
    return new


def hold(
    conn: Connection, *, transfer_id: str, debit_id: str, credit_id: str, amount: int, at: datetime
) -> Transfer:
    """Reserve an amount for a later settlement in favour of `credit_id`. 2 statements.

    Raises InsufficientFunds, TransferConflict, AccountUnknown, or AccountConflict for accounts of two units.
    """
    _refuse_negative(amount)
    sides = {"debit_id": debit_id, "credit_id": credit_id}
    unit = _RESERVE.value(conn, {**sides, "amount": amount, "transfer_id": transfer_id})
    new = Transfer(transfer_id, TransferKind.HOLD, debit_id, credit_id, amount, None, at)
    if unit is None:
        return _not_reserved(conn, new)
    if not _record(conn, new, unit):
        raise LostRace(transfer_id)
    return new


def settle(conn: Connection, *, transfer_id: str, hold_id: str, amount: int, at: datetime) -> Transfer:
    """Turn a hold into a charge of at most its amount and give back the rest. 3 statements.

    Raises HoldClosed, MoreThanHeld or TransferConflict.
    """
    return _resolve(
        conn, TransferKind.SETTLEMENT, transfer_id=transfer_id, hold_id=hold_id, amount=amount, at=at
    )


def release(conn: Connection, *, transfer_id: str, hold_id: str, at: datetime) -> Transfer:
    """Give back a hold. 3 statements. Raises HoldClosed or TransferConflict."""
    return _resolve(conn, TransferKind.RELEASE, transfer_id=transfer_id, hold_id=hold_id, amount=0, at=at)


def _resolve(
    conn: Connection, kind: TransferKind, *, transfer_id: str, hold_id: str, amount: int, at: datetime
) -> Transfer:
    _refuse_negative(amount)
    row = _OPEN_HOLD.row(conn, {"hold_id": hold_id})
    if row is None:
        raise HoldClosed(hold_id)
    held = _transfer(row)
    new = replace(held, id=transfer_id, kind=kind, amount=amount, resolves_id=hold_id, posted_at=at)
    if row.resolution_id is not None:
        return _resolved_before(conn, new)
    if amount > held.amount:
        raise MoreThanHeld(hold_id)
    if not _record(conn, new, row.unit):  # another transaction resolved it since we looked
        return _resolved_before(conn, new)
    sides = {"debit_id": held.debit_id, "credit_id": held.credit_id}
    _MOVE.change(conn, {**sides, "amount": amount, "unheld": held.amount})
    return new


def _resolved_before(conn: Connection, new: Transfer) -> Transfer:
    known = find_transfer(conn, new.id)
    if known is None:
        raise HoldClosed(new.resolves_id)
    return _repetition(known, new)


def _not_reserved(conn: Connection, new: Transfer) -> Transfer:
    """Why the one statement that reserves found nothing to change."""
    known = find_transfer(conn, new.id)
    if known is not None:
        return _repetition(known, new)
    rows = _ACCOUNTS.rows(conn, {"debit_id": new.debit_id, "credit_id": new.credit_id})
    _check_accounts({row.id: row for row in rows}, new)
    raise LostRace(new.id)  # the account got its funds between the two statements


def _record(conn: Connection, new: Transfer, unit: str) -> bool:
    row = {
        "id": new.id,
        "kind": new.kind,
        "unit": unit,
        "debit_id": new.debit_id,
        "credit_id": new.credit_id,
        "amount": new.amount,
        "resolves_id": new.resolves_id,
        "posted_at": new.posted_at,
    }
    return insert_if_new(conn, transfer, row)


def _repetition(known: Transfer, new: Transfer) -> Transfer:
    if known.same_as(new):
        return known
    raise TransferConflict(new.id)


def _check_accounts(found: dict[str, Row[Any]], new: Transfer) -> None:
    for side in (new.debit_id, new.credit_id):
        if side not in found:
            raise AccountUnknown(side)
    debited, credited = found[new.debit_id], found[new.credit_id]
    if debited.unit != credited.unit:
        raise AccountConflict(f"{new.debit_id} counts {debited.unit}, {new.credit_id} {credited.unit}")
    available = debited.credits - debited.debits - debited.held
    if debited.kind != AccountKind.SYSTEM and available < new.amount:
        raise InsufficientFunds(new.debit_id)


def _refuse_negative(amount: int) -> None:
    if amount < 0:
        raise ValueError(f"an amount is never negative: {amount}")


def _transfer(row: Row[Any]) -> Transfer:
    return Transfer(
        row.id,
        TransferKind(row.kind),
        row.debit_id,
        row.credit_id,
        row.amount,
        row.resolves_id,
        row.posted_at,
    )
