"""${message}.

A revision stands alone: it imports none of our tables, since those go on changing. It runs on SQLite and PostgreSQL,
up and down, and keeps what is in the database. SQLite changes a table by building it anew (`rebuilt` of `migrations.checks`):
triggers on it are lost and have to be made again.
"""

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
