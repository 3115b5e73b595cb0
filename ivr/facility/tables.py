"""What a facility's staff set: who may call whom, when, and at what price."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from accounts.db import Instant, Micros, metadata
from ivr.policy.request import BlockCause, InmateState
from rating.site import FacilityKind, Operator

NUMBER = String(16)  # E.164 with its plus sign (ITU-T E.164: 15 digits)


def one_of(column: str, *words: str) -> CheckConstraint:
    """A CHECK that a column holds one of an enumeration's words: the database knows no others."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


facility = Table(
    "facility",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("operator", String(16), nullable=False),
    Column("average_daily_population", Integer),
    Column("state", String(2), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("caller_id", NUMBER, nullable=False),
    Column("inmate_id_digits", SmallInteger, nullable=False),
    Column("longest_call_ms", Integer, nullable=False),
    Column("ring_seconds", SmallInteger, nullable=False),
    Column("records", Boolean, nullable=False),
    Column("taxes", Text, nullable=False),  # the table of taxes, as it was reviewed
    Column("localities", Text, nullable=False),  # parted by spaces
    one_of("kind", *FacilityKind),
    one_of("operator", *Operator),
)

local_exchange = Table(
    "local_exchange",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("exchange", String(6), primary_key=True),  # area code and exchange: NPA-NXX
)

station = Table(
    "station",
    metadata,
    Column("id", String(64), primary_key=True),  # the name of its PJSIP endpoint
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("label", Text, nullable=False),
)

schedule_window = Table(
    "schedule_window",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False, index=True),
    Column("weekday", SmallInteger, nullable=False),  # Monday is 0
    Column("opens", String(5), nullable=False),  # HH:MM, the facility's time zone
    Column("closes", String(5), nullable=False),
)

inmate = Table(
    "inmate",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("inmate_id", String(12), nullable=False),  # the digits that are keyed
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("pin_hash", String(64), nullable=False),
    Column("pin_key_id", String(16), nullable=False),
    Column("recorded_name", LargeBinary),  # mu-law, 8,000 samples a second
    UniqueConstraint("facility_id", "inmate_id"),
    one_of("state", *InmateState),
)

allowed_number = Table(
    "allowed_number",
    metadata,
    Column("inmate", ForeignKey("inmate.id"), primary_key=True),
    Column("number", NUMBER, primary_key=True),
    Column("speed_dial", String(2)),
    Column("records", Boolean, nullable=False),
    UniqueConstraint("inmate", "speed_dial"),
)

blocked_number = Table(
    "blocked_number",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("number", NUMBER, nullable=False),
    Column("cause", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("blocked_at", Instant, nullable=False),
    Column("lifted_at", Instant),
    Index(
        "ix_blocked_number_live",
        "facility_id",
        "number",
        unique=True,
        sqlite_where=text("lifted_at IS NULL"),
        postgresql_where=text("lifted_at IS NULL"),
    ),
    one_of("cause", *BlockCause),
)

special_number = Table(
    "special_number",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("number", NUMBER, primary_key=True),
    Column("label", Text, nullable=False),
    Column("privileged", Boolean, nullable=False),
    Column("free", Boolean, nullable=False),
)

# The files of tariffs as they were reviewed; `ivr.facility.tariffs` reads them.
tariff = Table(
    "tariff",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),  # inclusive; none: until further notice
    Column("sha256", String(64), nullable=False),
    Column("text", Text, nullable=False),  # TOML
)

plan = Table(
    "plan",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("price", Micros, nullable=False),
    Column("calls", Integer, nullable=False),
)
