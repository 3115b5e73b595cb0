"""A facility's list of privileged numbers is found without reading those of the others."""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_privileged_number_of_facility", "privileged_number", ["facility_id"])


def downgrade() -> None:
    op.drop_index("ix_privileged_number_of_facility", table_name="privileged_number")
