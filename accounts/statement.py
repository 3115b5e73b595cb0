"""An account's book as a bank would print it: each movement with the balance after it, and what is reserved."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import dropwhile
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from accounts.ledger import AccountUnknown
from accounts.tables import TransferKind, account, transfer

_ROWS_AT_ONCE = 10_000
_resolution = transfer.alias("resolution")


@dataclass(frozen=True, slots=True)
class Line:
    """One movement, in the account's own unit. A hold that is still open is `reserved` and moves nothing."""

    at: datetime
    transfer_id: str
    other_id: str  # the account on the other side
    amount: int  # what comes in is positive, what goes out negative
    balance: int  # after it
    reserved: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What is printed above the lines."""

    id: str
    unit: str
    kind: str
    opened_at: datetime
    balance: int
    held: int

    @property
    def available(self) -> int:
        """What may be spent or held now."""
        return self.balance - self.held


def account_of(conn: Connection, account_id: str) -> Account:
    """The account as it stands; raises AccountUnknown."""
    row = conn.execute(select(account).where(account.c.id == account_id)).one_or_none()
    if row is None:
        raise AccountUnknown(account_id)
    return Account(row.id, row.unit, row.kind, row.opened_at, row.credits - row.debits, row.held)


def accounts_like(conn: Connection, part: str, most: int = 20) -> list[str]:
    """The ids that hold these words, so many at most."""
    holding = select(account.c.id).where(account.c.id.contains(part, autoescape=True))
    return list(conn.scalars(holding.order_by(account.c.id).limit(most)))


def lines(conn: Connection, account_id: str) -> Iterator[Line]:
    """Every movement of an account in its order, with the balance after it; then what is reserved now."""
    balance = 0
    for row in conn.execute(_moved(account_id)):
        amount = row.amount if row.credit_id == account_id else -row.amount
        balance += amount
        yield Line(row.posted_at, row.id, _other(row, account_id), amount, balance)
    for row in conn.execute(_reserved(account_id)):
        yield Line(row.posted_at, row.id, _other(row, account_id), -row.amount, balance, reserved=True)


def lowest_since(conn: Connection, account_id: str, transfer_id: str) -> int:
    """The lowest balance of the account from this movement on, 0 where it has no such one.

    What the movement brought is surely still there only if that is no less than its amount.
    """
    since = dropwhile(lambda line: line.transfer_id != transfer_id, lines(conn, account_id))
    return min((line.balance for line in since), default=0)


def _other(row: Row[Any], account_id: str) -> str:
    other: str = row.debit_id if row.credit_id == account_id else row.credit_id
    return other


def _moved(account_id: str) -> Any:
    mine = or_(transfer.c.debit_id == account_id, transfer.c.credit_id == account_id)
    moves = transfer.c.kind.in_([TransferKind.PAYMENT, TransferKind.SETTLEMENT])
    ordered = select(transfer).where(mine, moves).order_by(transfer.c.posted_at, transfer.c.id)
    return ordered.execution_options(yield_per=_ROWS_AT_ONCE)


def _reserved(account_id: str) -> Any:
    return (
        select(transfer)
        .outerjoin(_resolution, _resolution.c.resolves_id == transfer.c.id)
        .where(
            transfer.c.debit_id == account_id,
            transfer.c.kind == TransferKind.HOLD,
            _resolution.c.id.is_(None),
        )
        .order_by(transfer.c.posted_at, transfer.c.id)
    )
