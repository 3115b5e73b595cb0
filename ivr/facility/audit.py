"""Who did what: one log of every change, sensitive read and refusal. Rows are only added, and a chain covers each."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    insert,
    type_coerce,
)

from accounts.db import Chain, Instant, metadata
from ivr.facility.tables import one_of
from ivr.policy.roles import Role


class Deed(StrEnum):
    """What a row of the log tells."""

    CHANGE = "change"
    READ = "read"
    REFUSED = "refused"


# Append only: triggers made by the migration refuse UPDATE and DELETE.
audit: Final = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("deed", String(8), nullable=False),
    Column("author", Text, nullable=False),  # an operator; or the feed, the console, an inmate by telephone
    Column("role", String(16)),  # the operator's, at that time
    Column("login", Text),  # the user of the system who ran the command
    Column("facility_id", ForeignKey("facility.id")),  # none: of several at once, or of none
    Column("verb", String(32), nullable=False),
    Column("about", Text, nullable=False),
    Column("told", Text, nullable=False),  # what was done, or why not, in a sentence
    Column("note", Text, nullable=False),
    one_of("deed", *Deed),
    one_of("role", *Role),
    Index("ix_audit_at", "at"),
)

audit_link: Final = Table(
    "audit_link",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("audit_id", ForeignKey("audit.id"), nullable=False, unique=True),
    Column("hash", Text, nullable=False),
    CheckConstraint("position > 0", name="position_positive"),
)

#: Every field of a row is covered.
AUDIT: Final = Chain(
    "audit log",
    audit_link,
    audit_link.c.audit_id,
    (
        audit.c.id,
        type_coerce(audit.c.at, BigInteger),
        *(audit.c[name] for name in ("deed", "author", "role", "login", "facility_id")),
        *(audit.c[name] for name in ("verb", "about", "told", "note")),
    ),
    audit.c.at,
)


def log(
    conn: Connection,
    deed: Deed,
    verb: str,
    about: str,
    told: str,
    *,
    author: str,
    at: datetime,
    note: str = "",
    facility_id: str | None = None,
    role: Role | None = None,
    login: str | None = None,
) -> None:
    """Add a row, in the transaction of what it tells of."""
    row = {"deed": deed, "verb": verb, "about": about, "told": told, "note": note, "author": author, "at": at}
    conn.execute(insert(audit), {**row, "facility_id": facility_id, "role": role, "login": login})
