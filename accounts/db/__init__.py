"""The one MetaData and the one way to the database, for the accounts, facilities and records."""

from accounts.db.chained import Chain
from accounts.db.database import Database
from accounts.db.errors import (
    DatabaseBusy,
    DatabaseClosed,
    DatabaseError,
    DatabaseUnsuitable,
    LostRace,
    OutcomeUnknown,
)
from accounts.db.inserting import insert_if_new, insert_those_new
from accounts.db.prepared import Prepared
from accounts.db.types import Instant, Micros, Whole, metadata
from accounts.db.writer_lock import WriterLock, WriterLocked

__all__ = [
    "Chain",
    "Database",
    "DatabaseBusy",
    "DatabaseClosed",
    "DatabaseError",
    "DatabaseUnsuitable",
    "Instant",
    "LostRace",
    "Micros",
    "OutcomeUnknown",
    "Prepared",
    "Whole",
    "WriterLock",
    "WriterLocked",
    "insert_if_new",
    "insert_those_new",
    "metadata",
]
