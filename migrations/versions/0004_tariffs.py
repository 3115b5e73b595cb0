"""Keep tariffs, plans and taxes as they were reviewed; with each call its price, its agency's part and its hour."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KINDS, OLD_KINDS = "kind IN ('jail', 'prison', 'juvenile')", "kind IN ('jail', 'prison')"
OPERATORS = "operator IN ('state', 'county', 'city', 'federal')"
CALL_COLUMNS = {
    "price": sa.Text(),
    "held": sa.BigInteger(),
    "ends_by": sa.BigInteger(),
    "connect_fee": sa.BigInteger(),
    "tax": sa.BigInteger(),
    "taxes": sa.Text(),
    "agency_rule": sa.String(length=64),
    "agency_charge": sa.BigInteger(),
}
OLD_CALL_COLUMNS = {
    "per_minute": sa.BigInteger(),
    "first_seconds": sa.Integer(),
    "next_seconds": sa.Integer(),
}


def upgrade() -> None:
    with op.batch_alter_table("facility") as facility:
        # what a facility was before nobody knows; its file says it anew
        facility.add_column(
            sa.Column("operator", sa.String(length=16), nullable=False, server_default="county")
        )
        facility.add_column(sa.Column("average_daily_population", sa.Integer))
        facility.add_column(sa.Column("taxes", sa.Text, nullable=False, server_default=""))
        facility.add_column(sa.Column("localities", sa.Text, nullable=False, server_default=""))
        facility.drop_constraint(op.f("ck_facility_kind_known"), type_="check")
        facility.create_check_constraint(op.f("ck_facility_kind_known"), KINDS)
        facility.create_check_constraint(op.f("ck_facility_operator_known"), OPERATORS)
    with op.batch_alter_table("facility") as facility:
        for column in ("operator", "taxes", "localities"):
            facility.alter_column(column, server_default=None, existing_nullable=False)
    op.drop_table("tariff")  # its prices come again from reviewed files
    op.create_table(
        "tariff",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_tariff_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "id", name=op.f("pk_tariff")),
    )
    op.create_table(
        "plan",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("price", sa.BigInteger, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_plan_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "id", name=op.f("pk_plan")),
    )
    # not in a batch, which would make the table anew and lose its triggers
    for name, kind in CALL_COLUMNS.items():
        op.add_column("call", sa.Column(name, kind))
    for name in OLD_CALL_COLUMNS:
        op.drop_column("call", name)


def downgrade() -> None:
    for name, kind in OLD_CALL_COLUMNS.items():
        op.add_column("call", sa.Column(name, kind))
    for name in CALL_COLUMNS:
        op.drop_column("call", name)
    op.drop_table("plan")
    op.drop_table("tariff")
    op.create_table(
        "tariff",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("call_type", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("per_minute", sa.BigInteger, nullable=False),
        sa.Column("first_seconds", sa.Integer, nullable=False),
        sa.Column("next_seconds", sa.Integer, nullable=False),
        sa.CheckConstraint(
            "call_type IN ('local', 'intrastate', 'interstate', 'international', 'toll_free')",
            name=op.f("ck_tariff_call_type_known"),
        ),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_tariff_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "call_type", "valid_from", name=op.f("pk_tariff")),
    )
    with op.batch_alter_table("facility") as facility:
        facility.drop_constraint(op.f("ck_facility_operator_known"), type_="check")
        facility.drop_constraint(op.f("ck_facility_kind_known"), type_="check")
        facility.create_check_constraint(op.f("ck_facility_kind_known"), OLD_KINDS)
        for column in ("localities", "taxes", "average_daily_population", "operator"):
            facility.drop_column(column)
