"""Announcements and keys in a talk, and what was seen of forwarding."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import add_checked_column, add_filled_column, drop_checked_column, rebuilt

revision = "0021"
down_revision = "0018b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("facility", sa.Column("overlay_seconds", sa.Integer))
    add_filled_column("special_number", sa.Column("overlay", sa.Boolean), sa.true())
    op.add_column("call", sa.Column("overlay_seconds", sa.Integer))
    op.add_column("call", sa.Column("keys_pass", sa.Boolean))
    forwarded = sa.Column("forwarded", sa.String(length=16))
    add_checked_column("call", forwarded, ("redirected", "diverted", "other_number"))


def downgrade() -> None:
    drop_checked_column("call", "forwarded")
    op.drop_column("call", "keys_pass")
    op.drop_column("call", "overlay_seconds")
    for table, column in (("special_number", "overlay"), ("facility", "overlay_seconds")):
        with rebuilt(table) as batch:
            batch.drop_column(column)
