"""Proof that the book is right: everything is added up again from the transfers alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, or_, select, union_all

from accounts.tables import AccountKind, TransferKind, account, transfer

SUMS: Final = ("credits", "debits", "held")

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
    for row in conn.execute(_UNBALANCED):
        yield f"{row.unit}: credits exceed debits by {row.excess}"


def _different_from_replay(conn: Connection) -> Iterator[str]:
    for row in conn.execute(_DIFFERENT):
        stored = f"stored credits {row.credits}, debits {row.debits}, held {row.held}"
        replay = f"{row.replayed_credits}, {row.replayed_debits}, {row.replayed_held}"
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
    return select(
        sides.c.account_id,
        func.sum(sides.c.credits).label("credits"),
        func.sum(sides.c.debits).label("debits"),
        func.sum(sides.c.held).label("held"),
    ).group_by(sides.c.account_id)


def _amount_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, transfer.c.amount), else_=0)


def _different() -> Select[*tuple[Any, ...]]:
    """Accounts whose stored sums are not those of their transfers, with both."""
    replayed = _replay().subquery("replayed")
    sums = [func.coalesce(replayed.c[name], 0).label(f"replayed_{name}") for name in SUMS]
    different = or_(*(account.c[name] != func.coalesce(replayed.c[name], 0) for name in SUMS))
    accounts = select(account, *sums).outerjoin_from(account, replayed, replayed.c.account_id == account.c.id)
    return accounts.where(different).order_by(account.c.id)


# Made once: whoever proves the book after every step of many would spend longer on making them than on asking.
_ALL_ACCOUNTS: Final = select(func.count()).select_from(account)
_ALL_TRANSFERS: Final = select(func.count()).select_from(transfer)
_excess = func.sum(account.c.credits - account.c.debits)
_UNBALANCED: Final = (
    select(account.c.unit, _excess.label("excess"))
    .group_by(account.c.unit)
    .having(_excess != 0)
    .order_by(account.c.unit)
)
_DIFFERENT: Final = _different()
_OVERDRAWN: Final = (
    select(account.c.id)
    .where(account.c.kind != AccountKind.SYSTEM, account.c.credits - account.c.debits - account.c.held < 0)
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
