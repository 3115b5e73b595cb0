"""Whose accounts are, everybody who may pay for a call, and on what terms subscriptions are bought."""

import time

import sqlalchemy as sa
from alembic import op

from migrations.checks import add_filled_column, known, open_records, rebuilt, replace_checks

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

KINDS = ("system", "prepaid", "subscription_period")
ALL_KINDS = (
    *("system", "prepaid", "debit", "card", "billed", "paid_call"),
    *("subscription_period", "courtesy"),
)
SYSTEM_ACCOUNTS = {
    "system/credit_granted": "USD",
    "system/card_receivable": "USD",
    "system/courtesy_given": "calls",
}
RENEWALS = ("auto", "manual")
FACILITY = {
    "payers": (sa.Text, sa.text("'subscription prepaid'")),
    "collect_limit": (sa.BigInteger, sa.text("0")),
    "courtesy_seconds": (sa.Integer, sa.text("120")),
    "dropped_within_seconds": (sa.Integer, sa.text("60")),
    "continues_within_seconds": (sa.Integer, sa.text("0")),
}
AGREED = ("plan_id", "price", "account_id", "anchor_day", "agreed_at", "next_plan_id")


def upgrade() -> None:
    replace_checks("account", {"kind": ALL_KINDS})
    account = sa.table("account", *map(sa.column, ("id", "unit", "kind", "opened_at")))
    opened_at = time.time_ns() // 1000
    op.bulk_insert(
        account,
        [
            {"id": id_, "unit": unit, "kind": "system", "opened_at": opened_at}
            for id_, unit in SYSTEM_ACCOUNTS.items()
        ],
    )
    op.add_column("call", sa.Column("dropped_by", sa.String(length=16)))
    op.add_column("call", sa.Column("continues_id", sa.String(length=32)))
    for name, (type_, filled_with) in FACILITY.items():
        add_filled_column("facility", sa.Column(name, type_), filled_with)
    extend_subscriptions()
    make_tables()


def extend_subscriptions() -> None:
    with rebuilt("subscription") as batch:
        batch.add_column(sa.Column("plan_id", sa.Text))
        batch.add_column(sa.Column("price", sa.BigInteger))
        batch.add_column(sa.Column("account_id", sa.Text))
        batch.add_column(sa.Column("renewal", sa.Text, server_default=sa.text("'manual'"), nullable=False))
        batch.add_column(sa.Column("anchor_day", sa.Integer))
        batch.add_column(sa.Column("agreed_at", sa.BigInteger))
        batch.add_column(sa.Column("next_plan_id", sa.Text))
        batch.add_column(sa.Column("next_renewal", sa.Text))
        batch.add_column(sa.Column("cancelled_at", sa.BigInteger))
        batch.add_column(sa.Column("close_reason", sa.Text))
        batch.create_foreign_key(op.f("fk_subscription_account_id"), "account", ["account_id"], ["id"])
        batch.create_check_constraint(op.f("ck_subscription_renewal_known"), known("renewal", RENEWALS))
        batch.create_check_constraint(
            op.f("ck_subscription_next_renewal_known"), known("next_renewal", RENEWALS)
        )
        batch.create_check_constraint(
            op.f("ck_subscription_price_not_negative"), "price IS NULL OR price >= 0"
        )
    op.add_column("subscription_period", sa.Column("price", sa.BigInteger))


def make_tables() -> None:
    op.create_table(
        "account_holder",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("language", sa.Text, server_default=sa.text("'en'"), nullable=False),
        sa.Column("mobile", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("state", sa.Text),
        sa.Column("low_balance", sa.BigInteger),
        sa.Column("reload_below", sa.BigInteger),
        sa.Column("reload_amount", sa.BigInteger),
        sa.Column("customer_id", sa.Text),
        sa.Column("card_id", sa.Text),
        sa.Column("card_label", sa.Text),
        sa.Column("card_expires_on", sa.Date),
        sa.Column("touched_at", sa.BigInteger, nullable=False),
        sa.Column("idle_notice", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.CheckConstraint("language IN ('en', 'es')", name=op.f("ck_account_holder_language_known")),
        sa.CheckConstraint(
            "(reload_below IS NULL) = (reload_amount IS NULL)", name=op.f("ck_account_holder_reload_whole")
        ),
        sa.CheckConstraint(
            "low_balance IS NULL OR low_balance >= 0", name=op.f("ck_account_holder_low_balance_not_negative")
        ),
        sa.CheckConstraint(
            "reload_amount IS NULL OR reload_amount > 0", name=op.f("ck_account_holder_reload_positive")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_holder_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_holder")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_account_holder_customer_id")),
    )
    op.create_index(op.f("ix_account_holder_mobile"), "account_holder", ["mobile"])
    op.create_index(op.f("ix_account_holder_touched_at"), "account_holder", ["touched_at"])
    op.create_table(
        "inmate_account",
        sa.Column("inmate", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_inmate_account_account_id")),
        sa.PrimaryKeyConstraint("inmate", name=op.f("pk_inmate_account")),
        sa.UniqueConstraint("account_id", name=op.f("uq_inmate_account_account_id")),
    )
    op.create_table(
        "card_batch",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("facility_id", sa.Text, nullable=False),
        sa.Column("cards", sa.Integer, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.Column("expires_on", sa.Date),
        sa.Column("expiry_law", sa.Text),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "(expires_on IS NULL) = (expiry_law IS NULL)", name=op.f("ck_card_batch_expires_by_law")
        ),
        sa.CheckConstraint("cards > 0 AND value > 0", name=op.f("ck_card_batch_worth_something")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_batch")),
    )
    op.create_table(
        "calling_card",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("batch_id", sa.Text, nullable=False),
        sa.Column("pin_hash", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("cancelled_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_calling_card_account_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["card_batch.id"], name=op.f("fk_calling_card_batch_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_calling_card")),
        sa.UniqueConstraint("pin_hash", name=op.f("uq_calling_card_pin_hash")),
    )
    op.create_index(op.f("ix_calling_card_batch_id"), "calling_card", ["batch_id"])
    op.create_table(
        "billed_account",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("facility_id", sa.Text, nullable=False),
        sa.Column("credit_limit", sa.BigInteger, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("stopped_at", sa.BigInteger),
        sa.CheckConstraint("kind IN ('collect', 'direct_bill')", name=op.f("ck_billed_account_kind_known")),
        sa.CheckConstraint("credit_limit >= 0", name=op.f("ck_billed_account_credit_limit_not_negative")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_billed_account_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_billed_account")),
    )
    op.create_table(
        "billed_number",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("facility_id", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
        sa.ForeignKeyConstraint(
            ["account_id"], ["billed_account.account_id"], name=op.f("fk_billed_number_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "number", name=op.f("pk_billed_number")),
    )
    op.create_index(
        "uq_billed_number_live",
        "billed_number",
        ["number", "facility_id"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "paid_call",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("facility_id", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("payment_id", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_paid_call_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_paid_call")),
    )
    op.create_index(op.f("ix_paid_call_expires_at"), "paid_call", ["expires_at"])
    op.create_index(
        "uq_paid_call_live",
        "paid_call",
        ["number", "facility_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    """Accounts of kinds that the older schema has no word for become its nearest."""
    for table in reversed(
        [
            "account_holder",
            "inmate_account",
            "card_batch",
            "calling_card",
            "billed_account",
            "billed_number",
            "paid_call",
        ]
    ):
        op.drop_table(table)
    op.drop_column("subscription_period", "price")
    with rebuilt("subscription") as batch:
        batch.drop_constraint(op.f("fk_subscription_account_id"), type_="foreignkey")
        for name in ("renewal_known", "next_renewal_known", "price_not_negative"):
            batch.drop_constraint(op.f(f"ck_subscription_{name}"), type_="check")
        for name in (*AGREED, "renewal", "next_renewal", "cancelled_at", "close_reason"):
            batch.drop_column(name)
    with rebuilt("facility") as batch:
        for name in FACILITY:
            batch.drop_column(name)
    with open_records("call"), rebuilt("call") as batch:
        batch.drop_column("continues_id")
        batch.drop_column("dropped_by")
    op.execute("UPDATE account SET kind = 'subscription_period' WHERE kind = 'courtesy'")
    op.execute("UPDATE account SET kind = 'prepaid' WHERE kind NOT IN ('system', 'subscription_period')")
    account, transfer = (
        sa.table(name, *map(sa.column, columns))
        for name, columns in (("account", ["id"]), ("transfer", ["debit_id", "credit_id"]))
    )
    used = sa.select(transfer.c.debit_id).union(sa.select(transfer.c.credit_id))
    op.execute(sa.delete(account).where(account.c.id.in_(list(SYSTEM_ACCOUNTS)), account.c.id.not_in(used)))
    replace_checks("account", {"kind": KINDS})
