"""Make facilities, sessions, calls and what is recorded of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "facility",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=2), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("caller_id", sa.String(length=16), nullable=False),
        sa.Column("inmate_id_digits", sa.SmallInteger, nullable=False),
        sa.Column("longest_call_ms", sa.Integer, nullable=False),
        sa.Column("ring_seconds", sa.SmallInteger, nullable=False),
        sa.Column("records", sa.Boolean, nullable=False),
        sa.CheckConstraint("kind IN ('jail', 'prison')", name=op.f("ck_facility_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility")),
    )
    op.create_table(
        "blocked_number",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("blocked_at", sa.BigInteger, nullable=False),
        sa.Column("lifted_at", sa.BigInteger),
        sa.CheckConstraint(
            "cause IN ('facility', 'called_party')", name=op.f("ck_blocked_number_cause_known")
        ),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_blocked_number_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocked_number")),
    )
    op.create_index(
        "ix_blocked_number_live",
        "blocked_number",
        ["facility_id", "number"],
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )

    op.create_table(
        "inmate",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("inmate_id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("pin_hash", sa.String(length=64), nullable=False),
        sa.Column("pin_key_id", sa.String(length=16), nullable=False),
        sa.Column("recorded_name", sa.LargeBinary),
        sa.CheckConstraint(
            "state IN ('active', 'suspended', 'released')", name=op.f("ck_inmate_state_known")
        ),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_inmate_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inmate")),
        sa.UniqueConstraint("facility_id", "inmate_id", name=op.f("uq_inmate_facility_id_inmate_id")),
    )
    op.create_table(
        "local_exchange",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("exchange", sa.String(length=6), nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_local_exchange_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "exchange", name=op.f("pk_local_exchange")),
    )
    op.create_table(
        "schedule_window",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("weekday", sa.SmallInteger, nullable=False),
        sa.Column("opens", sa.String(length=5), nullable=False),
        sa.Column("closes", sa.String(length=5), nullable=False),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["facility.id"], name=op.f("fk_schedule_window_facility_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_window")),
    )
    op.create_index(op.f("ix_schedule_window_facility_id"), "schedule_window", ["facility_id"], unique=False)

    op.create_table(
        "special_number",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("privileged", sa.Boolean, nullable=False),
        sa.Column("free", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_special_number_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "number", name=op.f("pk_special_number")),
    )
    op.create_table(
        "station",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_station_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station")),
    )
    op.create_table(
        "tariff",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("call_type", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("per_minute", sa.BigInteger, nullable=False),
        sa.Column("first_seconds", sa.Integer, nullable=False),
        sa.Column("next_seconds", sa.Integer, nullable=False),
        sa.CheckConstraint(
            "call_type IN ('local', 'intrastate', 'interstate', 'international', 'toll_free')",
            name=op.f("ck_tariff_call_type_known"),
        ),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_tariff_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "call_type", "valid_from", name=op.f("pk_tariff")),
    )
    op.create_table(
        "allowed_number",
        sa.Column("inmate", sa.Integer, nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("speed_dial", sa.String(length=2)),
        sa.Column("records", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["inmate"], ["inmate.id"], name=op.f("fk_allowed_number_inmate")),
        sa.PrimaryKeyConstraint("inmate", "number", name=op.f("pk_allowed_number")),
        sa.UniqueConstraint("inmate", "speed_dial", name=op.f("uq_allowed_number_inmate_speed_dial")),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("station_id", sa.String(length=64), nullable=False),
        sa.Column("facility_id", sa.String(length=64)),
        sa.Column("inmate", sa.Integer),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("reason", sa.String(length=32)),
        sa.CheckConstraint(
            "reason IN ('station_unknown', 'pin_invalid', 'inmate_released', "
            "'inmate_suspended', 'name_not_recorded', 'emergency_number', 'service_code', "
            "'number_invalid', 'number_type_blocked', 'number_blocked', "
            "'blocked_by_called_party', 'number_not_allowed', 'outside_schedule', 'no_rate', "
            "'funds_too_low', 'completed', 'limit_reached', 'refused', 'blocked_by_key', "
            "'not_accepted', 'busy', 'no_answer', 'congestion', 'unavailable', "
            "'caller_hung_up', 'system_fault')",
            name=op.f("ck_session_reason_known"),
        ),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_session_facility_id")),
        sa.ForeignKeyConstraint(["inmate"], ["inmate.id"], name=op.f("fk_session_inmate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    op.create_table(
        "call",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("station_id", sa.String(length=64), nullable=False),
        sa.Column("inmate", sa.Integer, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("dialled", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=16)),
        sa.Column("call_type", sa.String(length=16)),
        sa.Column("inmate_language", sa.String(length=2), nullable=False),
        sa.Column("payer", sa.String(length=16)),
        sa.Column("account_id", sa.Text),
        sa.Column("hold_id", sa.Text),
        sa.Column("not_covered", sa.String(length=16)),
        sa.Column("renews_on", sa.Date),
        sa.Column("per_minute", sa.BigInteger),
        sa.Column("first_seconds", sa.Integer),
        sa.Column("next_seconds", sa.Integer),
        sa.Column("limit_ms", sa.Integer),
        sa.Column("limit_set_by", sa.String(length=16)),
        sa.Column("privileged", sa.Boolean),
        sa.Column("not_recorded", sa.String(length=16)),
        sa.Column("keyed_at", sa.BigInteger, nullable=False),
        sa.Column("dialled_at", sa.BigInteger),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("accepted_at", sa.BigInteger),
        sa.Column("accepted_by", sa.String(length=1)),
        sa.Column("called_language", sa.String(length=2)),
        sa.Column("cost_heard", sa.Boolean, nullable=False),
        sa.Column("declined", sa.String(length=32)),
        sa.Column("last_seen_at", sa.BigInteger),
        sa.Column("talk_from_at", sa.BigInteger),
        sa.Column("talk_to_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("talk_ms", sa.Integer),
        sa.Column("talk_flagged", sa.Boolean),
        sa.Column("billed_seconds", sa.Integer),
        sa.Column("charge", sa.BigInteger),
        sa.Column("calls_charged", sa.Integer),
        sa.Column("balance_before", sa.BigInteger),
        sa.Column("balance_after", sa.BigInteger),
        sa.Column("reason", sa.String(length=32)),
        sa.Column("cut_off_by", sa.String(length=16)),
        sa.Column("ended_by", sa.String(length=16)),
        sa.Column("dial_status", sa.String(length=16)),
        sa.Column("cause", sa.Integer),
        sa.Column("version", sa.String(length=32)),
        sa.Column("sealed_at", sa.BigInteger),
        sa.CheckConstraint(
            "cut_off_by IN ('schedule', 'longest_call', 'balance')", name=op.f("ck_call_cut_off_by_known")
        ),
        sa.CheckConstraint(
            "declined IN ('refused', 'blocked_by_key', 'not_accepted')", name=op.f("ck_call_declined_known")
        ),
        sa.CheckConstraint(
            "limit_set_by IN ('schedule', 'longest_call', 'balance')", name=op.f("ck_call_limit_set_by_known")
        ),
        sa.CheckConstraint(
            "not_covered IN ('out_of_state', 'used_up', 'lapsed')", name=op.f("ck_call_not_covered_known")
        ),
        sa.CheckConstraint(
            "not_recorded IN ('privileged', 'facility', 'number', 'not_connected')",
            name=op.f("ck_call_not_recorded_known"),
        ),
        sa.CheckConstraint("payer IN ('free', 'subscription', 'prepaid')", name=op.f("ck_call_payer_known")),
        sa.CheckConstraint(
            "reason IN ('station_unknown', 'pin_invalid', 'inmate_released', "
            "'inmate_suspended', 'name_not_recorded', 'emergency_number', 'service_code', "
            "'number_invalid', 'number_type_blocked', 'number_blocked', "
            "'blocked_by_called_party', 'number_not_allowed', 'outside_schedule', 'no_rate', "
            "'funds_too_low', 'completed', 'limit_reached', 'refused', 'blocked_by_key', "
            "'not_accepted', 'busy', 'no_answer', 'congestion', 'unavailable', "
            "'caller_hung_up', 'system_fault')",
            name=op.f("ck_call_reason_known"),
        ),
        sa.CheckConstraint(
            "state IN ('keyed', 'allowed', 'offered', 'accepted', 'sealed')", name=op.f("ck_call_state_known")
        ),
        sa.CheckConstraint(
            "(sealed_at IS NULL) = (reason IS NULL)", name=op.f("ck_call_sealed_with_a_reason")
        ),
        sa.CheckConstraint("charge IS NULL OR charge >= 0", name=op.f("ck_call_charge_not_negative")),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_call_facility_id")),
        sa.ForeignKeyConstraint(["inmate"], ["inmate.id"], name=op.f("fk_call_inmate")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_call_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    op.create_index("ix_call_sealed_at", "call", ["sealed_at"], unique=False)
    op.create_index(op.f("ix_call_session_id"), "call", ["session_id"], unique=False)
    op.create_index(
        "ix_call_unsealed",
        "call",
        ["id"],
        unique=False,
        sqlite_where=sa.text("sealed_at IS NULL"),
        postgresql_where=sa.text("sealed_at IS NULL"),
    )

    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("monotonic_ms", sa.BigInteger),
        sa.Column("clock", sa.String(length=32)),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("kind IN ('talk_from', 'talk_to')", name=op.f("ck_evidence_kind_known")),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_evidence_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    op.create_index(op.f("ix_evidence_call_id"), "evidence", ["call_id"], unique=False)

    op.create_table(
        "leg_quality",
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("leg", sa.String(length=16), nullable=False),
        sa.Column("packets_received", sa.Integer),
        sa.Column("packets_lost", sa.Integer),
        sa.Column("far_packets_lost", sa.Integer),
        sa.Column("jitter_us", sa.Integer),
        sa.Column("round_trip_us", sa.Integer),
        sa.CheckConstraint("leg IN ('inmate', 'called_party')", name=op.f("ck_leg_quality_leg_known")),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_leg_quality_call_id")),
        sa.PrimaryKeyConstraint("call_id", "leg", name=op.f("pk_leg_quality")),
    )
    op.create_table(
        "recording",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("talk_ms", sa.Integer),
        sa.Column("sha256", sa.String(length=64)),
        sa.CheckConstraint(
            "state IN ('running', 'kept', 'empty', 'missing')", name=op.f("ck_recording_state_known")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_recording_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
        sa.UniqueConstraint("call_id", name=op.f("uq_recording_call_id")),
    )
    seal_records()


def seal_records() -> None:
    """A sealed call and every evidence stand for ever; the database itself refuses to change them."""
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER call_refuses_{change.lower()} BEFORE {change} ON call WHEN OLD.sealed_at IS NOT NULL "
                "BEGIN SELECT RAISE(ABORT, 'a sealed call is never changed'); END"
            )
            op.execute(
                f"CREATE TRIGGER evidence_refuses_{change.lower()} BEFORE {change} ON evidence "
                "BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION record_stands() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is never changed', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER call_refuses_change BEFORE UPDATE OR DELETE ON call FOR EACH ROW "
        "WHEN (OLD.sealed_at IS NOT NULL) EXECUTE FUNCTION record_stands()"
    )
    op.execute(
        "CREATE TRIGGER evidence_refuses_change BEFORE UPDATE OR DELETE ON evidence FOR EACH ROW "
        "EXECUTE FUNCTION record_stands()"
    )


def downgrade() -> None:
    op.drop_table("recording")
    op.drop_table("leg_quality")

    op.drop_table("evidence")

    op.drop_table("call")
    op.drop_table("session")
    op.drop_table("allowed_number")
    op.drop_table("tariff")
    op.drop_table("station")
    op.drop_table("special_number")

    op.drop_table("schedule_window")
    op.drop_table("local_exchange")
    op.drop_table("inmate")

    op.drop_table("blocked_number")
    op.drop_table("facility")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION record_stands()")
