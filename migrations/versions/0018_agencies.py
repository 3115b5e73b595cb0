"""Agencies of several facilities, and every level that says not to record."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import open_records, rebuilt, replace_checks

revision = "0018"
down_revision = "0022"
branch_labels = None
depends_on = None

SILENT = ("privileged", "relay", "passive", "facility", "number", "not_connected")
ALL_SILENT = (*SILENT, "agency", "unit", "station", "inmate")


def upgrade() -> None:
    op.create_table(
        "agency",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency")),
    )
    with rebuilt("facility") as batch:
        batch.add_column(sa.Column("agency_id", sa.String(length=64)))
        batch.create_foreign_key(op.f("fk_facility_agency_id"), "agency", ["agency_id"], ["id"])
    op.create_index(op.f("ix_facility_agency_id"), "facility", ["agency_id"])
    op.create_table(
        "unrecorded",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_unrecorded_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unrecorded")),
    )
    op.create_index("ix_unrecorded_scope", "unrecorded", ["facility_id", "scope"], unique=True)
    replace_checks("call", {"not_recorded": ALL_SILENT})


def downgrade() -> None:
    """What only an agency has set is forgotten; that it kept a call from being recorded counts as its facility's."""
    for table in ("schedule_window", "schedule_exception", "call_limit", "blocked_number"):
        op.execute(f"DELETE FROM {table} WHERE scope = 'agency'")  # noqa: S608 - the names stand above
    with open_records("call"):
        op.execute(
            "UPDATE call SET not_recorded = 'facility' "
            "WHERE not_recorded IN ('agency', 'unit', 'station', 'inmate')"
        )
    replace_checks("call", {"not_recorded": SILENT})
    op.drop_table("unrecorded")
    op.drop_index(op.f("ix_facility_agency_id"), "facility")
    with rebuilt("facility") as batch:
        batch.drop_constraint(op.f("fk_facility_agency_id"), type_="foreignkey")
        batch.drop_column("agency_id")
    op.drop_table("agency")
