"""Dumps a whole facility file: what `ivr.loading` would load without changing anything."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, select

from accounts.tables import AccountKind, account, account_holder, prepaid_number, subscription, transfer
from ivr.facility.dump import dump_facility
from ivr.facility.toml import to_toml
from rating.money import Money, format_money


class DumpError(Exception):
    """The facility can't be dumped; the message says why."""


@dataclass(frozen=True, slots=True)
class DumpedFile:
    """The text of a facility's file, and those of the files beside it, by their names."""

    text: str
    beside: Mapping[str, str]


def dump(conn: Connection, facility_id: str) -> DumpedFile:
    """The facility as a file; loading it changes nothing. Raises DumpError for a facility that there is not.

    No PIN stands in it: a load keeps those of inmates that there are. Balances and periods belong to the ledger; an
    account is given with what it was opened with.
    """
    try:
        settings = dump_facility(conn, facility_id)
    except LookupError:
        raise DumpError(f"there is no facility {facility_id}") from None
    paying = {
        "prepaid": list(_prepaid(conn, f"prepaid/{facility_id}/")),
        "subscription": list(_subscriptions(conn, facility_id)),
    }
    content = {**settings.content, **{name: rows for name, rows in paying.items() if rows}}
    text = "\n".join([*_heading(facility_id, settings.left_out), "", to_toml(content)])
    return DumpedFile(text, settings.beside)


def _heading(facility_id: str, left_out: Iterable[str]) -> Iterator[str]:
    yield f"# {facility_id} as it stands in the database. PINs can't be read back: a load keeps those there are."
    for what in left_out:
        yield f"# Not in this file, and untouched by loading it: {what}."


def _prepaid(conn: Connection, begins: str) -> Iterator[dict[str, Any]]:
    """The accounts that files have opened and nobody has closed, with the numbers that they pay for."""
    opened = and_(transfer.c.credit_id == account.c.id, transfer.c.id == account.c.id + "/opening")
    accounts = (
        select(account.c.id, transfer.c.amount)
        .join(transfer, opened)
        .outerjoin(account_holder, account_holder.c.account_id == account.c.id)
        .where(
            account.c.kind == AccountKind.PREPAID,
            account.c.id.startswith(begins, autoescape=True),
            account_holder.c.closed_at.is_(None),
        )
    )
    numbers: dict[str, list[str]] = {}
    paid_for = select(prepaid_number.c.account_id, prepaid_number.c.number).where(
        prepaid_number.c.removed_at.is_(None),
        prepaid_number.c.account_id.startswith(begins, autoescape=True),
    )
    for account_id, number in conn.execute(paid_for.order_by(prepaid_number.c.number)):
        numbers.setdefault(account_id, []).append(number)
    for account_id, amount in conn.execute(accounts.order_by(account.c.id)):
        yield {
            "account": account_id.removeprefix(begins),
            "numbers": numbers.get(account_id, []),
            "opening_balance": format_money(Money(amount)),
        }


def _subscriptions(conn: Connection, facility_id: str) -> Iterator[dict[str, Any]]:
    """Those that files have opened; their periods are the ledger's."""
    live = select(subscription).where(
        subscription.c.facility_id == facility_id, subscription.c.closed_at.is_(None)
    )
    for row in conn.execute(live.order_by(subscription.c.number)):
        if row.id == f"subscription/{facility_id}/{row.number}":
            yield {"number": row.number, "calls": row.calls_each_period}
