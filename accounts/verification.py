"""Proof that the book is right: everything is added up again from the transfers alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)

from accounts.tables import AccountKind, TransferKind, account, transfer

SUMS: Final = ("credits", "debits", "held")
_HALVES: Final = ("high", "low")

_resolution = transfer.alias("resolution")


@dataclass(frozen=True, slots=True)
class Verification:
    """How much was added up, and what was found wrong in words of people."""

    accounts: int
    transfers: int
    faults: tuple[str, ...]


def verify(conn: Connection) -> Verification:
    """Add up the whole book again: nothing is wrong if `faults` is empty.

    Each unit's credits equal its debits; each account's stored sums equal those of its transfers; nobody who
    pays is overdrawn; each settlement and release fits its hold.
    """
    accounts = conn.scalar(_ALL_ACCOUNTS) or 0
    transfers = conn.scalar(_ALL_TRANSFERS) or 0
    faults = (*_unbalanced(conn), *_different_from_replay(conn), *_overdrawn(conn), *_unfitting(conn))
    return Verification(accounts, transfers, faults)


def _unbalanced(conn: Connection) -> Iterator[str]:
    for row in conn.execute(_EXCESSES):
        if excess := _whole(row.high, row.low):
            yield f"{row.unit}: credits exceed debits by {excess}"


def _different_from_replay(conn: Connection) -> Iterator[str]:
    for row in conn.execute(_DIFFERENT):
        stored = f"stored credits {row.credits}, debits {row.debits}, held {row.held}"
        halves = ((row._mapping[f"{name}_high"], row._mapping[f"{name}_low"]) for name in SUMS)
        replay = ", ".join(str(_whole(high, low)) for high, low in halves)
        yield f"{row.id}: {stored}; its transfers say {replay}"


def _overdrawn(conn: Connection) -> Iterator[str]:
    for row in conn.execute(_OVERDRAWN):
        yield f"{row.id}: overdrawn"


def _unfitting(conn: Connection) -> Iterator[str]:
    for row in conn.execute(_UNFITTING):
        yield f"{row.id}: does not fit {row.resolves_id}"


def _replay() -> Select[tuple[str, int, int, int]]:
    """Each account's sums from the transfers on both of its sides."""
    open_hold = (transfer.c.kind == TransferKind.HOLD) & _resolution.c.id.is_(None)
    moves = transfer.c.kind.in_([TransferKind.PAYMENT, TransferKind.SETTLEMENT])
    debits = select(
        transfer.c.debit_id.label("account_id"),
        literal(0).label("credits"),
        _amount_if(moves).label("debits"),
        _amount_if(open_hold).label("held"),
    ).outerjoin_from(transfer, _resolution, _resolution.c.resolves_id == transfer.c.id)
    credits = select(  # noqa: A001 - the other side of debits
        transfer.c.credit_id, _amount_if(moves), literal(0), literal(0)
    )
    sides = union_all(debits, credits).subquery()
    sums = [each for name in SUMS for each in _summed(sides.c[name], f"{name}_")]
    return select(sides.c.account_id, *sums).group_by(sides.c.account_id)


def _amount_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, transfer.c.amount), else_=0)


def _summed(number: ColumnElement[int], name: str = "") -> list[ColumnElement[int]]:
    """The sum as those of the upper and of the lower 32 bits: neither overflows, whatever the numbers are."""
    halves = zip(_HALVES, (_high(number), _low(number)), strict=True)
    return [cast(func.sum(half), BigInteger).label(f"{name}{which}") for which, half in halves]


def _high(number: ColumnElement[int]) -> ColumnElement[int]:
    return number.op(">>")(literal_column("32"))


def _low(number: ColumnElement[int]) -> ColumnElement[int]:
    return number.op("&")(literal_column(str(2**32 - 1)))


def _whole(high: int, low: int) -> int:
    return high * 2**32 + low


def _different() -> Select[*tuple[Any, ...]]:
    """Accounts whose stored sums are not those of their transfers, with both."""
    replayed = _replay().subquery("replayed")
    sums = [func.coalesce(each, 0).label(each.name) for each in replayed.c if each.name != "account_id"]
    high, low = ({name: func.coalesce(replayed.c[f"{name}_{half}"], 0) for name in SUMS} for half in _HALVES)
    carried = {name: high[name] + _high(low[name]) for name in SUMS}
    different = or_(
        *(_high(account.c[name]) != carried[name] for name in SUMS),
        *(_low(account.c[name]) != _low(low[name]) for name in SUMS),
    )
    accounts = select(account, *sums).outerjoin_from(account, replayed, replayed.c.account_id == account.c.id)
    return accounts.where(different).order_by(account.c.id)


# Made once: whoever proves the book after every step of many would spend longer on making them than on asking.
_ALL_ACCOUNTS: Final = select(func.count()).select_from(account)
_ALL_TRANSFERS: Final = select(func.count()).select_from(transfer)
_EXCESSES: Final = (
    select(account.c.unit, *_summed(account.c.credits - account.c.debits))
    .group_by(account.c.unit)
    .order_by(account.c.unit)
)
_DIFFERENT: Final = _different()
_OVERDRAWN: Final = (
    select(account.c.id)
    .where(account.c.kind != AccountKind.SYSTEM, account.c.credits - account.c.debits < account.c.held)
    .order_by(account.c.id)
)
_UNFITTING: Final = (
    select(_resolution.c.id, _resolution.c.resolves_id)
    .join_from(_resolution, transfer, transfer.c.id == _resolution.c.resolves_id)
    .where(
        or_(
            transfer.c.kind != TransferKind.HOLD,
            _resolution.c.amount > transfer.c.amount,
            _resolution.c.debit_id != transfer.c.debit_id,
            _resolution.c.credit_id != transfer.c.credit_id,
        )
    )
    .order_by(_resolution.c.id)
)
