"""Privileged numbers by two operators, sealed recordings, alerts, passive acceptance, relays."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import add_filled_column, known, open_records, rebuilt, replace_checks

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None

NOT_RECORDED = ("privileged", "facility", "number", "not_connected")
ALL_NOT_RECORDED = ("privileged", "relay", "passive", *NOT_RECORDED[1:])
STATES = ("running", "kept", "empty", "missing")
TO_PUT_AWAY = sa.text("sealed_at IS NOT NULL AND put_away_at IS NULL")
LIVE = sa.text("removed_at IS NULL")
NUMBER = sa.String(length=16)
SCOPE = sa.String(length=64)


def upgrade() -> None:
    _privileged_numbers()
    op.execute(
        "INSERT INTO privileged_number (facility_id, scope, number, untimed, kind, source, note, author, added_at, "
        "lapses_at, confirmed_by, confirmed_at) SELECT facility_id, 'facility', number, FALSE, 'other', 'file', label, "
        "'facility file', 0, 0, 'facility file', 0 FROM special_number WHERE privileged"
    )
    with rebuilt("special_number") as batch:
        batch.drop_column("privileged")
        batch.add_column(sa.Column("short_code", sa.String(length=3)))
    for name in ("passive", "relay"):
        add_filled_column("special_number", sa.Column(name, sa.Boolean), sa.false())
    add_filled_column("facility", sa.Column("relay_limit_factor", sa.SmallInteger), "3")
    op.create_table(
        "passive_number",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("confirmed_by", sa.Text),
        sa.Column("confirmed_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_passive_number_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "number", name=op.f("pk_passive_number")),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("done_by", sa.Text),
        sa.Column("done_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    _recordings()
    with open_records("call"), rebuilt("call") as batch:
        batch.add_column(sa.Column("passive", sa.Boolean))
        batch.add_column(sa.Column("call_class", sa.String(length=16)))
        batch.alter_column("accepted_by", type_=sa.String(length=16), existing_type=sa.String(length=1))
        batch.create_check_constraint(op.f("ck_call_call_class_known"), known("call_class", ("trs",)))
    replace_checks("call", {"not_recorded": ALL_NOT_RECORDED})


def _privileged_numbers() -> None:
    op.create_table(
        "privileged_number",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("scope", SCOPE, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("untimed", sa.Boolean, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("bar_number", sa.Text),
        sa.Column("document_sha256", sa.String(length=64)),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("lapses_at", sa.BigInteger, nullable=False),
        sa.Column("confirmed_by", sa.Text),
        sa.Column("confirmed_at", sa.BigInteger),
        sa.Column("asked", sa.String(length=8)),
        sa.Column("asked_scope", SCOPE),
        sa.Column("asked_by", sa.Text),
        sa.Column("asked_until", sa.BigInteger),
        sa.Column("removed_at", sa.BigInteger),
        sa.CheckConstraint(
            known("kind", ("attorney", "clergy", "ombudsman", "consulate", "court", "medical", "other")),
            name=op.f("ck_privileged_number_kind_known"),
        ),
        sa.CheckConstraint(
            known("source", ("staff", "file", "list")), name=op.f("ck_privileged_number_source_known")
        ),
        sa.CheckConstraint(
            known("asked", ("remove", "timed", "narrow")), name=op.f("ck_privileged_number_asked_known")
        ),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["facility.id"], name=op.f("fk_privileged_number_facility_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privileged_number")),
    )
    op.create_index(
        "ix_privileged_number_live",
        "privileged_number",
        ["facility_id", "number", "scope", "untimed"],
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )


RECORDING_COLUMNS = (
    ("sealed_at", sa.BigInteger),
    ("sealed_because", sa.Text),
    ("put_away_at", sa.BigInteger),
    ("asked", sa.String(length=8)),
    ("asked_by", sa.Text),
    ("asked_until", sa.BigInteger),
    ("opened_at", sa.BigInteger),
    ("destroyed_at", sa.BigInteger),
    ("legal_hold_at", sa.BigInteger),
)


def _recordings() -> None:
    with rebuilt("recording") as batch:
        for name, kind in RECORDING_COLUMNS:
            batch.add_column(sa.Column(name, kind))
        batch.create_check_constraint(op.f("ck_recording_asked_known"), known("asked", ("open", "destroy")))
    replace_checks("recording", {"state": (*STATES, "destroyed")})
    op.create_index(
        "ix_recording_to_put_away",
        "recording",
        ["id"],
        sqlite_where=TO_PUT_AWAY,
        postgresql_where=TO_PUT_AWAY,
    )


def downgrade() -> None:
    """Earlier revisions know no privileged number of one inmate alone: it becomes so for the whole facility.

    What was sealed is told no longer, but its files stay where nobody looks for them.
    """
    with open_records("call"):
        op.execute("UPDATE call SET not_recorded = 'facility' WHERE not_recorded IN ('relay', 'passive')")
        op.execute("UPDATE call SET accepted_by = '1' WHERE accepted_by = 'passive'")
        with rebuilt("call") as batch:
            batch.drop_constraint(op.f("ck_call_call_class_known"), type_="check")
            batch.drop_column("call_class")
            batch.drop_column("passive")
            batch.alter_column("accepted_by", type_=sa.String(length=1), existing_type=sa.String(length=16))
    replace_checks("call", {"not_recorded": NOT_RECORDED})
    op.drop_index("ix_recording_to_put_away", "recording")
    op.execute("UPDATE recording SET state = 'missing' WHERE state = 'destroyed'")
    replace_checks("recording", {"state": STATES})
    with rebuilt("recording") as batch:
        batch.drop_constraint(op.f("ck_recording_asked_known"), type_="check")
        for name, _ in RECORDING_COLUMNS:
            batch.drop_column(name)
    op.drop_table("alert")
    op.drop_table("passive_number")
    with rebuilt("facility") as batch:
        batch.drop_column("relay_limit_factor")
    with rebuilt("special_number") as batch:
        for name in ("passive", "relay", "short_code"):
            batch.drop_column(name)
    add_filled_column("special_number", sa.Column("privileged", sa.Boolean), sa.false())
    op.execute(
        "INSERT INTO special_number (facility_id, number, label, privileged, free, hotline, office) "
        "SELECT DISTINCT facility_id, number, 'privileged', TRUE, FALSE, FALSE, FALSE FROM privileged_number "
        "WHERE removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM special_number AS known "
        "WHERE known.facility_id = privileged_number.facility_id AND known.number = privileged_number.number)"
    )
    op.execute(
        "UPDATE special_number SET privileged = TRUE WHERE EXISTS (SELECT 1 FROM privileged_number AS listed "
        "WHERE listed.removed_at IS NULL AND listed.facility_id = special_number.facility_id "
        "AND listed.number = special_number.number)"
    )
    op.drop_table("privileged_number")
