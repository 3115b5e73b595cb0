"""Calls that staff have cut off."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import open_records, rebuilt, replace_checks

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

REASONS = (
    *("station_unknown", "switched_off", "pin_invalid", "booking_unknown", "inmate_released"),
    *("inmate_transferred", "inmate_suspended", "name_not_recorded", "emergency_number", "service_code"),
    *("number_invalid", "number_type_blocked", "number_blocked", "blocked_by_called_party"),
    *("number_not_allowed", "intake_local_only", "intake_time_over", "intake_calls_used"),
    *("outside_schedule", "inmate_on_a_call", "number_on_a_call", "too_many_attempts", "cooling_off"),
    *("calls_used", "minutes_used", "no_rate", "funds_too_low", "completed", "limit_reached"),
    *("refused", "blocked_by_key", "not_accepted", "payment_offered", "card_declined"),
    *("busy", "no_answer", "congestion", "unavailable", "caller_hung_up", "system_fault"),
)
ALL_REASONS = (*REASONS[:29], "cut_off", *REASONS[29:])


def upgrade() -> None:
    op.add_column("call", sa.Column("cut_at", sa.BigInteger))
    for table in ("call", "session"):
        replace_checks(table, {"reason": ALL_REASONS})


def downgrade() -> None:
    """A talk that was cut off counts as one at its limit, what only rang as a fault of ours."""
    call = sa.table("call", *map(sa.column, ("reason", "talk_from_at")))
    was_cut = call.c.reason == "cut_off"
    with open_records("call"):
        talked = sa.update(call).where(was_cut, call.c.talk_from_at.is_not(None))
        op.execute(talked.values(reason="limit_reached"))
        op.execute(sa.update(call).where(was_cut).values(reason="system_fault"))
    for table in ("call", "session"):
        replace_checks(table, {"reason": REASONS})
    with open_records("call"), rebuilt("call") as batch:
        batch.drop_column("cut_at")
