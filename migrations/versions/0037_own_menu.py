"""The language that an inmate has chosen, and when they recorded their name."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inmate", sa.Column("name_recorded_at", sa.BigInteger))
    op.add_column("inmate", sa.Column("language", sa.String(length=2)))


def downgrade() -> None:
    op.drop_column("inmate", "language")
    op.drop_column("inmate", "name_recorded_at")
