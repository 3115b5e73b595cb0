"""An inmate's own money for calls: it comes from the facility's trust or commissary, or as a deposit, and goes back.

What a facility hands over and takes back is booked against an account of the facility, such as `system/trust/<id>`: its
balance is what passed between the two books.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, select

from accounts import ledger
from accounts.db import insert_if_new
from accounts.tables import AccountKind, Unit, inmate_account, transfer
from rating.money import Money

_AT_ONCE: Final = 500


class Source(StrEnum):
    """Where a facility keeps inmates' money."""

    TRUST = "trust"
    COMMISSARY = "commissary"


@dataclass(frozen=True, slots=True)
class Incoming:
    """Money that a facility hands over for one inmate; by its reference it is booked once."""

    reference: str
    inmate: int  # the key of their row
    account_id: str
    amount: Money
    source: Source


def account_id_of(facility_id: str, inmate_id: str) -> str:
    """The debit account of an inmate, by the ID that they key."""
    return f"debit/{facility_id}/{inmate_id}"


def source_account(facility_id: str, source: Source) -> str:
    """The account of what a facility has handed over from there, less what it got back."""
    return f"system/{source}/{facility_id}"


def transfer_id(facility_id: str, reference: str) -> str:
    """The entry of money handed over."""
    return f"transfer/{facility_id}/{reference}"


def open_debit(conn: Connection, *, account_id: str, inmate: int, at: datetime) -> None:
    """Open an inmate's debit account; harmless when repeated."""
    ledger.open_account(conn, account_id=account_id, unit=Unit.USD, kind=AccountKind.DEBIT, at=at)
    insert_if_new(conn, inmate_account, {"inmate": inmate, "account_id": account_id})


def open_source(conn: Connection, facility_id: str, source: Source, at: datetime) -> str:
    """Open a facility's own account, and name it; harmless when repeated."""
    own = source_account(facility_id, source)
    ledger.open_account(conn, account_id=own, unit=Unit.USD, kind=AccountKind.SYSTEM, at=at)
    return own


def known_entries(conn: Connection, ids: Sequence[str]) -> Mapping[str, ledger.Transfer]:
    """Those of these entries that were booked before."""
    found: dict[str, ledger.Transfer] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = select(transfer.c.id).where(transfer.c.id.in_(ids[start : start + _AT_ONCE]))
        for entry in conn.scalars(some):
            known = ledger.find_transfer(conn, entry)
            assert known is not None
            found[entry] = known
    return found


def is_same(known: ledger.Transfer, facility_id: str, wanted: Incoming) -> bool:
    """Whether an entry with this reference says the same."""
    sides = (known.debit_id, known.credit_id, known.amount)
    return sides == (source_account(facility_id, wanted.source), wanted.account_id, wanted.amount)


def receive(conn: Connection, facility_id: str, incoming: Iterable[Incoming], at: datetime) -> None:
    """Credit each amount to its inmate; TransferConflict where a reference was something else."""
    sources: dict[Source, str] = {}
    opened: set[str] = set()
    for each in incoming:
        if each.source not in sources:
            sources[each.source] = open_source(conn, facility_id, each.source, at)
        if each.account_id not in opened:
            open_debit(conn, account_id=each.account_id, inmate=each.inmate, at=at)
            opened.add(each.account_id)
        ledger.post(
            conn,
            transfer_id=transfer_id(facility_id, each.reference),
            debit_id=sources[each.source],
            credit_id=each.account_id,
            amount=each.amount,
            at=at,
        )
