"""Limits of length, number and frequency at every level, and finding the calls that they count."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import known, replace_checks

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

REFUSED = (
    *("station_unknown", "pin_invalid", "inmate_released", "inmate_suspended", "name_not_recorded"),
    *("emergency_number", "service_code", "number_invalid", "number_type_blocked", "number_blocked"),
    *("blocked_by_called_party", "number_not_allowed", "outside_schedule"),
)
LIMITED = ("too_many_attempts", "cooling_off", "calls_used", "minutes_used")
REST = (
    *("no_rate", "funds_too_low", "completed", "limit_reached", "refused", "blocked_by_key", "not_accepted"),
    *("busy", "no_answer", "congestion", "unavailable", "caller_hung_up", "system_fault"),
)
WORDS = {
    "call_type": ("local", "intrastate", "interstate", "international", "toll_free"),
    "counted": ("inmate", "number", "pair"),
    "days": ("weekday", "weekend", "holiday"),
    "each": ("day", "week", "month"),
    "kind": ("longest_call", "calls", "minutes", "cooling_off", "attempts"),
    "measured_from": ("start", "end"),
}


def upgrade() -> None:
    op.create_table(
        "call_limit",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("most", sa.Integer, nullable=False),
        sa.Column("call_type", sa.String(length=16)),
        sa.Column("days", sa.String(length=8)),
        sa.Column("each", sa.String(length=8)),
        sa.Column("within_minutes", sa.Integer),
        sa.Column("measured_from", sa.String(length=8)),
        sa.Column("counted", sa.String(length=8)),
        *(
            sa.CheckConstraint(known(column, words), name=op.f(f"ck_call_limit_{column}_known"))
            for column, words in WORDS.items()
        ),
        sa.CheckConstraint("most > 0", name=op.f("ck_call_limit_most_positive")),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_call_limit_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_limit")),
    )
    op.create_index("ix_call_limit_scope", "call_limit", ["facility_id", "scope"])
    _know((*REFUSED, *LIMITED, *REST), ("schedule", "longest_call", "allowance", "balance"))
    op.create_index("ix_call_inmate", "call", ["inmate", "keyed_at"])
    op.create_index("ix_call_number", "call", ["number", "keyed_at"])


def downgrade() -> None:
    op.drop_index("ix_call_number", "call")
    op.drop_index("ix_call_inmate", "call")
    _know((*REFUSED, *REST), ("schedule", "longest_call", "balance"))
    op.drop_table("call_limit")


def _know(reasons: tuple[str, ...], cutoffs: tuple[str, ...]) -> None:
    replace_checks("session", {"reason": reasons})
    replace_checks("call", {"reason": reasons, "limit_set_by": cutoffs, "cut_off_by": cutoffs})
