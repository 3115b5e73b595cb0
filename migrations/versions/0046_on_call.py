"""Who is on call, and which alerts they were told of."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

OPEN = sa.text("done_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "on_call",
        sa.Column("operator", sa.String(32), nullable=False),
        sa.Column("sms", sa.String(16)),
        sa.Column("email", sa.Text),
        sa.Column("since", sa.BigInteger),
        sa.ForeignKeyConstraint(["operator"], ["operator.name"], name=op.f("fk_on_call_operator")),
        sa.PrimaryKeyConstraint("operator", name=op.f("pk_on_call")),
        sa.CheckConstraint("sms IS NOT NULL OR email IS NOT NULL", name=op.f("ck_on_call_somehow")),
    )
    op.add_column("alert", sa.Column("told_at", sa.BigInteger))
    op.create_index(op.f("ix_alert_open"), "alert", ["id"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index(op.f("ix_alert_told_at"), "alert", ["told_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_alert_told_at"), table_name="alert")
    op.drop_index(op.f("ix_alert_open"), table_name="alert")
    op.drop_column("alert", "told_at")
    op.drop_table("on_call")
