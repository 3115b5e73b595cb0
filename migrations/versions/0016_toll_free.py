"""A facility may let toll-free numbers be called."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import add_filled_column

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_filled_column("facility", sa.Column("toll_free", sa.Boolean), sa.false())


def downgrade() -> None:
    with op.batch_alter_table("facility") as batch:
        batch.drop_column("toll_free")
