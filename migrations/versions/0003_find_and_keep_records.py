"""Find open sessions and running recordings by index; PostgreSQL refuses to empty what must stand."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OPEN = sa.text("ended_at IS NULL")
RUNNING = sa.text("state = 'running'")
STANDING = ("call", "evidence")


def upgrade() -> None:
    op.create_index("ix_session_open", "session", ["id"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index(
        "ix_recording_running", "recording", ["id"], sqlite_where=RUNNING, postgresql_where=RUNNING
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in STANDING:
            op.execute(
                f"CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION record_stands()"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in STANDING:
            op.execute(f"DROP TRIGGER {table}_refuses_truncate ON {table}")
    op.drop_index("ix_recording_running", "recording")
    op.drop_index("ix_session_open", "session")
