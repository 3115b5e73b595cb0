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
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from accounts.db.types import Instant, Micros, Whole, metadata


class Unit(StrEnum):
    """What an account counts; each unit is a ledger of its own."""

    USD = "USD"  # in millionths of a dollar
    CALLS = "calls"  # in calls of a subscription


class AccountKind(StrEnum):
    """Whose account it is; only the system's own accounts may be overdrawn."""

    SYSTEM = "system"
    PREPAID = "prepaid"
    DEBIT = "debit"  # an inmate's own
    CARD = "card"  # a calling card
    BILLED = "billed"  # what may be owed: credited with its limit, less what was charged and is not paid
    PAID_CALL = "paid_call"  # one call, paid before it is made
    SUBSCRIPTION_PERIOD = "subscription_period"
    COURTESY = "courtesy"  # the one call that a number gets from the facility's provider


class TransferKind(StrEnum):
    """What a transfer does: move at once, reserve, turn a reservation into a charge, give it back."""

    PAYMENT = "payment"
    HOLD = "hold"
    SETTLEMENT = "settlement"
    RELEASE = "release"


class Renewal(StrEnum):
    """Whether the next period of a subscription is bought without being asked for."""

    AUTO = "auto"
    MANUAL = "manual"


class BilledKind(StrEnum):
    """How an account that pays later came to be."""

    COLLECT = "collect"  # by accepting a call
    DIRECT_BILL = "direct_bill"  # by agreement


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
    # what was agreed; none of it where a facility's file gives the calls
    Column("plan_id", Text),
    Column("price", Micros),  # of a period, taxes included
    Column("account_id", Text, ForeignKey("account.id")),  # the prepaid account of whoever pays for it
    Column("renewal", Text, nullable=False, server_default=text("'manual'")),
    Column("time_zone", Text),  # the facility's: its days are those of its periods
    Column("anchor_day", Integer),  # the day of the month on which its periods begin, or the month's last
    Column(
        "agreed_at", Instant
    ),  # when the plan's terms and what it takes to break even were told and agreed to
    Column("next_plan_id", Text),  # from the next period on, with its price and calls
    Column("next_price", Micros),
    Column("next_calls", Integer),
    Column("next_renewal", Text),
    Column("cancelled_at", Instant),  # it goes on to its period's end
    Column("close_reason", Text),
    CheckConstraint("calls_each_period > 0", name="calls_positive"),
    CheckConstraint(one_of("renewal", Renewal), name="renewal_known"),
    CheckConstraint(one_of("next_renewal", Renewal), name="next_renewal_known"),
    CheckConstraint("price IS NULL OR price >= 0", name="price_not_negative"),
    CheckConstraint("next_price IS NULL OR next_price >= 0", name="next_price_not_negative"),
    CheckConstraint("next_calls IS NULL OR next_calls > 0", name="next_calls_positive"),
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
    Column("price", Micros),  # what was paid for it
    UniqueConstraint("subscription_id", "first_date"),
    CheckConstraint("first_date <= last_date", name="dates_in_order"),
)

# Whose an account is, how they are reached, and when they were last heard of. Card numbers are never kept: the card
# processor's own names of a customer and a card are.
account_holder: Final = Table(
    "account_holder",
    metadata,
    Column("account_id", Text, ForeignKey("account.id"), primary_key=True),
    Column("name", Text),
    Column("language", Text, nullable=False, server_default=text("'en'")),
    Column("mobile", Text, index=True),  # E.164 with "+"; SMS go there
    Column("email", Text),
    Column("state", Text),  # where the holder lives, in ISO 3166-2; its law holds for unclaimed property
    Column("low_balance", Micros),  # a notice when less is available; none: no notice
    Column("reload_below", Micros),  # none: no reload by itself
    Column("reload_amount", Micros),
    Column("customer_id", Text, unique=True),  # the processor's
    Column("card_id", Text),  # the processor's
    Column("card_label", Text),  # such as "Visa 4242"
    Column("card_expires_on", Date),  # the last day of its month
    Column("touched_at", Instant, nullable=False, index=True),  # the last activity (47 CFR 64.6130)
    Column(
        "idle_notice", Integer, nullable=False, server_default=text("0")
    ),  # days that the last notice told
    Column("closed_at", Instant),
    CheckConstraint("language IN ('en', 'es')", name="language_known"),
    CheckConstraint("low_balance IS NULL OR low_balance >= 0", name="low_balance_not_negative"),
    CheckConstraint("(reload_below IS NULL) = (reload_amount IS NULL)", name="reload_whole"),
    CheckConstraint("reload_amount IS NULL OR reload_amount > 0", name="reload_positive"),
)

# The debit account of an inmate, by the key of their row.
inmate_account: Final = Table(
    "inmate_account",
    metadata,
    Column("inmate", Integer, primary_key=True, autoincrement=False),
    Column("account_id", Text, ForeignKey("account.id"), nullable=False, unique=True),
)

card_batch: Final = Table(
    "card_batch",
    metadata,
    Column("id", Text, primary_key=True),
    Column("facility_id", Text, nullable=False),
    Column("cards", Integer, nullable=False),
    Column("value", Micros, nullable=False),  # of each card
    Column("expires_on", Date),  # included; only where a law has cards expire
    Column("expiry_law", Text),
    Column("made_at", Instant, nullable=False),
    CheckConstraint("cards > 0 AND value > 0", name="worth_something"),
    CheckConstraint("(expires_on IS NULL) = (expiry_law IS NULL)", name="expires_by_law"),
)

# A card's PIN is kept as a keyed hash, as an inmate's is.
calling_card: Final = Table(
    "calling_card",
    metadata,
    Column("account_id", Text, ForeignKey("account.id"), primary_key=True),
    Column("batch_id", Text, ForeignKey("card_batch.id"), nullable=False, index=True),
    Column("pin_hash", LargeBinary, nullable=False, unique=True),
    Column("key_id", Text, nullable=False),
    Column("cancelled_at", Instant),
)

# An account that pays later, within a limit: credited with the limit, so that what is available never passes it.
billed_account: Final = Table(
    "billed_account",
    metadata,
    Column("account_id", Text, ForeignKey("account.id"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("facility_id", Text, nullable=False),
    Column("credit_limit", Micros, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("stopped_at", Instant),  # it pays for nothing more; what is owed stays owed
    CheckConstraint(one_of("kind", BilledKind), name="kind_known"),
    CheckConstraint("credit_limit >= 0", name="credit_limit_not_negative"),
)

# The numbers for which a billed account pays at its facility.
billed_number: Final = Table(
    "billed_number",
    metadata,
    Column("account_id", Text, ForeignKey("billed_account.account_id"), primary_key=True),
    Column("number", Text, primary_key=True),  # E.164 with "+"
    Column("facility_id", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("removed_at", Instant),
)
Index(
    "uq_billed_number_live",
    billed_number.c.number,
    billed_number.c.facility_id,
    unique=True,
    sqlite_where=billed_number.c.removed_at.is_(None),
    postgresql_where=billed_number.c.removed_at.is_(None),
)

# One call to one number from one facility, paid for before it is made.
paid_call: Final = Table(
    "paid_call",
    metadata,
    Column("account_id", Text, ForeignKey("account.id"), primary_key=True),
    Column("facility_id", Text, nullable=False),
    Column("number", Text, nullable=False),  # E.164 with "+"
    Column("payment_id", Text, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),  # what is unused then is given back
    Column("ended_at", Instant),  # used, or given back
)
Index(
    "uq_paid_call_live",
    paid_call.c.number,
    paid_call.c.facility_id,
    unique=True,
    sqlite_where=paid_call.c.ended_at.is_(None),
    postgresql_where=paid_call.c.ended_at.is_(None),
)
