"""Many credits at once out of an account of the system itself: what `ledger.post` does, in a few statements for all."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from accounts.ledger import AccountConflict, AccountUnknown, Transfer
from accounts.tables import AccountKind, TransferKind, Unit, account, transfer

_AT_ONCE: Final = 500
_CREDIT: Final = (
    update(account)
    .where(account.c.id == bindparam("account_id"))
    .values(credits=account.c.credits + bindparam("amount"))
)


def credit_many(
    conn: Connection, *, debit_id: str, given: Sequence[tuple[str, str, int]], at: datetime
) -> None:
    """Move money from an account of the system to others: each an id that was never used, the account, the amount.

    Raises AccountUnknown, or AccountConflict for accounts that do not count money and a debited one that is a person's,
    having changed nothing; IntegrityError for an id that was used before.
    """
    totals: Counter[str] = Counter()
    for _, account_id, amount in given:
        totals[account_id] += amount
    _check(conn, debit_id, sorted({debit_id, *totals}))
    rows = [
        {
            "id": entry,
            "kind": TransferKind.PAYMENT,
            "unit": Unit.USD,
            "debit_id": debit_id,
            "credit_id": account_id,
            "amount": amount,
            "resolves_id": None,
            "posted_at": at,
        }
        for entry, account_id, amount in given
    ]
    if not rows:
        return
    conn.execute(insert(transfer), rows)
    conn.execute(_CREDIT, [{"account_id": each, "amount": amount} for each, amount in sorted(totals.items())])
    debited = update(account).where(account.c.id == debit_id)
    conn.execute(debited.values(debits=account.c.debits + sum(totals.values())))


def known_transfers(conn: Connection, ids: Sequence[str]) -> dict[str, Transfer]:
    """Those of the transfers that there are, by their ids."""
    found: dict[str, Transfer] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = select(transfer).where(transfer.c.id.in_(ids[start : start + _AT_ONCE]))
        for row in conn.execute(some):
            sides = (row.debit_id, row.credit_id, row.amount)
            found[row.id] = Transfer(row.id, TransferKind(row.kind), *sides, row.resolves_id, row.posted_at)
    return found


def _check(conn: Connection, debit_id: str, ids: Sequence[str]) -> None:
    """Lock the accounts in the order of their ids, as every transfer does, and refuse what does not fit."""
    found: dict[str, Any] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = select(account.c.id, account.c.unit, account.c.kind).where(
            account.c.id.in_(ids[start : start + _AT_ONCE])
        )
        locked = some.order_by(account.c.id).with_for_update(key_share=True)
        found.update({row.id: row for row in conn.execute(locked)})
    for each in ids:
        if each not in found:
            raise AccountUnknown(each)
        if found[each].unit != Unit.USD:
            raise AccountConflict(f"{each} counts {found[each].unit}")
    if found[debit_id].kind != AccountKind.SYSTEM:
        raise AccountConflict(f"{debit_id} is no account of the system")
