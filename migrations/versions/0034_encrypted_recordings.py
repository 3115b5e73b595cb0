"""Recordings encrypted at rest, each with a key of its own that is wrapped by one outside the database."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import rebuilt

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

TO_ERASE = sa.text("destroyed_at IS NOT NULL AND put_away_at IS NULL")
COLUMNS = (
    ("file_sha256", sa.String(length=64)),
    ("file_bytes", sa.BigInteger),
    ("data_key", sa.Text),
    ("key_id", sa.String(length=16)),
)


def upgrade() -> None:
    """Recordings kept as plain WAV until now are looked at again, and encrypted like those of calls that just ended."""
    with rebuilt("recording") as batch:
        for name, kind in COLUMNS:
            batch.add_column(sa.Column(name, kind))
        batch.create_check_constraint(
            op.f("ck_recording_destroyed_with_its_key"), "state <> 'destroyed' OR data_key IS NULL"
        )
    op.create_index(
        "ix_recording_to_erase", "recording", ["id"], sqlite_where=TO_ERASE, postgresql_where=TO_ERASE
    )
    op.execute("UPDATE recording SET state = 'running' WHERE state = 'kept'")


def downgrade() -> None:
    """Earlier revisions can't open what is encrypted: to them it is missing."""
    op.drop_index("ix_recording_to_erase", "recording")
    op.execute("UPDATE recording SET state = 'missing' WHERE state = 'kept'")
    with rebuilt("recording") as batch:
        batch.drop_constraint(op.f("ck_recording_destroyed_with_its_key"), type_="check")
        for name, _ in COLUMNS:
            batch.drop_column(name)
