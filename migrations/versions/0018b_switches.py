"""Switches: telephones that staff have switched off, and what that ends."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import known, replace_checks

revision = "0018b"
down_revision = "0018"
branch_labels = None
depends_on = None

REASONS = (
    *("station_unknown", "pin_invalid", "inmate_released", "inmate_transferred", "inmate_suspended"),
    *("name_not_recorded", "emergency_number", "service_code", "number_invalid", "number_type_blocked"),
    *("number_blocked", "blocked_by_called_party", "number_not_allowed", "outside_schedule"),
    *("inmate_on_a_call", "number_on_a_call", "too_many_attempts", "cooling_off", "calls_used"),
    *("minutes_used", "no_rate", "funds_too_low", "completed", "limit_reached", "refused"),
    *("blocked_by_key", "not_accepted", "busy", "no_answer", "congestion", "unavailable"),
    *("caller_hung_up", "system_fault"),
)
ALL_REASONS = (REASONS[0], "switched_off", *REASONS[1:])
CUTOFFS = ("schedule", "longest_call", "allowance", "balance", "max_cost")
ALL_CUTOFFS = (*CUTOFFS, "switched_off")
OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "switch",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("scope", sa.String(length=128), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("thrown_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by", sa.Text),
        sa.Column("ended_note", sa.Text),
        sa.CheckConstraint(known("way", ("finish", "minute", "now")), name=op.f("ck_switch_way_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_switch")),
    )
    op.create_index(
        "ix_switch_open", "switch", ["scope"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.add_column("call", sa.Column("switched_off_at", sa.BigInteger))
    _know(ALL_REASONS, ALL_CUTOFFS)


def downgrade() -> None:
    """Sealed records are not changed: with one that a switch has ended there is no way back."""
    _know(REASONS, CUTOFFS)
    op.drop_column("call", "switched_off_at")
    op.drop_table("switch")


def _know(reasons: tuple[str, ...], cutoffs: tuple[str, ...]) -> None:
    replace_checks("session", {"reason": reasons})
    replace_checks("call", {"reason": reasons, "limit_set_by": cutoffs, "cut_off_by": cutoffs})
