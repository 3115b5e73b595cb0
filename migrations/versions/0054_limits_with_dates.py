"""Limits that hold from one day until another."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("call_limit", sa.Column("valid_from", sa.Date))
    op.add_column("call_limit", sa.Column("valid_to", sa.Date))


def downgrade() -> None:
    op.drop_column("call_limit", "valid_to")
    op.drop_column("call_limit", "valid_from")
