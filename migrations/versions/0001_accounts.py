"""Make the ledger and the tables of who pays."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SYSTEM_ACCOUNTS = {
    "system/cash": "USD",
    "system/revenue": "USD",
    "system/loss": "USD",
    "system/calls_sold": "calls",
    "system/calls_used": "calls",
}


def upgrade() -> None:
    make_ledger()
    make_transfers_append_only()
    make_payers()


def downgrade() -> None:
    op.drop_table("subscription_period")
    op.drop_table("subscription")
    op.drop_table("prepaid_number")
    op.drop_table("transfer")
    op.drop_table("account")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION transfer_is_append_only()")


def make_ledger() -> None:
    account = op.create_table(
        "account",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("credits", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("debits", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("held", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("unit IN ('USD', 'calls')", name=op.f("ck_account_unit_known")),
        sa.CheckConstraint(
            "kind IN ('system', 'prepaid', 'subscription_period')", name=op.f("ck_account_kind_known")
        ),
        sa.CheckConstraint(
            "credits >= 0 AND debits >= 0 AND held >= 0", name=op.f("ck_account_sums_not_negative")
        ),
        sa.CheckConstraint(
            "kind = 'system' OR credits - debits - held >= 0", name=op.f("ck_account_not_overdrawn")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("id", "unit", name=op.f("uq_account_id_unit")),
    )
    opened_at = time.time_ns() // 1000
    op.bulk_insert(
        account,
        [
            {"id": id_, "unit": unit, "kind": "system", "opened_at": opened_at}
            for id_, unit in SYSTEM_ACCOUNTS.items()
        ],
    )
    op.create_table(
        "transfer",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("debit_id", sa.Text, nullable=False),
        sa.Column("credit_id", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("resolves_id", sa.Text),
        sa.Column("posted_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "kind IN ('payment', 'hold', 'settlement', 'release')", name=op.f("ck_transfer_kind_known")
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_transfer_amount_not_negative")),
        sa.CheckConstraint("debit_id <> credit_id", name=op.f("ck_transfer_two_accounts")),
        sa.CheckConstraint("kind <> 'release' OR amount = 0", name=op.f("ck_transfer_release_moves_nothing")),
        sa.CheckConstraint(
            "(kind IN ('settlement', 'release')) = (resolves_id IS NOT NULL)",
            name=op.f("ck_transfer_resolution_of_a_hold"),
        ),
        sa.ForeignKeyConstraint(
            ["debit_id", "unit"], ["account.id", "account.unit"], name=op.f("fk_transfer_debit_id_unit")
        ),
        sa.ForeignKeyConstraint(
            ["credit_id", "unit"], ["account.id", "account.unit"], name=op.f("fk_transfer_credit_id_unit")
        ),
        sa.ForeignKeyConstraint(["resolves_id"], ["transfer.id"], name=op.f("fk_transfer_resolves_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("resolves_id", name=op.f("uq_transfer_resolves_id")),
    )
    op.create_index(op.f("ix_transfer_debit_id"), "transfer", ["debit_id"])
    op.create_index(op.f("ix_transfer_credit_id"), "transfer", ["credit_id"])


def make_transfers_append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER transfer_refuses_{change.lower()} BEFORE {change} ON transfer "
                "BEGIN SELECT RAISE(ABORT, 'transfers are never changed'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION transfer_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'transfers are never changed' USING ERRCODE = 'integrity_constraint_violation'; "
        "END $$"
    )
    op.execute(
        "CREATE TRIGGER transfer_refuses_change BEFORE UPDATE OR DELETE ON transfer "
        "FOR EACH ROW EXECUTE FUNCTION transfer_is_append_only()"
    )
    op.execute(
        "CREATE TRIGGER transfer_refuses_truncate BEFORE TRUNCATE ON transfer "
        "FOR EACH STATEMENT EXECUTE FUNCTION transfer_is_append_only()"
    )


def make_payers() -> None:
    op.create_table(
        "prepaid_number",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_prepaid_number_account_id")),
        sa.PrimaryKeyConstraint("account_id", "number", name=op.f("pk_prepaid_number")),
    )
    op.create_index(
        "uq_prepaid_number_live",
        "prepaid_number",
        ["number"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "subscription",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("facility_id", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("calls_each_period", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.CheckConstraint("calls_each_period > 0", name=op.f("ck_subscription_calls_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    op.create_index(
        "uq_subscription_live",
        "subscription",
        ["number", "facility_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "subscription_period",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("subscription_id", sa.Text, nullable=False),
        sa.Column("first_date", sa.Date, nullable=False),
        sa.Column("last_date", sa.Date, nullable=False),
        sa.CheckConstraint("first_date <= last_date", name=op.f("ck_subscription_period_dates_in_order")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_subscription_period_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_subscription_period_subscription_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_subscription_period")),
        sa.UniqueConstraint(
            "subscription_id", "first_date", name=op.f("uq_subscription_period_subscription_id_first_date")
        ),
    )
