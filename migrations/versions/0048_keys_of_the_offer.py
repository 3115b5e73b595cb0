"""A facility chooses the keys by which called parties accept and block."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import rebuilt

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

KEYS = {"accept_key": (1, 3, 5, 0), "block_key": (9, 6, 7), "block_confirm_key": (9, 6, 7)}
BEFORE = {"accept_key": "1", "block_key": "9", "block_confirm_key": "6"}
TWICE = "ck_facility_block_confirmed_by_another_key"


def upgrade() -> None:
    with rebuilt("facility") as batch:
        for column, key in BEFORE.items():
            batch.add_column(sa.Column(column, sa.SmallInteger, nullable=False, server_default=key))
    with rebuilt("facility") as batch:
        for column, keys in KEYS.items():
            batch.alter_column(column, server_default=None)
            listed = ", ".join(map(str, keys))
            batch.create_check_constraint(op.f(f"ck_facility_{column}_known"), f"{column} IN ({listed})")
        batch.create_check_constraint(op.f(TWICE), "block_confirm_key <> block_key")


def downgrade() -> None:
    with rebuilt("facility") as batch:
        batch.drop_constraint(op.f(TWICE), type_="check")
        for column in KEYS:
            batch.drop_constraint(op.f(f"ck_facility_{column}_known"), type_="check")
            batch.drop_column(column)
