"""What daily work leaves behind: what staff keep, who came and went, what inmates ask for, and appointments."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, text

from accounts.db import Instant, metadata
from ivr.facility.tables import NUMBER, SCOPE, one_of

# What staff have set by a verb; no load of a file changes it. `what` is a word of `ivr.facility.kept`.
kept_setting = Table(
    "kept_setting",
    metadata,
    Column("facility_id", ForeignKey("facility.id"), primary_key=True),
    Column("scope", SCOPE, primary_key=True),
    Column("what", String(64), primary_key=True),
    Column("author", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

# Who was booked, moved, released and transferred, by staff or by the jail-management system; rows are only added.
inmate_event = Table(
    "inmate_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("inmate", ForeignKey("inmate.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("unit_id", String(40)),  # where to
    Column("at", Instant, nullable=False),  # when it happened
    Column("feed_id", String(64)),  # the feed's own id of it; none: by a verb
    Column("applied", Boolean, nullable=False),  # False: a later event of the inmate was there already
    Column("author", Text, nullable=False),
    Column("noted_at", Instant, nullable=False),
    Index("ix_inmate_event_feed", "facility_id", "feed_id", unique=True),
    Index("ix_inmate_event_inmate", "inmate", "at"),
    one_of("kind", "booked", "moved", "released", "transferred"),
)

# Numbers that inmates have asked for by telephone.
number_request = Table(
    "number_request",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("inmate", ForeignKey("inmate.id"), nullable=False),
    Column("number", NUMBER, nullable=False),
    Column("station_id", String(64), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Instant),
    Column("note", Text),
    Index(
        "ix_number_request_waiting",
        "inmate",
        "number",
        unique=True,
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    one_of("state", "waiting", "approved", "refused"),
)

# Calls that staff have agreed on: one inmate, one number, from one time until another.
appointment = Table(
    "appointment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("scope", SCOPE, nullable=False),  # the entry: inmate and number
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("note", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("cancelled_at", Instant),
    Index("ix_appointment_scope", "facility_id", "scope"),
    CheckConstraint("ends_at > starts_at", name="ends_after_start"),
)
