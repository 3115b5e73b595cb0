"""A station says how its keys come in."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import add_filled_column, known, rebuilt

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_filled_column("station", sa.Column("dtmf", sa.String(length=8)), "auto")
    with rebuilt("station") as batch:
        batch.create_check_constraint(
            op.f("ck_station_dtmf_known"), known("dtmf", ("auto", "rfc4733", "inband", "info"))
        )


def downgrade() -> None:
    with rebuilt("station") as batch:
        batch.drop_constraint(op.f("ck_station_dtmf_known"), type_="check")
        batch.drop_column("dtmf")
