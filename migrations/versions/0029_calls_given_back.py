"""Whether a dropped call was given back: then it counts for nothing."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import open_records, rebuilt

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("call", sa.Column("given_back", sa.Boolean))


def downgrade() -> None:
    with open_records("call"), rebuilt("call") as batch:
        batch.drop_column("given_back")
