"""A chain of hashes over the ledger's transfers."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0020b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_transfer_posted_at", "transfer", ["posted_at"])
    op.create_table(
        "ledger_link",
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("transfer_id", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.CheckConstraint("position > 0", name=op.f("ck_ledger_link_position_positive")),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_ledger_link_transfer_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ledger_link")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_ledger_link_transfer_id")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ledger_link_refuses_{change.lower()} BEFORE {change} ON ledger_link "
                "BEGIN SELECT RAISE(ABORT, 'links are never changed'); END"
            )
        return
    for name, moment in (("change", "UPDATE OR DELETE"), ("truncate", "TRUNCATE")):
        each = "ROW" if name == "change" else "STATEMENT"
        op.execute(
            f"CREATE TRIGGER ledger_link_refuses_{name} BEFORE {moment} ON ledger_link "
            f"FOR EACH {each} EXECUTE FUNCTION transfer_is_append_only()"
        )


def downgrade() -> None:
    op.drop_table("ledger_link")
    op.drop_index("ix_transfer_posted_at", "transfer")
