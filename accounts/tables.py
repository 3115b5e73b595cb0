"""The tables of the accounts: the ledger, and who pays for whom."""

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from accounts.db.types import Instant, Whole, metadata


class Unit(StrEnum):
    """What an account counts; each unit is a ledger of its own."""

    USD = "USD"  # in millionths of a dollar
    CALLS = "calls"  # in calls of a subscription


class AccountKind(StrEnum):
    """Whose account it is; only the system's own accounts may be overdrawn."""

    SYSTEM = "system"
    PREPAID = "prepaid"
    SUBSCRIPTION_PERIOD = "subscription_period"


class TransferKind(StrEnum):
    """What a transfer does: move at once, reserve, turn a reservation into a charge, give it back."""

    PAYMENT = "payment"
    HOLD = "hold"
    SETTLEMENT = "settlement"
    RELEASE = "release"


def one_of(column: str, values: type[StrEnum]) -> str:
    """The condition that a column holds one of an enumeration's words."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


account: Final = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("unit", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("credits", Whole, nullable=False, server_default=text("0")),
    Column("debits", Whole, nullable=False, server_default=text("0")),
    Column("held", Whole, nullable=False, server_default=text("0")),
    Column("opened_at", Instant, nullable=False),
    CheckConstraint(one_of("unit", Unit), name="unit_known"),
    CheckConstraint(one_of("kind", AccountKind), name="kind_known"),
    CheckConstraint("credits >= 0 AND debits >= 0 AND held >= 0", name="sums_not_negative"),
    CheckConstraint("kind = 'system' OR credits - debits - held >= 0", name="not_overdrawn"),
    UniqueConstraint("id", "unit"),  # what a transfer's two sides point at, so that they have one unit
)

# Append only: triggers made by the migration refuse UPDATE and DELETE.
transfer: Final = Table(
    "transfer",
    metadata,
    Column(
        "id", Text, primary_key=True
    ),  # made by the caller, so that a repetition is known: "call/<id>/hold"
    Column("kind", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("debit_id", Text, nullable=False, index=True),
    Column("credit_id", Text, nullable=False, index=True),
    Column("amount", Whole, nullable=False),
    Column("resolves_id", Text, ForeignKey("transfer.id"), unique=True),
    Column("posted_at", Instant, nullable=False),
    ForeignKeyConstraint(["debit_id", "unit"], ["account.id", "account.unit"]),
    ForeignKeyConstraint(["credit_id", "unit"], ["account.id", "account.unit"]),
    CheckConstraint(one_of("kind", TransferKind), name="kind_known"),
    CheckConstraint("amount >= 0", name="amount_not_negative"),
    CheckConstraint("debit_id <> credit_id", name="two_accounts"),
    CheckConstraint("kind <> 'release' OR amount = 0", name="release_moves_nothing"),
    CheckConstraint(
        "(kind IN ('settlement', 'release')) = (resolves_id IS NOT NULL)", name="resolution_of_a_hold"
    ),
)

Index("ix_transfer_posted_at", transfer.c.posted_at)

# The chain over the transfers: append only like them, a moment later. `accounts.chain` says what is hashed.
ledger_link: Final = Table(
    "ledger_link",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("transfer_id", Text, ForeignKey("transfer.id"), nullable=False, unique=True),
    Column("hash", Text, nullable=False),
    CheckConstraint("position > 0", name="position_positive"),
)

# The numbers for which a called party's prepaid account pays.
prepaid_number: Final = Table(
    "prepaid_number",
    metadata,
    Column("account_id", Text, ForeignKey("account.id"), primary_key=True),
    Column("number", Text, primary_key=True),  # E.164 with "+"
    Column("added_at", Instant, nullable=False),
    Column("removed_at", Instant),
)
Index(
    "uq_prepaid_number_live",
    prepaid_number.c.number,
    unique=True,
    sqlite_where=prepaid_number.c.removed_at.is_(None),
    postgresql_where=prepaid_number.c.removed_at.is_(None),
)

# N calls in each period, to one number from one facility, inside one state.
subscription: Final = Table(
    "subscription",
    metadata,
    Column("id", Text, primary_key=True),
    Column("facility_id", Text, nullable=False),
    Column("number", Text, nullable=False),  # E.164 with "+"
    Column("state", Text, nullable=False),  # the facility's, in ISO 3166-2
    Column("calls_each_period", Integer, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    CheckConstraint("calls_each_period > 0", name="calls_positive"),
)
Index(
    "uq_subscription_live",
    subscription.c.number,
    subscription.c.facility_id,
    unique=True,
    sqlite_where=subscription.c.closed_at.is_(None),
    postgresql_where=subscription.c.closed_at.is_(None),
)

# Each period is an account that counts calls. Dates are local to the facility, both included.
subscription_period: Final = Table(
    "subscription_period",
    metadata,
    Column("account_id", Text, ForeignKey("account.id"), primary_key=True),
    Column("subscription_id", Text, ForeignKey("subscription.id"), nullable=False),
    Column("first_date", Date, nullable=False),
    Column("last_date", Date, nullable=False),
    UniqueConstraint("subscription_id", "first_date"),
    CheckConstraint("first_date <= last_date", name="dates_in_order"),
)
