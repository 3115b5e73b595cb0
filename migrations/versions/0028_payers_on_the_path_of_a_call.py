"""Every payer of a call, who alone may pay for a number of a list, and the courtesy call's limit."""

import sqlalchemy as sa
from alembic import op

from migrations.checks import open_records, replace_checks

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

PAYERS = ("free", "subscription", "prepaid")
MONEY = ("debit", "card", "paid_call", "direct_bill", "collect")
ALL_PAYERS = (
    *("free", "subscription", "debit", "card", "prepaid"),
    *("paid_call", "direct_bill", "collect", "courtesy"),
)
CUTOFFS = ("schedule", "longest_call", "allowance", "balance", "max_cost", "switched_off")


def upgrade() -> None:
    cutoffs = (*CUTOFFS[:-1], "courtesy", CUTOFFS[-1])
    replace_checks("call", {"payer": ALL_PAYERS, "limit_set_by": cutoffs, "cut_off_by": cutoffs})
    replace_checks("allowed_number", {"payer": ALL_PAYERS[1:-1]})


def downgrade() -> None:
    """What a money account paid counts as prepaid, a courtesy call as free: the words that there were."""
    call = sa.table("call", *map(sa.column, ("payer", "limit_set_by", "cut_off_by")))
    listed = sa.table("allowed_number", sa.column("payer"))
    with open_records("call"):
        op.execute(sa.update(call).where(call.c.payer.in_(MONEY)).values(payer="prepaid"))
        op.execute(sa.update(call).where(call.c.payer == "courtesy").values(payer="free"))
        for column in (call.c.limit_set_by, call.c.cut_off_by):
            op.execute(sa.update(call).where(column == "courtesy").values({column: "longest_call"}))
    op.execute(sa.update(listed).where(listed.c.payer.in_(MONEY)).values(payer=None))
    replace_checks("call", {"payer": PAYERS, "limit_set_by": CUTOFFS, "cut_off_by": CUTOFFS})
    replace_checks("allowed_number", {"payer": PAYERS[1:]})
