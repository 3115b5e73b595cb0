"""Find open sessions and running recordings by index, however many there were before."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OPEN = sa.text("ended_at IS NULL")
RUNNING = sa.text("state = 'running'")


def upgrade() -> None:
    op.create_index("ix_session_open", "session", ["id"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index(
        "ix_recording_running", "recording", ["id"], sqlite_where=RUNNING, postgresql_where=RUNNING
    )


def downgrade() -> None:
    op.drop_index("ix_recording_running", "recording")
    op.drop_index("ix_session_open", "session")
