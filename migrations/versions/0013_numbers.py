"""Blocks by prefix and type with their causes, no-contact lists, modes of lists, hotlines, dated suspensions."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import add_filled_column, known, rebuilt, replace_checks

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

REASONS = (
    *("station_unknown", "pin_invalid", "inmate_released", "inmate_suspended", "name_not_recorded"),
    *("emergency_number", "service_code", "number_invalid", "number_type_blocked", "number_blocked"),
    *("blocked_by_called_party", "number_not_allowed", "outside_schedule", "inmate_on_a_call"),
    *("number_on_a_call", "too_many_attempts", "cooling_off", "calls_used", "minutes_used", "no_rate"),
    *("funds_too_low", "completed", "limit_reached", "refused", "blocked_by_key", "not_accepted", "busy"),
    *("no_answer", "congestion", "unavailable", "caller_hung_up", "system_fault"),
)
ALL_REASONS = (*REASONS[:3], "inmate_transferred", *REASONS[3:])
STATES = ("active", "suspended", "released")
CAUSES = ("facility", "called_party")
ALL_CAUSES = ("no_contact", "facility", "security", "agent", "called_party")
LIVE = sa.text("lifted_at IS NULL")


def upgrade() -> None:
    for column in (
        sa.Column("suspended_from", sa.BigInteger),
        sa.Column("suspended_to", sa.BigInteger),
        sa.Column("state_note", sa.Text),
    ):
        op.add_column("inmate", column)
    replace_checks("inmate", {"state": (*STATES, "transferred")})
    add_filled_column("facility", sa.Column("pan_mode", sa.String(length=16)), "enforced")
    with rebuilt("facility") as batch:
        batch.add_column(sa.Column("pan_maximum", sa.SmallInteger))
        batch.create_check_constraint(
            op.f("ck_facility_pan_mode_known"), known("pan_mode", ("enforced", "self_learning", "open"))
        )
    op.add_column("allowed_number", sa.Column("relation", sa.Text))
    op.add_column("allowed_number", sa.Column("override_note", sa.Text))
    add_filled_column("allowed_number", sa.Column("learned", sa.Boolean), sa.false())
    add_filled_column("special_number", sa.Column("hotline", sa.Boolean), sa.false())
    op.drop_index("ix_blocked_number_live", "blocked_number")
    add_filled_column("blocked_number", sa.Column("scope", sa.String(length=64)), "facility")
    add_filled_column("blocked_number", sa.Column("covers", sa.String(length=8)), "number")
    replace_checks("blocked_number", {"cause": ALL_CAUSES})
    with rebuilt("blocked_number") as batch:
        batch.create_check_constraint(
            op.f("ck_blocked_number_covers_known"), known("covers", ("number", "prefix", "type"))
        )
    _live_index("facility_id", "number", "covers", "cause", "scope")
    op.add_column("call", sa.Column("blocked_by", sa.String(length=16)))
    replace_checks("session", {"reason": ALL_REASONS})
    replace_checks("call", {"reason": ALL_REASONS})


def _live_index(*columns: str) -> None:
    op.create_index(
        "ix_blocked_number_live",
        "blocked_number",
        columns,
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )


def downgrade() -> None:
    """What only later revisions know goes: blocks of other causes and sorts, and who was transferred is released."""
    replace_checks("session", {"reason": REASONS})
    replace_checks("call", {"reason": REASONS})
    op.drop_column("call", "blocked_by")
    op.drop_index("ix_blocked_number_live", "blocked_number")
    op.execute(
        "DELETE FROM blocked_number WHERE covers <> 'number' OR scope <> 'facility' "
        "OR cause NOT IN ('facility', 'called_party')"
    )
    op.execute(
        "UPDATE blocked_number SET lifted_at = blocked_at WHERE lifted_at IS NULL AND cause = 'called_party' "
        "AND EXISTS (SELECT 1 FROM blocked_number AS other WHERE other.lifted_at IS NULL "
        "AND other.facility_id = blocked_number.facility_id AND other.number = blocked_number.number "
        "AND other.cause = 'facility')"
    )
    with rebuilt("blocked_number") as batch:
        batch.drop_constraint(op.f("ck_blocked_number_covers_known"), type_="check")
        batch.drop_column("scope")
        batch.drop_column("covers")
    replace_checks("blocked_number", {"cause": CAUSES})
    _live_index("facility_id", "number")
    for table, columns in (
        ("special_number", ("hotline",)),
        ("allowed_number", ("relation", "override_note", "learned")),
    ):
        with rebuilt(table) as batch:
            for column in columns:
                batch.drop_column(column)
    with rebuilt("facility") as batch:
        batch.drop_constraint(op.f("ck_facility_pan_mode_known"), type_="check")
        batch.drop_column("pan_mode")
        batch.drop_column("pan_maximum")
    op.execute("UPDATE inmate SET state = 'released' WHERE state = 'transferred'")
    replace_checks("inmate", {"state": STATES})
    with rebuilt("inmate") as batch:
        for column in ("suspended_from", "suspended_to", "state_note"):
            batch.drop_column(column)
