"""Who listens to which call."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "listening",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("call_id", sa.String(32), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("rung_at", sa.BigInteger),
        sa.Column("from_at", sa.BigInteger),
        sa.Column("to_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_listening_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listening")),
        sa.CheckConstraint(
            "to_at IS NULL OR from_at IS NULL OR to_at >= from_at",
            name=op.f("ck_listening_ends_after_its_beginning"),
        ),
    )
    op.create_index(op.f("ix_listening_call_id"), "listening", ["call_id"])
    is_open = sa.text("to_at IS NULL")
    op.create_index("ix_listening_open", "listening", ["id"], sqlite_where=is_open, postgresql_where=is_open)


def downgrade() -> None:
    op.drop_table("listening")
