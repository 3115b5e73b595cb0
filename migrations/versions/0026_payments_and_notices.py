"""What is asked of a card processor, what is told to people, and what is billed."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text),
        sa.Column("subscription_id", sa.Text),
        sa.Column("facility_id", sa.Text),
        sa.Column("number", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("call_id", sa.Text),
        sa.Column("of_id", sa.Text),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("captured", sa.BigInteger),
        sa.Column("processor_id", sa.Text),
        sa.Column("failure", sa.Text),
        sa.Column("tries", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.BigInteger),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "kind IN ('deposit', 'reload', 'subscription', 'paid_call', 'authorisation', 'card', 'refund')",
            name=op.f("ck_payment_kind_known"),
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'pending', 'authorised', 'succeeded', 'failed', 'voided')",
            name=op.f("ck_payment_state_known"),
        ),
        sa.CheckConstraint("amount >= 0 AND amount % 10000 = 0", name=op.f("ck_payment_whole_cents")),
        sa.CheckConstraint(
            "captured IS NULL OR (captured >= 0 AND captured <= amount)",
            name=op.f("ck_payment_captured_within"),
        ),
        sa.ForeignKeyConstraint(["of_id"], ["payment.id"], name=op.f("fk_payment_of_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("call_id", name=op.f("uq_payment_call_id")),
        sa.UniqueConstraint("processor_id", name=op.f("uq_payment_processor_id")),
    )
    op.create_index(op.f("ix_payment_account_id"), "payment", ["account_id"])
    op.create_index(op.f("ix_payment_of_id"), "payment", ["of_id"])
    op.create_index(
        "ix_payment_to_do",
        "payment",
        ["next_try_at"],
        sqlite_where=sa.text("next_try_at IS NOT NULL"),
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
    op.create_table(
        "dispute",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("payment_id", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("lost", sa.Boolean),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_dispute_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
    )
    op.create_index(op.f("ix_dispute_payment_id"), "dispute", ["payment_id"])
    op.create_table(
        "webhook_event",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_event")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.BigInteger),
        sa.Column("provider_id", sa.Text),
        sa.Column("failure", sa.Text),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("channel IN ('sms', 'email')", name=op.f("ck_notice_channel_known")),
        sa.CheckConstraint("language IN ('en', 'es')", name=op.f("ck_notice_language_known")),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'delivered', 'failed', 'dead', 'opted_out')",
            name=op.f("ck_notice_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_notice_provider_id")),
    )
    op.create_index(op.f("ix_notice_account_id"), "notice", ["account_id"])
    op.create_index(
        "ix_notice_to_do",
        "notice",
        ["next_try_at"],
        sqlite_where=sa.text("next_try_at IS NOT NULL"),
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
    op.create_table(
        "opted_out",
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_opted_out")),
    )
    op.create_table(
        "invoice",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("facility_id", sa.Text),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("paid_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_invoice_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
    )
    op.create_index(op.f("ix_invoice_account_id"), "invoice", ["account_id"])
    op.create_table(
        "unclaimed",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("booked_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("exported_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_unclaimed_account_id")),
        sa.PrimaryKeyConstraint("account_id", "booked_at", name=op.f("pk_unclaimed")),
    )
    op.create_table(
        "contact",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("inmate", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("speed_dial", sa.Text),
        sa.Column("proposed_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_contact_account_id")),
        sa.PrimaryKeyConstraint("account_id", "number", "inmate", name=op.f("pk_contact")),
    )


def downgrade() -> None:
    for table in reversed(
        ["payment", "dispute", "webhook_event", "notice", "opted_out", "invoice", "unclaimed", "contact"]
    ):
        op.drop_table(table)
