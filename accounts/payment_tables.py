"""The tables of what is asked of a card processor, and of what is told to people."""

from enum import StrEnum
from typing import Final

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Index, Integer, Table, Text, text

from accounts.db.types import Instant, Micros, metadata
from accounts.tables import one_of


class PaymentKind(StrEnum):
    """What a payment by card is for."""

    DEPOSIT = "deposit"  # into a prepaid account, through a page of the processor
    RELOAD = "reload"  # the same without the holder, below their threshold
    SUBSCRIPTION = "subscription"  # one period
    PAID_CALL = "paid_call"  # one call, before it is made, through a page of the processor
    AUTHORISATION = "authorisation"  # of one call's longest talk, captured for the talk
    CARD = "card"  # a card is put on file; nothing is paid
    REFUND = "refund"  # of another payment, in part or whole


class PaymentState(StrEnum):
    """How far the processor has come with it."""

    ASKED = "asked"  # written down; the processor may not know of it yet
    PENDING = "pending"  # the processor waits for the payer
    AUTHORISED = "authorised"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    VOIDED = "voided"


class NoticeState(StrEnum):
    """Where a notice is on its way."""

    WAITING = "waiting"
    SENT = "sent"  # the carrier or the mail server has taken it
    DELIVERED = "delivered"
    FAILED = "failed"  # the carrier could not deliver it
    DEAD = "dead"  # every try failed; operators see it
    OPTED_OUT = "opted_out"


# Written before the processor is asked, in the transaction of whatever wants it; the id is also the processor's
# idempotency key, so that asking again asks for nothing more.
payment: Final = Table(
    "payment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("account_id", Text, index=True),  # that it is paid into, or charged for
    Column("subscription_id", Text),
    Column("facility_id", Text),
    Column("number", Text, index=True),  # E.164 with "+", of a paid call
    Column("language", Text),  # of whoever is sent its page, where no account has a holder
    Column("call_id", Text, unique=True),
    Column("of_id", Text, ForeignKey("payment.id"), index=True),  # the payment that a refund is of
    Column("amount", Micros, nullable=False),  # whole cents
    Column("captured", Micros),  # of an authorisation
    Column("processor_id", Text, unique=True),
    Column("failure", Text),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("next_try_at", Instant),  # none: nothing is to be done now
    Column("made_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint(one_of("kind", PaymentKind), name="kind_known"),
    CheckConstraint(one_of("state", PaymentState), name="state_known"),
    CheckConstraint("amount >= 0 AND amount % 10000 = 0", name="whole_cents"),
    CheckConstraint("captured IS NULL OR (captured >= 0 AND captured <= amount)", name="captured_within"),
)
Index(
    "ix_payment_to_do",
    payment.c.next_try_at,
    sqlite_where=payment.c.next_try_at.is_not(None),
    postgresql_where=payment.c.next_try_at.is_not(None),
)

# The way to a page of the processor that waits for its payer: its own address is too long for an SMS.
payment_page: Final = Table(
    "payment_page",
    metadata,
    Column("code", Text, primary_key=True),  # by chance, at the end of our own address
    Column("payment_id", Text, ForeignKey("payment.id"), nullable=False, unique=True),
    Column("url", Text, nullable=False),  # the processor's
)

# What a payer disputes with their bank. Nobody's telephone is cut for it; one that is lost is the provider's loss.
dispute: Final = Table(
    "dispute",
    metadata,
    Column("id", Text, primary_key=True),  # the processor's
    Column("payment_id", Text, ForeignKey("payment.id"), nullable=False, index=True),
    Column("amount", Micros, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("lost", Boolean),
)

# Every event that the processor has sent and that was acted on, so that none is acted on twice.
webhook_event: Final = Table(
    "webhook_event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
)

# What is to be told to somebody, written in the transaction of what it tells of. By its key it is told once.
notice: Final = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # such as "receipt/<call>/sms"
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),  # E.164 with "+", or an e-mail address
    Column("language", Text, nullable=False),
    Column("told", Text, nullable=False),  # the variables of its text, as JSON
    Column("account_id", Text, index=True),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("next_try_at", Instant),  # none: nothing is to be done now
    Column("provider_id", Text, unique=True),
    Column("failure", Text),
    Column("made_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint("channel IN ('sms', 'email')", name="channel_known"),
    CheckConstraint("language IN ('en', 'es')", name="language_known"),
    CheckConstraint(one_of("state", NoticeState), name="state_known"),
)
Index(
    "ix_notice_to_do",
    notice.c.next_try_at,
    sqlite_where=notice.c.next_try_at.is_not(None),
    postgresql_where=notice.c.next_try_at.is_not(None),
)

# Numbers whose holder has answered STOP.
opted_out: Final = Table(
    "opted_out",
    metadata,
    Column("number", Text, primary_key=True),  # E.164 with "+"
    Column("since", Instant, nullable=False),
)

# A bill of a month: what an account that pays later, or an agency, owes. Its lines are the calls of its time.
invoice: Final = Table(
    "invoice",
    metadata,
    Column("id", Text, primary_key=True),  # such as "collect/…/2026-11"
    Column("account_id", Text, ForeignKey("account.id"), nullable=False, index=True),  # what it is owed on
    Column("facility_id", Text),
    Column("since", Instant, nullable=False),  # calls settled from then on
    Column("until", Instant, nullable=False),  # and before then
    Column("amount", Micros, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("paid_at", Instant),
)

# Money that its holder could not be given back, by the state that is to have it.
unclaimed: Final = Table(
    "unclaimed",
    metadata,
    Column("account_id", Text, ForeignKey("account.id"), primary_key=True),
    Column("booked_at", Instant, primary_key=True),
    Column("state", Text, nullable=False),  # ISO 3166-2
    Column("amount", Micros, nullable=False),
    Column("exported_at", Instant),
    Column("handed_over", Text),  # the reference under which the state was paid
    Column("paid_on", Date),
    Column("returned", Text),  # the reference under which the state gave it back for its holder
)

# Numbers that an account's holder wants an inmate to be able to call; staff decide on them like any request.
contact: Final = Table(
    "contact",
    metadata,
    Column("account_id", Text, ForeignKey("account.id"), primary_key=True),
    Column("number", Text, primary_key=True),  # E.164 with "+"
    Column("inmate", Integer, primary_key=True, autoincrement=False),
    Column("label", Text, nullable=False),
    Column("speed_dial", Text),
    Column("proposed_at", Instant, nullable=False),
)
