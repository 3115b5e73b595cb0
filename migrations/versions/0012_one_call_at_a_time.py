"""One call in progress for an inmate and for a called number, whoever is quicker; offices take several."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import rebuilt, replace_checks

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BEFORE = (
    *("station_unknown", "pin_invalid", "inmate_released", "inmate_suspended", "name_not_recorded"),
    *("emergency_number", "service_code", "number_invalid", "number_type_blocked", "number_blocked"),
    *("blocked_by_called_party", "number_not_allowed", "outside_schedule"),
)
BUSY = ("inmate_on_a_call", "number_on_a_call")
AFTER = (
    *("too_many_attempts", "cooling_off", "calls_used", "minutes_used", "no_rate", "funds_too_low"),
    *("completed", "limit_reached", "refused", "blocked_by_key", "not_accepted", "busy", "no_answer"),
    *("congestion", "unavailable", "caller_hung_up", "system_fault"),
)
LIVE = sa.text("state IN ('allowed', 'offered', 'accepted')")
LIVE_ALONE = sa.text("one_at_a_time AND state IN ('allowed', 'offered', 'accepted')")


def upgrade() -> None:
    _know((*BEFORE, *BUSY, *AFTER))
    op.add_column("call", sa.Column("one_at_a_time", sa.Boolean))
    op.create_index(
        "ix_call_live_inmate", "call", ["inmate"], unique=True, sqlite_where=LIVE, postgresql_where=LIVE
    )
    op.create_index(
        "ix_call_live_number",
        "call",
        ["number"],
        unique=True,
        sqlite_where=LIVE_ALONE,
        postgresql_where=LIVE_ALONE,
    )
    with rebuilt("special_number") as batch:
        batch.add_column(sa.Column("office", sa.Boolean, nullable=False, server_default=sa.false()))
    with rebuilt("special_number") as batch:
        batch.alter_column("office", server_default=None)


def downgrade() -> None:
    with rebuilt("special_number") as batch:
        batch.drop_column("office")
    op.drop_index("ix_call_live_number", "call")
    op.drop_index("ix_call_live_inmate", "call")
    op.drop_column("call", "one_at_a_time")
    _know((*BEFORE, *AFTER))


def _know(reasons: tuple[str, ...]) -> None:
    for table in ("session", "call"):
        replace_checks(table, {"reason": reasons})
