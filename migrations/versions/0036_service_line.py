"""Who called in and is called back, and what they ask people for."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_back",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", sa.BigInteger),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("verified_at", sa.BigInteger),
        sa.Column("unwanted_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_call_back_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_back")),
    )
    to_ring = sa.text("next_try_at IS NOT NULL")
    op.create_index(
        "ix_call_back_to_ring",
        "call_back",
        ["next_try_at"],
        sqlite_where=to_ring,
        postgresql_where=to_ring,
    )
    op.create_index("ix_call_back_number", "call_back", ["number", "asked_at"])
    op.create_table(
        "service_request",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("call_back_id", sa.String(length=32)),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("note", sa.Text),
        sa.CheckConstraint(
            "kind IN ('person', 'refund', 'privileged')", name=op.f("ck_service_request_kind_known")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'done', 'refused')", name=op.f("ck_service_request_state_known")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_service_request_decided_whole")
        ),
        sa.ForeignKeyConstraint(
            ["call_back_id"], ["call_back.id"], name=op.f("fk_service_request_call_back_id")
        ),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["facility.id"], name=op.f("fk_service_request_facility_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_request")),
    )


def downgrade() -> None:
    op.drop_table("service_request")
    op.drop_table("call_back")
