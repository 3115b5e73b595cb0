"""Keep tariffs, plans and taxes as they were reviewed; with each call its price, its agency's part and its hour."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from migrations.checks import rebuilt

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KINDS, OLD_KINDS = "kind IN ('jail', 'prison', 'juvenile')", "kind IN ('jail', 'prison')"
OPERATORS = "operator IN ('state', 'county', 'city', 'federal')"
CALL_COLUMNS = {
    "price": sa.Text(),
    "held": sa.BigInteger(),
    "ends_by": sa.BigInteger(),
    "connect_fee": sa.BigInteger(),
    "tax": sa.BigInteger(),
    "taxes": sa.Text(),
    "agency_rule": sa.String(length=64),
    "agency_charge": sa.BigInteger(),
}
OLD_CALL_COLUMNS = {
    "per_minute": sa.BigInteger(),
    "first_seconds": sa.Integer(),
    "next_seconds": sa.Integer(),
}


def upgrade() -> None:
    with rebuilt("facility") as facility:
        # what a facility was before nobody knows; its file says it anew
        facility.add_column(
            sa.Column("operator", sa.String(length=16), nullable=False, server_default="county")
        )
        facility.add_column(sa.Column("average_daily_population", sa.Integer))
        facility.add_column(sa.Column("taxes", sa.Text, nullable=False, server_default=""))
        facility.add_column(sa.Column("localities", sa.Text, nullable=False, server_default=""))
        facility.drop_constraint(op.f("ck_facility_kind_known"), type_="check")
        facility.create_check_constraint(op.f("ck_facility_kind_known"), KINDS)
        facility.create_check_constraint(op.f("ck_facility_operator_known"), OPERATORS)
    with rebuilt("facility") as facility:
        for column in ("operator", "taxes", "localities"):
            facility.alter_column(column, server_default=None, existing_nullable=False)
    op.drop_table("tariff")  # its prices come again from reviewed files
    op.create_table(
        "tariff",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_tariff_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "id", name=op.f("pk_tariff")),
    )
    op.create_table(
        "plan",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("price", sa.BigInteger, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_plan_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "id", name=op.f("pk_plan")),
    )
    # not in a batch, which would make the table anew and lose its triggers
    for name, kind in CALL_COLUMNS.items():
        op.add_column("call", sa.Column(name, kind))
    with _records_open():
        _carry_prices_over()
    for name in OLD_CALL_COLUMNS:
        op.drop_column("call", name)


@contextmanager
def _records_open() -> Iterator[None]:
    """A sealed call is never changed; here it says in other words what it said before."""
    if op.get_bind().dialect.name == "sqlite":
        sealed = op.get_bind().scalar(
            sa.text("SELECT sql FROM sqlite_master WHERE name = 'call_refuses_update'")
        )
        op.execute("DROP TRIGGER call_refuses_update")
        yield
        op.execute(sealed)
    else:
        op.execute("ALTER TABLE call DISABLE TRIGGER call_refuses_change")
        yield
        op.execute("ALTER TABLE call ENABLE TRIGGER call_refuses_change")


def _carry_prices_over() -> None:
    conn = op.get_bind()
    conn.execute(
        sa.text("UPDATE call SET held = (SELECT amount FROM transfer WHERE transfer.id = call.hold_id)")
    )
    priced = sa.text(
        "SELECT DISTINCT per_minute, first_seconds, next_seconds FROM call WHERE per_minute IS NOT NULL"
    )
    for per_minute, first, following in conn.execute(priced).all():
        conn.execute(
            sa.text(
                "UPDATE call SET price = :price WHERE per_minute = :per_minute AND first_seconds = :first "
                "AND next_seconds = :following"
            ),
            {
                "price": _price_text(per_minute, first, following),
                "per_minute": per_minute,
                "first": first,
                "following": following,
            },
        )


def _price_text(per_minute: int, first: int, following: int) -> str:
    """A price as `rating.price` wrote it when this revision was made."""
    price = f"{per_minute // 1_000_000}.{per_minute % 1_000_000:06d}"
    steps = [(0, first)] if first == following else [(0, first), (first, following)]
    rate = {
        "steps": [
            {"from_s": start, "price": price, "per_s": 60, "increment_s": each} for start, each in steps
        ],
        "connect_fee": "0.00",
        "minimum": "0.00",
        "max_cost": None,
        "max_cost_then": "disconnect",
        "rounding": {"method": "down", "decimals": 6},
    }
    entry = {"days": [1, 2, 3, 4, 5, 6, 7], "start": "00:00:00", "rate": 0}
    fields = {"zone": "UTC", "entries": [entry], "holidays": [], "rates": [rate], "taxes": []}
    return json.dumps({**fields, "agency_percent": 0}, separators=(",", ":"))


def downgrade() -> None:
    for name, kind in OLD_CALL_COLUMNS.items():
        op.add_column("call", sa.Column(name, kind))
    for name in CALL_COLUMNS:
        op.drop_column("call", name)
    op.drop_table("plan")
    op.drop_table("tariff")
    op.create_table(
        "tariff",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("call_type", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("per_minute", sa.BigInteger, nullable=False),
        sa.Column("first_seconds", sa.Integer, nullable=False),
        sa.Column("next_seconds", sa.Integer, nullable=False),
        sa.CheckConstraint(
            "call_type IN ('local', 'intrastate', 'interstate', 'international', 'toll_free')",
            name=op.f("ck_tariff_call_type_known"),
        ),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_tariff_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "call_type", "valid_from", name=op.f("pk_tariff")),
    )
    op.execute("UPDATE facility SET kind = 'jail' WHERE kind = 'juvenile'")
    with rebuilt("facility") as facility:
        facility.drop_constraint(op.f("ck_facility_operator_known"), type_="check")
        facility.drop_constraint(op.f("ck_facility_kind_known"), type_="check")
        facility.create_check_constraint(op.f("ck_facility_kind_known"), OLD_KINDS)
        for column in ("localities", "taxes", "average_daily_population", "operator"):
            facility.drop_column(column)
