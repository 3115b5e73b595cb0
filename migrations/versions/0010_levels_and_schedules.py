"""Housing units, and calling hours at every level with closures, openings and holidays."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import rebuilt

revision = "0010"
down_revision = "0004"
branch_labels = None
depends_on = None

UNIT = ["facility_id", "unit_id"], ["facility_id", "id"]


def upgrade() -> None:
    op.create_table(
        "housing_unit",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_housing_unit_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "id", name=op.f("pk_housing_unit")),
    )
    for table in ("station", "inmate"):
        with rebuilt(table) as batch:
            batch.add_column(sa.Column("unit_id", sa.String(length=40)))
            batch.create_foreign_key(op.f(f"fk_{table}_facility_id_unit_id"), "housing_unit", *UNIT)
    op.drop_index("ix_schedule_window_facility_id", "schedule_window")
    with rebuilt("schedule_window") as batch:
        batch.add_column(sa.Column("scope", sa.String(length=64), nullable=False, server_default="facility"))
        batch.alter_column("weekday", new_column_name="day")
    with rebuilt("schedule_window") as batch:
        batch.alter_column("scope", server_default=None)
    op.create_index("ix_schedule_window_scope", "schedule_window", ["facility_id", "scope"])
    op.create_table(
        "schedule_exception",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "kind IN ('closure', 'opening', 'holiday')", name=op.f("ck_schedule_exception_kind_known")
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_schedule_exception_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["facility.id"], name=op.f("fk_schedule_exception_facility_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_exception")),
    )
    op.create_index("ix_schedule_exception_scope", "schedule_exception", ["facility_id", "scope"])


def downgrade() -> None:
    op.drop_table("schedule_exception")
    op.drop_index("ix_schedule_window_scope", "schedule_window")
    op.execute("DELETE FROM schedule_window WHERE scope <> 'facility' OR day > 6")
    with rebuilt("schedule_window") as batch:
        batch.drop_column("scope")
        batch.alter_column("day", new_column_name="weekday")
    op.create_index("ix_schedule_window_facility_id", "schedule_window", ["facility_id"])
    for table in ("inmate", "station"):
        with rebuilt(table) as batch:
            batch.drop_constraint(op.f(f"fk_{table}_facility_id_unit_id"), type_="foreignkey")
            batch.drop_column("unit_id")
    op.drop_table("housing_unit")
