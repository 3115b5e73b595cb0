"""A digest over each facility's list of privileged numbers, and a word for a list that is in doubt."""

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

from migrations.checks import open_records, replace_checks

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

NOT_RECORDED = (
    *("privileged", "relay", "passive", "agency", "facility", "unit", "station", "inmate", "number"),
    *("anonymous", "not_connected"),
)
ALL_NOT_RECORDED = ("privileged", "list_in_doubt", *NOT_RECORDED[1:])
COVERED = ("id", "scope", "number", "lapses_at", "confirmed_at", "removed_at")


def upgrade() -> None:
    table = op.create_table(
        "privileged_list",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("vouched_by", sa.Text),
        sa.Column("vouched_at", sa.BigInteger),
        sa.Column("vouched_for", sa.String(length=64)),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["facility.id"], name=op.f("fk_privileged_list_facility_id")
        ),
        sa.PrimaryKeyConstraint("facility_id", name=op.f("pk_privileged_list")),
    )
    facility = sa.table("facility", sa.column("id"))
    for facility_id in op.get_bind().scalars(sa.select(facility.c.id)).all():
        op.bulk_insert(table, [{"facility_id": facility_id, "digest": _digest(facility_id)}])
    replace_checks("call", {"not_recorded": ALL_NOT_RECORDED})


def _digest(facility_id: str) -> str:
    listed = sa.table("privileged_number", sa.column("facility_id"), *map(sa.column, COVERED))
    wanted = sa.select(*(listed.c[name] for name in COVERED)).where(listed.c.facility_id == facility_id)
    rows = op.get_bind().execute(wanted.order_by(listed.c.id)).all()
    return sha256("\n".join(["\t".join(map(str, row)) for row in rows]).encode()).hexdigest()


def downgrade() -> None:
    """Calls that were not recorded because of doubt are said not to have been recorded by the facility."""
    with open_records("call"):
        op.execute("UPDATE call SET not_recorded = 'facility' WHERE not_recorded = 'list_in_doubt'")
    replace_checks("call", {"not_recorded": NOT_RECORDED})
    op.drop_table("privileged_list")
