"""PINs alone, their lengths and their change by phone; hotlines by code, whose calls are nobody's."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import add_filled_column, known, open_records, rebuilt, replace_checks

revision = "0020"
down_revision = "0021"
branch_labels = None
depends_on = None

KINDS = ("crime_tips", "prea", "grievance", "legal_aid")
NOT_RECORDED = (
    *("privileged", "relay", "passive", "agency", "facility", "unit", "station", "inmate", "number"),
    "not_connected",
)


def upgrade() -> None:
    add_filled_column("facility", sa.Column("identify_by", sa.String(length=16)), "id_and_pin")
    add_filled_column("facility", sa.Column("pin_least", sa.SmallInteger), "4")
    add_filled_column("facility", sa.Column("pin_most", sa.SmallInteger), "12")
    add_filled_column("facility", sa.Column("pin_change_by_phone", sa.Boolean), sa.true())
    with rebuilt("facility") as batch:
        batch.create_check_constraint(
            op.f("ck_facility_identify_by_known"), known("identify_by", ("id_and_pin", "pin"))
        )
    with rebuilt("inmate") as batch:
        batch.create_unique_constraint(op.f("uq_inmate_facility_id_pin_hash"), ["facility_id", "pin_hash"])
    with rebuilt("special_number") as batch:
        batch.add_column(sa.Column("hotline_kind", sa.String(length=16)))
        batch.add_column(sa.Column("code", sa.String(length=5)))
        batch.create_unique_constraint(op.f("uq_special_number_facility_id_code"), ["facility_id", "code"])
        batch.create_check_constraint(
            op.f("ck_special_number_hotline_kind_known"), known("hotline_kind", KINDS)
        )
    with open_records("call"), rebuilt("call") as batch:
        batch.add_column(sa.Column("hotline_kind", sa.String(length=16)))
        batch.alter_column("inmate", existing_type=sa.Integer, nullable=True)
        batch.create_check_constraint(op.f("ck_call_hotline_kind_known"), known("hotline_kind", KINDS))
        batch.create_check_constraint(
            op.f("ck_call_hotline_of_nobody"), "hotline_kind IS NULL OR inmate IS NULL"
        )
    replace_checks("call", {"not_recorded": (*NOT_RECORDED[:-1], "anonymous", NOT_RECORDED[-1])})


def downgrade() -> None:
    """Earlier revisions know no call of nobody: those are forgotten, with all that is kept of them."""
    call = sa.table("call", sa.column("id"), sa.column("inmate"))
    nobodys = sa.select(call.c.id).where(call.c.inmate.is_(None))
    with open_records("call", "evidence"):
        for name in ("evidence", "leg_quality", "recording"):
            kept = sa.table(name, sa.column("call_id"))
            op.execute(sa.delete(kept).where(kept.c.call_id.in_(nobodys)))
        op.execute(sa.delete(call).where(call.c.inmate.is_(None)))
    replace_checks("call", {"not_recorded": NOT_RECORDED})
    with open_records("call"), rebuilt("call") as batch:
        batch.drop_constraint(op.f("ck_call_hotline_kind_known"), type_="check")
        batch.drop_constraint(op.f("ck_call_hotline_of_nobody"), type_="check")
        batch.drop_column("hotline_kind")
        batch.alter_column("inmate", existing_type=sa.Integer, nullable=False)
    with rebuilt("special_number") as batch:
        batch.drop_constraint(op.f("ck_special_number_hotline_kind_known"), type_="check")
        batch.drop_constraint(op.f("uq_special_number_facility_id_code"), type_="unique")
        batch.drop_column("code")
        batch.drop_column("hotline_kind")
    with rebuilt("inmate") as batch:
        batch.drop_constraint(op.f("uq_inmate_facility_id_pin_hash"), type_="unique")
    with rebuilt("facility") as batch:
        batch.drop_constraint(op.f("ck_facility_identify_by_known"), type_="check")
        for column in ("pin_change_by_phone", "pin_most", "pin_least", "identify_by"):
            batch.drop_column(column)
