"""What called parties complain of, and the jobs that run by the hour."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "complaint",
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("given_back", sa.Boolean),
        sa.Column("decided_note", sa.Text),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.BigInteger),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (given_back IS NULL)", name=op.f("ck_complaint_decided_whole")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_complaint_call_id")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_complaint")),
    )
    op.create_table(
        "job",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("ran_at", sa.BigInteger),
        sa.Column("did", sa.Integer, nullable=False),
        sa.Column("place", sa.Text),
        sa.Column("failed_at", sa.BigInteger),
        sa.Column("failure", sa.Text),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job")),
    )


def downgrade() -> None:
    op.drop_table("job")
    op.drop_table("complaint")
