"""An inmate's own money for calls: it comes from the facility's trust or commissary, or as a deposit, and goes back.

What a facility hands over and takes back is booked against an account of the facility, such as `system/trust/<id>`: its
balance is what passed between the two books.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from accounts import ledger
from accounts.crediting import credit_many
from accounts.db import insert_if_new, insert_those_new
from accounts.tables import AccountKind, Unit, account, inmate_account
from rating.money import Money


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


def is_same(known: ledger.Transfer, facility_id: str, wanted: Incoming) -> bool:
    """Whether an entry with this reference says the same."""
    sides = (known.debit_id, known.credit_id, known.amount)
    return sides == (source_account(facility_id, wanted.source), wanted.account_id, wanted.amount)


def receive(conn: Connection, facility_id: str, incoming: Sequence[Incoming], at: datetime) -> None:
    """Credit each amount to its inmate, whose account is opened where there is none; no reference may be known."""
    people = {each.account_id: each.inmate for each in incoming}
    kind = {"unit": Unit.USD, "kind": AccountKind.DEBIT, "opened_at": at}
    insert_those_new(conn, account, [{"id": each, **kind} for each in sorted(people)])
    owners = [{"inmate": people[each], "account_id": each} for each in sorted(people)]
    insert_those_new(conn, inmate_account, owners)
    for source in sorted({each.source for each in incoming}):
        credit_many(
            conn,
            debit_id=open_source(conn, facility_id, source, at),
            given=[
                (transfer_id(facility_id, each.reference), each.account_id, each.amount)
                for each in incoming
                if each.source is source
            ],
            at=at,
        )
