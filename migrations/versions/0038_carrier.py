"""Which carrier carried a call."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("call", sa.Column("carrier", sa.Text))


def downgrade() -> None:
    op.drop_column("call", "carrier")
