"""The list of privileged numbers: when a row of it holds, what is done to it, and whether it is what was written.

A digest over the whole list is kept beside it and written anew with each change. Where the two differ, rows were lost
or changed by something else, and nothing is recorded until two operators vouch for the list.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    String,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    update,
)

from accounts.db import Prepared, insert_if_new
from ivr.facility import scopes
from ivr.facility.tables import facility, privileged_list, privileged_number
from ivr.policy.level import Level
from ivr.policy.privilege import WAITS_FOR_ANOTHER, PrivilegeKind, PrivilegeSource, Shrinking

_row = privileged_number.c


def holds(at: Any, *, facility_id: Any, number: Any, inmate_key: Any) -> ColumnElement[bool]:
    """The condition that a row makes a number privileged for an inmate: confirmed, or not lapsed yet.

    Each may be a value, a bound parameter or a column of another table. Where nobody knows who calls there is no key,
    and what is privileged for anybody is privileged: they may be the one whose lawyer it is.
    """
    return and_(
        _row.facility_id == facility_id,
        _row.number == number,
        is_whose(inmate_key),
        _row.removed_at.is_(None),
        or_(_row.confirmed_at.is_not(None), _row.lapses_at > at),
    )


def is_whose(inmate_key: Any) -> ColumnElement[bool]:
    """The condition that a row is everybody's, or this inmate's; of nobody who is known it may be anybody's."""
    own = literal(f"{Level.INMATE}/") + cast(inmate_key, String)  # NULL without a key
    return or_(is_everybodys(), _row.scope == own, own.is_(None))


def is_everybodys() -> ColumnElement[bool]:
    """The condition that a row is the whole facility's, or that of every facility of its agency."""
    return or_(_row.scope == scopes.FACILITY, _row.scope == scopes.AGENCY)


def standing(
    conn: Connection, facility_id: str, at: datetime, *, number: str | None = None, scope: str | None = None
) -> Sequence[Row[Any]]:
    """The rows of a facility that hold, of one number or scope or of all."""
    wanted = select(privileged_number).where(
        _row.facility_id == facility_id,
        _row.removed_at.is_(None),
        or_(_row.confirmed_at.is_not(None), _row.lapses_at > at),
    )
    if number is not None:
        wanted = wanted.where(_row.number == number)
    if scope is not None:
        wanted = wanted.where(_row.scope == scope)
    return conn.execute(wanted.order_by(_row.number, _row.id)).all()


def standing_anywhere(conn: Connection, number: str, at: datetime) -> Sequence[Row[Any]]:
    """The rows of every facility that hold for a number, the oldest first, with their facility's time zone."""
    wanted = (
        select(privileged_number, facility.c.time_zone)
        .join(facility, facility.c.id == _row.facility_id)
        .where(
            _row.number == number,
            _row.removed_at.is_(None),
            or_(_row.confirmed_at.is_not(None), _row.lapses_at > at),
        )
    )
    return conn.execute(wanted.order_by(_row.facility_id, _row.added_at, _row.id)).all()


def numbers(conn: Connection, facility_id: str, at: datetime) -> set[tuple[str, str]]:
    """Each privileged number with its scope."""
    return {(row.number, row.scope) for row in standing(conn, facility_id, at)}


@dataclass(frozen=True, slots=True)
class Changing:
    """A facility's list while it is changed."""

    _conn: Connection
    _facility_id: str

    def add(
        self,
        *,
        scope: str,
        number: str,
        kind: PrivilegeKind,
        source: PrivilegeSource,
        note: str,
        author: str,
        at: datetime,
        untimed: bool = False,
        bar_number: str | None = None,
        document_sha256: str | None = None,
        confirmed_by: str | None = None,
    ) -> None:
        """From now on the number is privileged: until it lapses, or for good where somebody has confirmed it.

        What stands there unconfirmed, or has lapsed, makes way.
        """
        self._make_way(scope, number, untimed=untimed, at=at)
        self._conn.execute(
            insert(privileged_number).values(
                facility_id=self._facility_id,
                scope=scope,
                number=number,
                untimed=untimed,
                kind=kind,
                source=source,
                bar_number=bar_number,
                document_sha256=document_sha256,
                note=note,
                author=author,
                added_at=at,
                lapses_at=at + WAITS_FOR_ANOTHER,
                confirmed_by=confirmed_by,
                confirmed_at=at if confirmed_by else None,
            )
        )

    def copy(self, other: Row[Any], at: datetime) -> None:
        """A row of another facility's list becomes one of this, with all that was said and asked of it."""
        self._make_way(other.scope, other.number, untimed=other.untimed, at=at)
        values = {name: value for name, value in other._asdict().items() if name != "id"}
        self._conn.execute(insert(privileged_number).values({**values, "facility_id": self._facility_id}))

    def _make_way(self, scope: str, number: str, *, untimed: bool, at: datetime) -> None:
        same = (_row.facility_id == self._facility_id, _row.scope == scope, _row.number == number)
        before = update(privileged_number).where(
            *same, _row.removed_at.is_(None), _row.confirmed_at.is_(None)
        )
        self._conn.execute(before.where(_row.untimed.is_(untimed)).values(removed_at=at))

    def ask(self, row_id: int, how: Shrinking, *, author: str, at: datetime, to: str | None = None) -> None:
        """Somebody wants the row to shrink (for NARROW: to this scope), which another operator has to confirm."""
        until = at + WAITS_FOR_ANOTHER
        self.change(row_id, asked=how, asked_scope=to, asked_by=author, asked_until=until)

    def change(self, row_id: int, **values: object) -> None:
        """Change one row."""
        of_list = (_row.id == row_id, _row.facility_id == self._facility_id)
        self._conn.execute(update(privileged_number).where(*of_list).values(**values))


@contextmanager
def changing(conn: Connection, facility_id: str) -> Iterator[Changing]:
    """Nobody else changes the list meanwhile; its digest is written anew, that of a list in doubt stays as it is."""
    was_intact = _locked_intact(conn, facility_id)
    yield Changing(conn, facility_id)
    if was_intact:
        _sign(conn, facility_id)


def begin(conn: Connection, facility_id: str) -> None:
    """A new facility's list is in no doubt; one that has a list keeps it."""
    insert_if_new(conn, privileged_list, {"facility_id": facility_id, "digest": _digest(conn, facility_id)})


def intact(conn: Connection, facility_id: str) -> bool:
    """Whether the list is what was last written to it: nothing is recorded at a facility whose list is in doubt."""
    return is_intact(_list(conn, facility_id))


def vouch(conn: Connection, facility_id: str, author: str, at: datetime) -> str | None:
    """Take a list in doubt for right when two operators say so; who has said it before, or None for the first.

    Both mean the same list: where it has changed since, or the first was too long ago, the second is the first.
    """
    this = update(privileged_list).where(privileged_list.c.facility_id == facility_id)
    row = conn.execute(
        select(privileged_list).where(privileged_list.c.facility_id == facility_id)
    ).one_or_none()
    if row is None:
        begin(conn, facility_id)
        now = _digest(conn, facility_id)
        conn.execute(this.values(digest="", vouched_by=author, vouched_at=at, vouched_for=now))
        return None
    now = _digest(conn, facility_id)
    late = row.vouched_at is None or at > row.vouched_at + WAITS_FOR_ANOTHER
    if row.vouched_by in (None, author) or row.vouched_for != now or late:
        conn.execute(this.values(vouched_by=author, vouched_at=at, vouched_for=now))
        return None
    conn.execute(this.values(digest=now, vouched_by=None, vouched_at=None, vouched_for=None))
    first: str = row.vouched_by
    return first


_LOCK = Prepared(
    select(privileged_list.c.digest)
    .where(privileged_list.c.facility_id == bindparam("facility_id"))
    .with_for_update()
)
#: What of a row decides on whether a number is privileged, as the database keeps it.
_COVERED: Sequence[Any] = (
    _row.id,
    _row.scope,
    _row.number,
    *(type_coerce(column, BigInteger) for column in (_row.lapses_at, _row.confirmed_at, _row.removed_at)),
)
_FIELDS: Sequence[ColumnElement[str]] = [func.coalesce(cast(column, String), "None") for column in _COVERED]
_LINE = reduce(lambda line, field: line + literal("\t") + field, _FIELDS)


def list_columns(facility_id: Any) -> tuple[ColumnElement[Any], ...]:
    """`list_digest` and `list_text`, for whatever statement has to know whether a facility's list is what was written.

    The text holds every row that there ever was. The database puts it together, as a list may have thousands of rows
    and is looked at three times a call. `facility_id` may be a column of the statement's own tables: in
    words, where the statement returns rows that it has changed.
    """
    ours = privileged_list.c.facility_id == facility_id
    written = select(privileged_list.c.digest).where(ours).scalar_subquery()
    lines = func.string_agg(_LINE, literal("\n")).aggregate_order_by(_row.id)
    stands = select(func.coalesce(lines, "")).where(_row.facility_id == facility_id).scalar_subquery()
    return (
        written.correlate_except(privileged_list).label("list_digest"),
        stands.correlate_except(privileged_number).label("list_text"),
    )


def is_intact(row: Row[Any]) -> bool:
    """Whether the list whose `list_columns` a row has is what was last written to it."""
    return bool(row.list_digest == _digest_of(row.list_text))


_LIST = Prepared(select(*list_columns(bindparam("facility_id", type_=_row.facility_id.type))))


def _digest(conn: Connection, facility_id: str) -> str:
    """The digest of the list as it stands."""
    return _digest_of(_list(conn, facility_id).list_text)


def _digest_of(listed: str) -> str:
    """SHA-256 of the list's text, as hexadecimal."""
    return sha256(listed.encode()).hexdigest()


def _list(conn: Connection, facility_id: str) -> Row[Any]:
    row = _LIST.row(conn, {"facility_id": facility_id})
    assert row is not None  # it has one whatever there is
    return row


def _locked_intact(conn: Connection, facility_id: str) -> bool:
    """The same, nobody else changing the list until this transaction ends."""
    _LOCK.value(conn, {"facility_id": facility_id})
    return intact(conn, facility_id)


def _sign(conn: Connection, facility_id: str) -> None:
    this = update(privileged_list).where(privileged_list.c.facility_id == facility_id)
    conn.execute(this.values(digest=_digest(conn, facility_id)))
