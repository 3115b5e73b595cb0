"""An inmate has chosen how loud the telephone speaks."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import known, rebuilt

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has chosen yet."""
    op.add_column("inmate", sa.Column("volume", sa.String(7)))
    with rebuilt("inmate") as batch:
        batch.create_check_constraint(
            op.f("ck_inmate_volume_known"), known("volume", ("normal", "louder", "loudest"))
        )


def downgrade() -> None:
    with rebuilt("inmate") as batch:
        batch.drop_constraint(op.f("ck_inmate_volume_known"), type_="check")
        batch.drop_column("volume")
