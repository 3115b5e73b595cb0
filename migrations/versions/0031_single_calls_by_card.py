"""Single calls by card: one on file that is authorised on acceptance, or a link that the called party is offered."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import open_records, rebuilt, replace_checks

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

DECLINED = ("refused", "blocked_by_key", "not_accepted")
BEFORE = (
    *("station_unknown", "switched_off", "pin_invalid", "booking_unknown", "inmate_released"),
    *("inmate_transferred", "inmate_suspended", "name_not_recorded", "emergency_number", "service_code"),
    *("number_invalid", "number_type_blocked", "number_blocked", "blocked_by_called_party"),
    *("number_not_allowed", "intake_local_only", "intake_time_over", "intake_calls_used"),
    *("outside_schedule", "inmate_on_a_call", "number_on_a_call", "too_many_attempts", "cooling_off"),
    *("calls_used", "minutes_used", "no_rate", "funds_too_low", "completed", "limit_reached", *DECLINED),
)
AFTER = ("busy", "no_answer", "congestion", "unavailable", "caller_hung_up", "system_fault")
REASONS = (*BEFORE, *AFTER)
NEW = ("payment_offered", "card_declined")
ALL_REASONS = (*BEFORE, *NEW, *AFTER)


def upgrade() -> None:
    op.create_index(op.f("ix_payment_number"), "payment", ["number"])
    op.add_column("call", sa.Column("by_card", sa.Boolean))
    with open_records("call"), rebuilt("call") as batch:
        batch.add_column(sa.Column("link_for", sa.BigInteger))
        batch.create_check_constraint(
            op.f("ck_call_link_connects_nobody"),
            "link_for IS NULL OR (payer IS NULL AND accepted_at IS NULL)",
        )
    replace_checks("call", {"declined": (*DECLINED, *NEW), "reason": ALL_REASONS})
    replace_checks("session", {"reason": ALL_REASONS})


def downgrade() -> None:
    """A declined card and an offered link count as not accepted: the word that there was."""
    call = sa.table("call", *map(sa.column, ("declined", "reason")))
    with open_records("call"):
        for column in (call.c.declined, call.c.reason):
            op.execute(sa.update(call).where(column.in_(NEW)).values({column: "not_accepted"}))
    replace_checks("call", {"declined": DECLINED, "reason": REASONS})
    replace_checks("session", {"reason": REASONS})
    with open_records("call"), rebuilt("call") as batch:
        batch.drop_constraint(op.f("ck_call_link_connects_nobody"), type_="check")
        batch.drop_column("link_for")
        batch.drop_column("by_card")
    op.drop_index(op.f("ix_payment_number"), table_name="payment")
