"""When a telephone was last used, and which recordings are missing, found by index."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

MISSING = sa.text("state = 'missing'")


def upgrade() -> None:
    op.create_index(op.f("ix_session_station"), "session", ["station_id", "started_at"])
    op.create_index(
        op.f("ix_recording_missing"),
        "recording",
        ["started_at"],
        sqlite_where=MISSING,
        postgresql_where=MISSING,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_recording_missing"), table_name="recording")
    op.drop_index(op.f("ix_session_station"), table_name="session")
