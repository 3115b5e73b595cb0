"""All call-backs of the last hour are found by index, as no more than so many are made in vain."""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_call_back_asked_at"), "call_back", ["asked_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_call_back_asked_at"), table_name="call_back")
