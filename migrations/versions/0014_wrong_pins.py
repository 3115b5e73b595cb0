"""Count wrong PINs for each ID and station, and keep who unlocked an ID and why."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wrong_pin",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("inmate_id", sa.String(length=12), nullable=False),
        sa.Column("station_id", sa.String(length=64), nullable=False),
        sa.Column("in_row", sa.Integer, nullable=False),
        sa.Column("lately", sa.Integer, nullable=False),
        sa.Column("since_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_wrong_pin_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "inmate_id", "station_id", name=op.f("pk_wrong_pin")),
    )
    op.create_table(
        "pin_unlock",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("inmate_id", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_pin_unlock_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pin_unlock")),
    )


def downgrade() -> None:
    op.drop_table("pin_unlock")
    op.drop_table("wrong_pin")
