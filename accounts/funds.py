"""The accounts that may pay for a call to a number, beside its subscription: each found in its own way, by index.

Only the ways that a facility offers are looked at, so that a call from one that offers few costs no more than it must.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Row, and_, bindparam

from accounts.tables import (
    account,
    billed_account,
    billed_number,
    inmate_account,
    paid_call,
    prepaid_number,
)
from rating.money import Money


@dataclass(frozen=True, slots=True)
class Funds:
    """An account, and what it has available: micros of money, or calls."""

    account_id: str
    available: Money


_Joined = tuple[FromClause, ColumnElement[bool]]
_collect = billed_account.alias("collect")
_number: Final[Any] = bindparam("number")
_here: Final[Any] = bindparam("facility_id")
#: What leads to the account of each payer: tables to join on the way, and where they name its id. The parameters,
#: beside `number` (E.164) and `facility_id`: `inmate_key`, `card_id`, `collect_id`, `courtesy_id`, `at`.
_WAYS: Final[Mapping[str, tuple[Sequence[_Joined], ColumnElement[str]]]] = {
    "debit": (
        [(inmate_account, inmate_account.c.inmate == bindparam("inmate_key"))],
        inmate_account.c.account_id,
    ),
    "card": ([], bindparam("card_id")),
    "prepaid": (
        [
            (
                prepaid_number,
                and_(prepaid_number.c.number == _number, prepaid_number.c.removed_at.is_(None)),
            )
        ],
        prepaid_number.c.account_id,
    ),
    "paid_call": (
        [
            (
                paid_call,
                and_(
                    paid_call.c.number == _number,
                    paid_call.c.facility_id == _here,
                    paid_call.c.ended_at.is_(None),
                    paid_call.c.expires_at > bindparam("at", type_=paid_call.c.expires_at.type),
                ),
            )
        ],
        paid_call.c.account_id,
    ),
    "direct_bill": (
        [
            (
                billed_number,
                and_(
                    billed_number.c.number == _number,
                    billed_number.c.facility_id == _here,
                    billed_number.c.removed_at.is_(None),
                ),
            ),
            (
                billed_account,
                and_(
                    billed_account.c.account_id == billed_number.c.account_id,
                    billed_account.c.stopped_at.is_(None),
                ),
            ),
        ],
        billed_account.c.account_id,
    ),
    "collect": ([(_collect, _collect.c.account_id == bindparam("collect_id"))], _collect.c.account_id),
    "courtesy": ([], bindparam("courtesy_id")),
}
_ACCOUNTS: Final = {payer: account.alias(f"{payer}_account") for payer in _WAYS}


def columns(offered: Collection[str]) -> Sequence[Any]:
    """The columns of `funds_of`, found in what `joined` makes."""
    found: list[Any] = []
    for payer in _offered(offered):
        its = _ACCOUNTS[payer].c
        found += [
            its.id.label(f"{payer}_id"),
            (its.credits - its.debits - its.held).label(f"{payer}_available"),
        ]
    if "collect" in offered:
        found.append(_collect.c.stopped_at.label("collect_stopped_at"))
    return found


def joined(to: FromClause, offered: Collection[str]) -> FromClause:
    """Beside a row, the accounts of those payers that are offered."""
    for payer in _offered(offered):
        tables, account_id = _WAYS[payer]
        for table, condition in tables:
            to = to.outerjoin(table, condition)
        to = to.outerjoin(_ACCOUNTS[payer], _ACCOUNTS[payer].c.id == account_id)
    return to


def funds_of(row: Row[Any], offered: Collection[str]) -> Mapping[str, Funds]:
    """What the columns of a row say: every account that there is, by its payer; a stopped one is not."""
    found = row._mapping
    funds = {
        payer: Funds(found[f"{payer}_id"], Money(found[f"{payer}_available"]))
        for payer in _offered(offered)
        if found[f"{payer}_id"] is not None
    }
    if is_stopped(row, offered):
        del funds["collect"]
    return funds


def is_stopped(row: Row[Any], offered: Collection[str]) -> bool:
    """Whether the number's account of collect calls pays for nothing more."""
    return "collect" in offered and row.collect_stopped_at is not None


def _offered(offered: Collection[str]) -> Sequence[str]:
    return [payer for payer in _WAYS if payer in offered]
