"""Operators with roles, and one chained log of every change, sensitive read and refusal in place of one of changes."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import known

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

ROLES = ("viewer", "operator", "investigator", "administrator")


def upgrade() -> None:
    op.create_table(
        "operator",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("login", sa.Text),
        sa.Column("password_hash", sa.Text),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_operator")),
        sa.CheckConstraint(known("role", ROLES), name=op.f("ck_operator_role_known")),
    )
    standing = sa.text("removed_at IS NULL")
    op.create_index(
        "ix_operator_login",
        "operator",
        ["login"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    _log()
    op.execute(
        "INSERT INTO audit (id, deed, verb, facility_id, about, told, note, author, at) "
        "SELECT id, 'change', change, facility_id, about, told, note, author, at FROM staff_change"
    )
    op.drop_table("staff_change")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT setval('audit_id_seq', (SELECT coalesce(max(id), 0) + 1 FROM audit), false)")
    _append_only()


def _log() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("deed", sa.String(8), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("role", sa.String(16)),
        sa.Column("login", sa.Text),
        sa.Column("facility_id", sa.String(64)),
        sa.Column("verb", sa.String(32), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_audit_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.CheckConstraint(known("deed", ("change", "read", "refused")), name=op.f("ck_audit_deed_known")),
        sa.CheckConstraint(known("role", ROLES), name=op.f("ck_audit_role_known")),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "audit_link",
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("audit_id", sa.Integer, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.CheckConstraint("position > 0", name=op.f("ck_audit_link_position_positive")),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_audit_link_audit_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("audit_id", name=op.f("uq_audit_link_audit_id")),
    )


def _append_only() -> None:
    for table in ("audit", "audit_link"):
        if op.get_bind().dialect.name == "sqlite":
            for change in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END"
                )
            continue
        for name, moment, each in (
            ("change", "UPDATE OR DELETE", "ROW"),
            ("truncate", "TRUNCATE", "STATEMENT"),
        ):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{name} BEFORE {moment} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION transfer_is_append_only()"
            )


def downgrade() -> None:
    """Earlier revisions know changes alone: reads, refusals, the chain and the operators are forgotten."""
    op.create_table(
        "staff_change",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility_id", sa.String(length=64)),
        sa.Column("change", sa.String(length=32), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_staff_change_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_change")),
    )
    op.create_index("ix_staff_change_at", "staff_change", ["at"])
    op.execute(
        "INSERT INTO staff_change (facility_id, change, about, told, note, author, at) "
        "SELECT facility_id, verb, about, told, note, author, at FROM audit WHERE deed = 'change' ORDER BY id"
    )
    op.drop_table("audit_link")
    op.drop_table("audit")
    op.drop_table("operator")
