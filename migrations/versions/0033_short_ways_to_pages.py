"""Short addresses of the card processor's pages, which are told by SMS."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_page",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("payment_id", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_page_payment_id")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_payment_page")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_payment_page_payment_id")),
    )


def downgrade() -> None:
    op.drop_table("payment_page")
