"""A facility may let toll-free numbers be called."""

import sqlalchemy as sa

from migrations.checks import add_filled_column, rebuilt

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_filled_column("facility", sa.Column("toll_free", sa.Boolean), sa.false())


def downgrade() -> None:
    with rebuilt("facility") as batch:
        batch.drop_column("toll_free")
