"""Calling cards in batches: made with PINs that are told once, listed with their balances, cancelled."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from sqlalchemy import Connection, Row, func, select, update

from accounts import cards
from accounts.tables import AccountKind, account, account_holder, calling_card, card_batch
from ivr.facility.fields import Day
from ivr.staff.accounts.asked import Amount, Reference, dollars, found
from ivr.staff.accounts.money import give_back
from ivr.staff.desk import Asked, Desk, Label, StaffError, ToldOnce
from rating.money import Money, format_money

_BATCH_ID = re.compile("[a-z0-9][a-z0-9-]{0,39}")
_available = account.c.credits - account.c.debits - account.c.held


def _batch_id(value: str) -> str:
    if _BATCH_ID.fullmatch(value) is None:
        raise ValueError("expected 1 to 40 small letters, digits and hyphens, no hyphen first")
    return value


class Batch(Asked):
    """Cards are to be made, each worth so much."""

    batch_id: Annotated[str, AfterValidator(_batch_id)]
    count: Annotated[int, Field(ge=1, le=10_000)]
    value: Amount
    expires_on: Day | None = None
    law: Label | None = Field(default=None, validate_default=True)

    @property
    def about(self) -> str:
        """The batch."""
        return f"card batch {self.batch_id}"

    @field_validator("law")
    @classmethod
    def _expires_by_law(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "expires_on" in info.data and (info.data["expires_on"] is None) != (value is None):
            raise ValueError("a card expires only by a law, so expected with expires_on, and only with it")
        return value


class Cancel(Asked):
    """A card, or all of a batch, is to pay for nothing more; what is left is given back to who bought it."""

    batch_id: str
    serial: Annotated[int, Field(ge=1)] | None = None
    reference: Reference

    @property
    def about(self) -> str:
        """The card or the batch."""
        return f"card batch {self.batch_id}" if self.serial is None else f"card {self.batch_id}/{self.serial}"


def batch(desk: Desk, asked: Batch) -> ToldOnce:
    """New cards; their PINs, a line each with the card's id, are told this once."""
    own = desk.facility_id(asked)
    if asked.expires_on is not None and asked.expires_on <= desk.at.date():
        raise StaffError("expires_on: expected a day to come")
    try:
        made = cards.make_batch(
            desk.conn,
            batch_id=asked.batch_id,
            facility_id=own,
            cards=asked.count,
            value=asked.value,
            hashed=lambda pin: desk.pin_key.card_hash(own, pin),
            key_id=desk.pin_key.id,
            at=desk.at,
            expires_on=asked.expires_on,
            expiry_law=asked.law,
        )
    except cards.CardBatchExists:
        raise StaffError(f"there is a batch {asked.batch_id} already") from None
    lines = [f"{each.account_id},{each.pin}" for each in made]
    told = f"batch {asked.batch_id}: {asked.count} cards of {dollars(asked.value)} made"
    return ToldOnce(told, "\n".join(["card,pin", *lines, ""]))


def cancel(desk: Desk, asked: Cancel) -> str:
    """Cancel cards; raises StaffError where there is none, or one is used in a call just now."""
    wanted = select(calling_card.c.account_id, calling_card.c.cancelled_at).where(
        calling_card.c.batch_id == asked.batch_id
    )
    rows = desk.conn.execute(wanted.order_by(calling_card.c.account_id)).all()
    chosen = [row for row in rows if asked.serial in (None, int(row.account_id.rpartition("/")[2]))]
    if not chosen:
        raise StaffError(f"there is no {asked.about}")
    left = sum((_cancel(desk, row, asked.reference) for row in chosen if row.cancelled_at is None), start=0)
    count = sum(row.cancelled_at is None for row in chosen)
    return f"{asked.about}: {count} cards cancelled, given back: {dollars(left)}"


def _cancel(desk: Desk, row: Row[*tuple[Any, ...]], reference: str) -> Money:
    there = found(desk, row.account_id, AccountKind.CARD)
    if there.held:
        raise StaffError(f"{row.account_id} pays for a call in progress; cancel it afterwards")
    desk.conn.execute(
        update(calling_card).where(calling_card.c.account_id == row.account_id).values(cancelled_at=desk.at)
    )
    serial = row.account_id.rpartition("/")[2]
    if not there.available:
        return Money(0)
    return give_back(desk, row.account_id, Money(there.available), f"{reference}.{serial}")[0]


def batches_shown(conn: Connection, facility_id: str | None) -> list[dict[str, object]]:
    """Each batch with how many of its cards have something left, and how much."""
    live = (calling_card.c.cancelled_at.is_(None)) & (_available > 0)
    rows = (
        select(
            card_batch,
            func.count(calling_card.c.account_id).filter(live).label("left"),
            func.coalesce(func.sum(_available).filter(live), 0).label("worth"),
        )
        .outerjoin(calling_card, calling_card.c.batch_id == card_batch.c.id)
        .outerjoin(account, account.c.id == calling_card.c.account_id)
        .group_by(*card_batch.c)
        .order_by(card_batch.c.made_at, card_batch.c.id)
    )
    if facility_id is not None:
        rows = rows.where(card_batch.c.facility_id == facility_id)
    return [
        {
            "batch": row.id,
            "facility": row.facility_id,
            "made": f"{row.made_at:%Y-%m-%d}",
            "cards": row.cards,
            "value": format_money(row.value),
            "left": row.left,
            "worth": format_money(Money(int(row.worth))),
            "expires": str(row.expires_on or ""),
        }
        for row in conn.execute(rows)
    ]


def cards_shown(conn: Connection, batch_id: str) -> list[dict[str, object]]:
    """The cards of a batch with what is left on each; raises StaffError where there is no such batch."""
    rows = conn.execute(
        select(calling_card.c.account_id, calling_card.c.cancelled_at, _available.label("available"))
        .join(account, account.c.id == calling_card.c.account_id)
        .where(calling_card.c.batch_id == batch_id)
        .order_by(calling_card.c.account_id)
    ).all()
    if not rows:
        raise StaffError(f"there is no card batch {batch_id}")
    return [
        {
            "card": row.account_id,
            "available": format_money(Money(row.available)),
            "state": "cancelled"
            if row.cancelled_at is not None
            else "usable"
            if row.available
            else "used up",
        }
        for row in rows
    ]


def card_on_file(conn: Connection, account_id: str) -> dict[str, object] | None:
    """The card that the holder's payments are charged to, by its label and expiry; None where there is none."""
    known = select(account_holder.c.card_label, account_holder.c.card_expires_on)
    row = conn.execute(known.where(account_holder.c.account_id == account_id)).one_or_none()
    if row is None or row.card_label is None:
        return None
    return {"account": account_id, "card": row.card_label, "expires": f"{row.card_expires_on:%Y-%m}"}
