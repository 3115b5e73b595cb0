"""How long a facility keeps recordings, and what becomes of a talk that must be recorded and is not."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import add_filled_column, known, open_records, rebuilt, replace_checks

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

CUTOFFS = ("schedule", "longest_call", "allowance", "balance", "max_cost", "courtesy", "switched_off")
NOT_RECORDED = (
    *("privileged", "list_in_doubt", "relay", "passive", "agency", "facility", "unit", "station"),
    *("inmate", "number", "anonymous", "not_connected"),
)
FINDINGS = ("missing", "changed", "too_short", "privileged")
DUE = sa.text("state = 'kept' AND sealed_at IS NULL AND legal_hold_at IS NULL")


def upgrade() -> None:
    """Facilities that are there keep recordings for a year, and end a talk that is not recorded."""
    add_filled_column("facility", sa.Column("recordings_kept_days", sa.Integer), sa.text("365"))
    add_filled_column("facility", sa.Column("when_unrecorded", sa.String(length=8)), "end")
    with rebuilt("facility") as batch:
        batch.create_check_constraint(
            op.f("ck_facility_when_unrecorded_known"), known("when_unrecorded", ("end", "alert"))
        )
    op.add_column("call", sa.Column("unrecorded_at", sa.BigInteger))
    both = (*CUTOFFS, "unrecorded")
    replace_checks(
        "call",
        {"limit_set_by": both, "cut_off_by": both, "not_recorded": (*NOT_RECORDED, "failed")},
    )
    with rebuilt("recording") as batch:
        batch.add_column(sa.Column("finding", sa.String(length=16)))
        batch.create_check_constraint(op.f("ck_recording_finding_known"), known("finding", FINDINGS))
    op.create_index("ix_recording_kept", "recording", ["started_at"], sqlite_where=DUE, postgresql_where=DUE)


def downgrade() -> None:
    """Earlier revisions know no word for a recording that failed: its limit ended such a talk."""
    call = sa.table("call", *map(sa.column, ("cut_off_by", "not_recorded", "limit_set_by")))
    op.drop_index("ix_recording_kept", "recording")
    with rebuilt("recording") as batch:
        batch.drop_constraint(op.f("ck_recording_finding_known"), type_="check")
        batch.drop_column("finding")
    with open_records("call"):
        cut = call.c.cut_off_by == "unrecorded"
        op.execute(sa.update(call).where(cut).values(cut_off_by=call.c.limit_set_by))
        op.execute(sa.update(call).where(call.c.not_recorded == "failed").values(not_recorded=None))
    replace_checks("call", {"limit_set_by": CUTOFFS, "cut_off_by": CUTOFFS, "not_recorded": NOT_RECORDED})
    with open_records("call"), rebuilt("call") as batch:
        batch.drop_column("unrecorded_at")
    with rebuilt("facility") as batch:
        batch.drop_constraint(op.f("ck_facility_when_unrecorded_known"), type_="check")
        batch.drop_column("when_unrecorded")
        batch.drop_column("recordings_kept_days")
