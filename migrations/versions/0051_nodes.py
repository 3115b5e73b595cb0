"""Nodes that share a database, and whose a call and a session is."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import open_records, rebuilt

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is there is the first node's, which needs no name."""
    op.create_table(
        "node",
        sa.Column("name", sa.String(15), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("stopped_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_node")),
    )
    for table in ("session", "call"):
        op.add_column(table, sa.Column("node", sa.String(15)))


def downgrade() -> None:
    with open_records("call"), rebuilt("call") as batch:
        batch.drop_column("node")
    with rebuilt("session") as batch:
        batch.drop_column("node")
    op.drop_table("node")
