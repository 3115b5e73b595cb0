"""Bookings and their free calls after an arrest, at intake stations."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import add_filled_column, open_records, rebuilt, replace_checks

revision = "0020b"
down_revision = "0020"
branch_labels = None
depends_on = None

REASONS = (
    *("station_unknown", "switched_off", "pin_invalid", "inmate_released", "inmate_transferred"),
    "inmate_suspended",
    *("name_not_recorded", "emergency_number", "service_code", "number_invalid", "number_type_blocked"),
    *("number_blocked", "blocked_by_called_party", "number_not_allowed", "outside_schedule"),
    *("inmate_on_a_call", "number_on_a_call", "too_many_attempts", "cooling_off", "calls_used"),
    *("minutes_used", "no_rate", "funds_too_low", "completed", "limit_reached", "refused"),
    *("blocked_by_key", "not_accepted", "busy", "no_answer", "congestion", "unavailable"),
    *("caller_hung_up", "system_fault"),
)
INTAKE = ("booking_unknown", "intake_local_only", "intake_time_over", "intake_calls_used")
ALL_REASONS = (*REASONS[:3], INTAKE[0], *REASONS[3:14], *INTAKE[1:], *REASONS[14:])


def upgrade() -> None:
    add_filled_column("facility", sa.Column("intake_calls", sa.SmallInteger), "3")
    add_filled_column("facility", sa.Column("intake_calls_for_parents", sa.SmallInteger), "2")
    add_filled_column("facility", sa.Column("intake_within_minutes", sa.Integer), "180")
    add_filled_column("station", sa.Column("intake", sa.Boolean), sa.false())
    op.create_table(
        "booking",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("arrested_at", sa.BigInteger, nullable=False),
        sa.Column("custodial_parent", sa.Boolean, nullable=False),
        sa.Column("recorded_name", sa.LargeBinary),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_booking_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking")),
        sa.UniqueConstraint("facility_id", "number", name=op.f("uq_booking_facility_id_number")),
    )
    for table in ("session", "call"):
        with open_records(table), rebuilt(table) as batch:
            batch.add_column(sa.Column("booking_id", sa.Integer))
            batch.create_foreign_key(op.f(f"fk_{table}_booking_id"), "booking", ["booking_id"], ["id"])
        replace_checks(table, {"reason": ALL_REASONS})
    op.create_index("ix_call_booking", "call", ["booking_id", "keyed_at"])


def downgrade() -> None:
    """Earlier revisions know no bookings: their calls are forgotten with them."""
    call = sa.table("call", *map(sa.column, ("id", "booking_id", "reason")))
    session = sa.table("session", *map(sa.column, ("id", "booking_id", "reason")))
    on_booking = sa.or_(call.c.booking_id.is_not(None), call.c.reason.in_(INTAKE))
    with open_records("call", "evidence"):
        for name in ("evidence", "leg_quality", "recording"):
            kept = sa.table(name, sa.column("call_id"))
            op.execute(sa.delete(kept).where(kept.c.call_id.in_(sa.select(call.c.id).where(on_booking))))
        op.execute(sa.delete(call).where(on_booking))
    op.execute(sa.update(session).where(session.c.reason.in_(INTAKE)).values(reason="pin_invalid"))
    op.drop_index("ix_call_booking", "call")
    for table in ("session", "call"):
        replace_checks(table, {"reason": REASONS})
        with open_records(table), rebuilt(table) as batch:
            batch.drop_constraint(op.f(f"fk_{table}_booking_id"), type_="foreignkey")
            batch.drop_column("booking_id")
    op.drop_table("booking")
    with rebuilt("station") as batch:
        batch.drop_column("intake")
    with rebuilt("facility") as batch:
        for column in ("intake_within_minutes", "intake_calls_for_parents", "intake_calls"):
            batch.drop_column(column)
