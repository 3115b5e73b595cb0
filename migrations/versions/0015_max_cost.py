"""Tell a call that ends at its tariff's highest cost from one whose money is used up."""

from migrations.checks import replace_checks

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BEFORE = ("schedule", "longest_call", "allowance", "balance")


def upgrade() -> None:
    _know((*BEFORE, "max_cost"))


def downgrade() -> None:
    _know(BEFORE)


def _know(cutoffs: tuple[str, ...]) -> None:
    replace_checks("call", {"limit_set_by": cutoffs, "cut_off_by": cutoffs})
