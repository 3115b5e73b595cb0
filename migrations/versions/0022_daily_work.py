"""Daily work: what staff keep, who came and went, numbers asked for by telephone, appointments, payers of an entry."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import add_filled_column, known, rebuilt

revision = "0022"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_filled_column("facility", sa.Column("requests_by_phone", sa.Boolean), sa.false())
    add_filled_column("facility", sa.Column("requests_waiting_maximum", sa.SmallInteger), "5")
    add_filled_column("special_number", sa.Column("allowed", sa.Boolean), sa.false())
    with rebuilt("allowed_number") as batch:
        batch.add_column(sa.Column("payer", sa.String(length=16)))
        batch.create_check_constraint(
            op.f("ck_allowed_number_payer_known"), known("payer", ("subscription", "prepaid"))
        )
    op.create_table(
        "kept_setting",
        _facility_id("kept_setting"),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("facility_id", "scope", "what", name=op.f("pk_kept_setting")),
    )
    _events()
    _requests()
    op.create_table(
        "appointment",
        sa.Column("id", sa.Integer, nullable=False),
        _facility_id("appointment"),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("set_at", sa.BigInteger, nullable=False),
        sa.Column("cancelled_at", sa.BigInteger),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_appointment_ends_after_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
    )
    op.create_index("ix_appointment_scope", "appointment", ["facility_id", "scope"])


def _facility_id(table: str) -> "sa.Column[str]":
    key = sa.ForeignKey("facility.id", name=op.f(f"fk_{table}_facility_id"))
    return sa.Column("facility_id", sa.String(length=64), key, nullable=False)


def _inmate(table: str) -> "sa.Column[int]":
    key = sa.ForeignKey("inmate.id", name=op.f(f"fk_{table}_inmate"))
    return sa.Column("inmate", sa.Integer, key, nullable=False)


def _events() -> None:
    kinds = known("kind", ("booked", "moved", "released", "transferred"))
    op.create_table(
        "inmate_event",
        sa.Column("id", sa.Integer, nullable=False),
        _facility_id("inmate_event"),
        _inmate("inmate_event"),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("unit_id", sa.String(length=40)),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("feed_id", sa.String(length=64)),
        sa.Column("applied", sa.Boolean, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("noted_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint(kinds, name=op.f("ck_inmate_event_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inmate_event")),
    )
    op.create_index("ix_inmate_event_feed", "inmate_event", ["facility_id", "feed_id"], unique=True)
    op.create_index("ix_inmate_event_inmate", "inmate_event", ["inmate", "at"])


def _requests() -> None:
    states = known("state", ("waiting", "approved", "refused"))
    op.create_table(
        "number_request",
        sa.Column("id", sa.Integer, nullable=False),
        _inmate("number_request"),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("station_id", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("note", sa.Text),
        sa.CheckConstraint(states, name=op.f("ck_number_request_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_request")),
    )
    op.create_index(
        "ix_number_request_waiting",
        "number_request",
        ["inmate", "number"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )


def downgrade() -> None:
    for table in ("appointment", "number_request", "inmate_event", "kept_setting"):
        op.drop_table(table)
    with rebuilt("allowed_number") as batch:
        batch.drop_constraint(op.f("ck_allowed_number_payer_known"), type_="check")
        batch.drop_column("payer")
    op.drop_column("special_number", "allowed")
    with rebuilt("facility") as batch:
        batch.drop_column("requests_by_phone")
        batch.drop_column("requests_waiting_maximum")
