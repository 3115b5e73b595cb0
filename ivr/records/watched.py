"""Inmates and numbers whose calls somebody is told of as they are accepted; nobody on the line notices."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    and_,
    insert,
    select,
    text,
    update,
)

from accounts import outbox
from accounts.db import Instant, metadata
from accounts.outbox import NoticeKind
from ivr.facility.tables import NUMBER, facility, inmate
from ivr.records import listening

STANDING: Final = text("ended_at IS NULL")

watched: Final = Table(
    "watched",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility_id", ForeignKey("facility.id"), nullable=False),
    Column("inmate", ForeignKey("inmate.id")),
    Column("number", NUMBER),
    Column("sms", NUMBER),  # whom to tell
    Column("email", Text),
    Column("phone", String(40)),  # a telephone of staff that is rung to listen
    Column("note", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("ended_at", Instant),
    CheckConstraint("(inmate IS NULL) <> (number IS NULL)", name="one_thing"),
    CheckConstraint("sms IS NOT NULL OR email IS NOT NULL OR phone IS NOT NULL", name="somebody_is_told"),
    Index("ix_watched_standing", "facility_id", sqlite_where=STANDING, postgresql_where=STANDING),
)


def add(conn: Connection, **values: object) -> int:
    """Watch an inmate or a number; its id."""
    key = conn.execute(insert(watched), values).inserted_primary_key
    assert key is not None
    return int(key[0])


def end(conn: Connection, watched_id: int, at: datetime) -> bool:
    """Watch no longer; False where there is no such one."""
    this = update(watched).where(watched.c.id == watched_id, watched.c.ended_at.is_(None))
    return conn.execute(this.values(ended_at=at)).rowcount == 1


def standing(conn: Connection) -> Sequence[Row[Any]]:
    """All that are watched, the oldest first."""
    rows = select(watched, inmate.c.inmate_id).outerjoin(inmate, inmate.c.id == watched.c.inmate)
    return conn.execute(rows.where(watched.c.ended_at.is_(None)).order_by(watched.c.id)).all()


def tell_of(conn: Connection, row: Row[Any], at: datetime, new_id: Any) -> bool:
    """A call is accepted: have those told who watch its inmate or number, and their telephones rung to listen.

    `row` is the call's. Nothing is done for a call that nobody may hear: that is for whoever calls this to know.
    Whether a telephone is to be rung.
    """
    rings = False
    for each in conn.execute(_watching(row)):
        outbox.tell_by(
            conn,
            sms=each.sms,
            email=each.email,
            language="en",
            kind=NoticeKind.WATCHED_CALL,
            key=f"watched/{each.id}/{row.id}",
            told={
                "facility": each.facility,
                "number": row.number,
                "inmate": each.inmate_id or "-",
                "call": row.id[:8],
            },
            at=at,
        )
        if each.phone is not None:
            rings = True
            listening.begin(
                conn,
                listening_id=new_id(),
                call_id=row.id,
                author=each.author,
                note=f"watched: {each.note}",
                phone=each.phone,
                at=at,
            )
    return rings


def _watching(row: Row[Any]) -> Any:
    theirs = watched.c.number == row.number
    if row.inmate is not None:
        theirs |= watched.c.inmate == row.inmate
    named = select(watched, facility.c.name.label("facility"), inmate.c.inmate_id)
    joined = named.join(facility, facility.c.id == watched.c.facility_id)
    whose = joined.outerjoin(inmate, inmate.c.id == row.inmate)
    return whose.where(and_(watched.c.facility_id == row.facility_id, watched.c.ended_at.is_(None), theirs))
