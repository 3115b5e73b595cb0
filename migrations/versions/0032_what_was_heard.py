"""What each was told before the talk; calls found by when they were keyed."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

HEARD = ("inmate_heard", "called_heard")


def upgrade() -> None:
    for name in HEARD:
        op.add_column("call", sa.Column(name, sa.Text))
    op.create_index(op.f("ix_call_keyed_at"), "call", ["keyed_at", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_call_keyed_at"), table_name="call")
    for name in HEARD:
        op.drop_column("call", name)
