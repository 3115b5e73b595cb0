"""Inmates and numbers whose calls somebody is told of."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "watched",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(64), nullable=False),
        sa.Column("inmate", sa.Integer),
        sa.Column("number", sa.String(16)),
        sa.Column("sms", sa.String(16)),
        sa.Column("email", sa.Text),
        sa.Column("phone", sa.String(40)),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_watched_facility_id")),
        sa.ForeignKeyConstraint(["inmate"], ["inmate.id"], name=op.f("fk_watched_inmate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watched")),
        sa.CheckConstraint("(inmate IS NULL) <> (number IS NULL)", name=op.f("ck_watched_one_thing")),
        sa.CheckConstraint(
            "sms IS NOT NULL OR email IS NOT NULL OR phone IS NOT NULL",
            name=op.f("ck_watched_somebody_is_told"),
        ),
    )
    standing = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_watched_standing",
        "watched",
        ["facility_id"],
        sqlite_where=standing,
        postgresql_where=standing,
    )


def downgrade() -> None:
    op.drop_table("watched")
