"""One log of all that staff change, in place of one for unlocked PINs."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_change",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(length=64)),
        sa.Column("change", sa.String(length=32), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_staff_change_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_change")),
    )
    op.create_index("ix_staff_change_at", "staff_change", ["at"])
    op.execute(
        "INSERT INTO staff_change (facility_id, change, about, told, note, author, at) "
        "SELECT facility_id, 'unlock', 'inmate ' || inmate_id, 'inmate ' || inmate_id || ': unlocked', "
        "note, author, at FROM pin_unlock"
    )
    op.drop_table("pin_unlock")


def downgrade() -> None:
    """Only unlocked PINs are known to earlier revisions; every other change is forgotten."""
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
    op.execute(
        "INSERT INTO pin_unlock (facility_id, inmate_id, note, author, at) "
        "SELECT facility_id, substr(about, 8), note, author, at FROM staff_change "
        "WHERE change = 'unlock' AND facility_id IS NOT NULL"
    )
    op.drop_table("staff_change")
