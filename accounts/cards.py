"""Calling cards: batches of PINs with a value. A PIN is known when its batch is made, and never again.

What is kept is its keyed hash; whoever holds the key makes it.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, bindparam, or_, select

from accounts import ledger, payers
from accounts.db import Prepared, insert_if_new
from accounts.tables import AccountKind, Unit, calling_card, card_batch
from rating.money import Money

PIN_DIGITS: Final = 12
#: A card's PIN as it is kept, from its digits.
Hashed = Callable[[str], bytes]

_FIND: Final = Prepared(
    select(calling_card.c.account_id)
    .join(card_batch, card_batch.c.id == calling_card.c.batch_id)
    .where(
        calling_card.c.pin_hash == bindparam("pin_hash", type_=calling_card.c.pin_hash.type),
        calling_card.c.cancelled_at.is_(None),
        card_batch.c.facility_id == bindparam("facility_id"),
        or_(
            card_batch.c.expires_on.is_(None),
            card_batch.c.expires_on >= bindparam("on", type_=card_batch.c.expires_on.type),
        ),
    )
)


class CardBatchExists(Exception):  # noqa: N818 - the name says what happened
    """There is a batch of this id; its PINs can't be told again."""


@dataclass(frozen=True, slots=True)
class Card:
    """A new card, the only time that its PIN is known."""

    account_id: str
    pin: str


def find_card(conn: Connection, *, facility_id: str, pin_hash: bytes, on: date) -> str | None:
    """The account of the card with this PIN on the facility's local date. 1 statement.

    None for an unknown PIN, another facility's card, one that was cancelled, and one that has expired by law.
    """
    found: str | None = _FIND.value(conn, {"facility_id": facility_id, "pin_hash": pin_hash, "on": on})
    return found


def make_batch(
    conn: Connection,
    *,
    batch_id: str,
    facility_id: str,
    cards: int,
    value: Money,
    hashed: Hashed,
    key_id: str,
    at: datetime,
    expires_on: date | None = None,
    expiry_law: str | None = None,
) -> Sequence[Card]:
    """Make so many cards of a value, paid in with the batch, and tell their PINs, once.

    `hashed` keeps a PIN with the key of `key_id`. Cards expire only where `expiry_law` has them do so. Raises
    CardBatchExists, having changed nothing; ValueError for a batch of nothing or an expiry without its law.
    """
    if cards < 1 or value < 1 or (expires_on is None) != (expiry_law is None):
        raise ValueError("expected cards of some value, and an expiry only with the law that says so")
    row = {
        "id": batch_id,
        "facility_id": facility_id,
        "cards": cards,
        "value": value,
        "expires_on": expires_on,
        "expiry_law": expiry_law,
        "made_at": at,
    }
    if not insert_if_new(conn, card_batch, row):
        raise CardBatchExists(batch_id)
    made = []
    for serial in range(1, cards + 1):
        account_id = f"card/{batch_id}/{serial:0{len(str(cards))}d}"
        ledger.open_account(conn, account_id=account_id, unit=Unit.USD, kind=AccountKind.CARD, at=at)
        kept = {"account_id": account_id, "batch_id": batch_id, "key_id": key_id}
        pin = next(
            pin for pin in _pins() if insert_if_new(conn, calling_card, {**kept, "pin_hash": hashed(pin)})
        )
        payers.deposit(conn, transfer_id=f"{account_id}/value", account_id=account_id, amount=value, at=at)
        made.append(Card(account_id, pin))
    return made


def _pins() -> Iterator[str]:
    """PINs by chance; where one is another card's already, the next."""
    while True:
        yield f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"
