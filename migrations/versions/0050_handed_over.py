"""What was handed over to states of unclaimed money, and what a state has returned."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("unclaimed", sa.Column("handed_over", sa.Text))
    op.add_column("unclaimed", sa.Column("paid_on", sa.Date))
    op.add_column("unclaimed", sa.Column("returned", sa.Text))


def downgrade() -> None:
    op.drop_column("unclaimed", "returned")
    op.drop_column("unclaimed", "paid_on")
    op.drop_column("unclaimed", "handed_over")
