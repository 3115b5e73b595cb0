"""What was agreed for a subscription's next period, and by which clock its days are counted."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import rebuilt

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

CHECKS = {
    "next_price_not_negative": "next_price IS NULL OR next_price >= 0",
    "next_calls_positive": "next_calls IS NULL OR next_calls > 0",
}


def upgrade() -> None:
    with rebuilt("subscription") as batch:
        batch.add_column(sa.Column("time_zone", sa.Text))
        batch.add_column(sa.Column("next_price", sa.BigInteger))
        batch.add_column(sa.Column("next_calls", sa.Integer))
        for name, condition in CHECKS.items():
            batch.create_check_constraint(op.f(f"ck_subscription_{name}"), condition)


def downgrade() -> None:
    with rebuilt("subscription") as batch:
        for name in CHECKS:
            batch.drop_constraint(op.f(f"ck_subscription_{name}"), type_="check")
        for name in ("next_calls", "next_price", "time_zone"):
            batch.drop_column(name)
