"""A call's row: opened when a number is keyed, sealed once. A sealed row is the call-detail record."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    String,
    and_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from accounts.db import LostRace, Prepared
from accounts.tables import transfer
from ivr.facility import privileged, scopes
from ivr.facility.tables import allowed_number, blocked_number, booking, facility, inmate, station, switch
from ivr.policy.hotline import ANONYMOUS_KINDS, NO_STATION, HotlineKind, coarse
from ivr.policy.level import Level
from ivr.policy.reasons import Outcome
from ivr.policy.request import CallClass
from ivr.policy.rules import NEVER_OVERRIDDEN
from ivr.policy.switching import Way
from ivr.records.nodes import of_node
from ivr.records.states import CallState
from ivr.records.tables import call

#: What an acceptance has in place of a key where the answer is one.
PASSIVE = "passive"
LONGEST_NUMBER = 16  # E.164 with its plus sign

INSTANTS = (
    "dialled_at",
    "answered_at",
    "accepted_at",
    "talk_from_at",
    "talk_to_at",
    "ended_at",
    "switched_off_at",
    "cut_at",
)

_is_this = call.c.id == bindparam("call_id")
_this = select(call).where(_is_this)
_CALL = Prepared(_this)
_LOCKED = Prepared(_this.with_for_update(key_share=True))
_KNOWN = Prepared(select(call.c.id).where(_is_this))
_OPEN = Prepared(insert(call))
_UNSEALED = Prepared(update(call).where(_is_this, call.c.sealed_at.is_(None)))
# In words: for SQLite a column in RETURNING is written without its table, and the subquery would read its own.
_LIST = privileged.list_columns(literal_column("call.facility_id", call.c.facility_id.type))
_OFFER = Prepared(
    update(call)
    .where(
        _is_this,
        call.c.state == bindparam("waiting"),
        call.c.switched_off_at.is_(None),
        call.c.cut_at.is_(None),
    )
    .returning(call, *_LIST)
)
_undecided = update(call).where(
    _is_this,
    call.c.state == CallState.OFFERED,
    call.c.declined.is_(None),
    call.c.switched_off_at.is_(None),
    call.c.cut_at.is_(None),
)
_DECLINE = Prepared(_undecided)
_PREFIXES = [func.substr(call.c.number, 1, length) for length in range(2, LONGEST_NUMBER + 1)]
_OVERRIDDEN = (
    exists()
    .where(
        allowed_number.c.inmate == call.c.inmate,
        allowed_number.c.number == call.c.number,
        allowed_number.c.override_note.is_not(None),
    )
    .correlate(call)
)
_BLOCKED = exists().where(
    blocked_number.c.facility_id == call.c.facility_id,
    # a type is blocked by its name, which is the call's type too where such numbers are ever called
    or_(
        blocked_number.c.number == call.c.call_type, *(blocked_number.c.number == each for each in _PREFIXES)
    ),
    (blocked_number.c.covers != "number") | (blocked_number.c.number == call.c.number),
    (blocked_number.c.scope == scopes.FACILITY)
    | (blocked_number.c.scope == scopes.AGENCY)
    | (blocked_number.c.scope == literal("inmate/") + cast(call.c.inmate, String)),
    blocked_number.c.lifted_at.is_(None),
    or_(*(blocked_number.c.cause == cause for cause in sorted(NEVER_OVERRIDDEN))) | ~_OVERRIDDEN,
)


_before = call.alias("before")
_LANGUAGE = (
    select(_before.c.called_language)
    .where(
        _before.c.number == call.c.number,
        _before.c.called_language.is_not(None),
        _before.c.declined.is_distinct_from(Outcome.NOT_ACCEPTED),  # who presses no key has chosen none
    )
    .order_by(_before.c.keyed_at.desc())
    .limit(1)
    .correlate(call)
    .scalar_subquery()
)
_TO_OFFER = Prepared(
    select(
        func.coalesce(booking.c.recorded_name, inmate.c.recorded_name).label("recorded_name"),
        _LANGUAGE.label("language"),
        facility.c.accept_key,
        facility.c.block_key,
        facility.c.block_confirm_key,
    )
    .select_from(
        call.outerjoin(inmate).outerjoin(booking).join(facility, facility.c.id == call.c.facility_id)
    )
    .where(_is_this)
)


def is_privileged(at: Any) -> ColumnElement[bool]:
    """The condition, of a row of `privileged_number`, that a call's number is privileged for its inmate."""
    return privileged.holds(
        at, facility_id=call.c.facility_id, number=call.c.number, inmate_key=call.c.inmate
    )


_UNIT_OF_STATION = (
    select(station.c.unit_id).where(station.c.id == call.c.station_id).correlate(call).scalar_subquery()
)
_UNIT_OF_INMATE = (
    select(inmate.c.unit_id).where(inmate.c.id == call.c.inmate).correlate(call).scalar_subquery()
)
_AGENCY = (
    select(facility.c.agency_id).where(facility.c.id == call.c.facility_id).correlate(call).scalar_subquery()
)
_SWITCHED_OFF = exists().where(
    switch.c.ended_at.is_(None),
    switch.c.way != Way.FINISH,
    switch.c.scope.in_(
        [
            literal(f"{Level.STATION}/") + call.c.station_id,
            literal(f"{Level.UNIT}/") + call.c.facility_id + "/" + _UNIT_OF_STATION,
            literal(f"{Level.UNIT}/") + call.c.facility_id + "/" + _UNIT_OF_INMATE,
            literal(f"{Level.FACILITY}/") + call.c.facility_id,
            literal(f"{Level.AGENCY}/") + _AGENCY,
        ]
    ),
)
_acceptable = _undecided.where(
    call.c.payer.is_not(None),  # whoever is offered a link to pay is connected to nobody
    call.c.ends_by.is_(None) | (call.c.ends_by > bindparam("at", type_=call.c.ends_by.type)),
    or_(call.c.call_class == CallClass.TRS, ~_BLOCKED),
    ~_SWITCHED_OFF,
    ~exists().where(call.c.privileged.is_(False), is_privileged(bindparam("at", type_=call.c.ends_by.type))),
    or_(bindparam("by_key", type_=call.c.passive.type), call.c.passive.is_(True)),
    ~exists().where(and_(call.c.hold_id.is_not(None), transfer.c.resolves_id == call.c.hold_id)),
)
_ACCEPT = Prepared(_acceptable.returning(call, *_LIST))


def open_call(
    conn: Connection,
    *,
    call_id: str,
    session_id: str,
    facility_id: str,
    station_id: str,
    inmate: int | None,
    dialled: str,
    language: str,
    at: datetime,
    hotline_kind: HotlineKind | None = None,
    booking_id: int | None = None,
    node: str | None = None,
) -> None:
    """The row stands before anything is decided; of an anonymous call it names no station and only the hour."""
    anonymous = hotline_kind in ANONYMOUS_KINDS
    _OPEN.change(
        conn,
        {
            "id": call_id,
            "session_id": session_id,
            "facility_id": facility_id,
            "station_id": NO_STATION if anonymous else station_id,
            "inmate": inmate,
            "hotline_kind": hotline_kind,
            "booking_id": booking_id,
            "node": node,
            "dialled": dialled,
            "inmate_language": language,
            "state": CallState.KEYED,
            "keyed_at": coarse(at) if anonymous else at,
            "cost_heard": False,
        },
    )


def call_of(conn: Connection, call_id: str) -> Row[Any] | None:
    """The call's row."""
    return _CALL.row(conn, {"call_id": call_id})


def is_known(conn: Connection, call_id: str) -> bool:
    """Whether there is such a call."""
    return _KNOWN.row(conn, {"call_id": call_id}) is not None


def lock_call(conn: Connection, call_id: str) -> Row[Any] | None:
    """The call's row, nobody else changing it until this transaction ends.

    Others may still add evidence that refers to it: with a plain FOR UPDATE two who do both would wait for each other.
    """
    return _LOCKED.row(conn, {"call_id": call_id})


def unsealed(conn: Connection, node: str | None = None) -> Sequence[Row[Any]]:
    """Every call that is not settled yet, of this node; without one, of all."""
    mine = of_node(call.c.node, node)
    return conn.execute(select(call).where(call.c.sealed_at.is_(None), mine)).all()


def set_values(conn: Connection, call_id: str, **values: object) -> bool:
    """Note what became known of an unsealed call; False if there is none."""
    return _UNSEALED.change(conn, {"call_id": call_id, **values}) == 1


def allow(conn: Connection, call_id: str, **values: object) -> None:
    """The call may be rung; raises LostRace where its inmate or its number has another one by now."""
    try:
        set_values(conn, call_id, state=CallState.ALLOWED, **values)
    except IntegrityError as refused:
        if "ix_call_live" in str(refused.orig):
            raise LostRace from refused
        raise


def offer(
    conn: Connection, call_id: str, *, dialled_at: datetime | None, carrier: str | None, at: datetime
) -> Row[Any] | None:
    """The called party has answered: the call's row with its facility's list; None if it is not waiting for that."""
    return _OFFER.row(
        conn,
        {
            "call_id": call_id,
            "waiting": CallState.ALLOWED,
            "state": CallState.OFFERED,
            "dialled_at": dialled_at,
            "carrier": carrier,
            "answered_at": at,
        },
    )


def known_to_offer(conn: Connection, call_id: str) -> Row[Any]:
    """What an offer tells of a call that there is: `recorded_name`, in the caller's own voice, where there is one.

    And the `language` in which somebody at the number has last decided on a call, none where nobody has; and the
    facility's keys.
    """
    row = _TO_OFFER.row(conn, {"call_id": call_id})
    assert row is not None
    return row


def accept(conn: Connection, call_id: str, *, key: str, language: str, at: datetime) -> Row[Any] | None:
    """Acceptance is this one update, or none: the call's row with its facility's list as it stood then, or None.

    It holds only while the call is offered and not declined, calling hours go on, its hold is open, its number is still
    not blocked, and has not become privileged since the recording was decided on. The key `PASSIVE` accepts only a call
    of which that was decided. No switch but one that lets calls finish may have been thrown.
    """
    return _ACCEPT.row(
        conn,
        {
            "call_id": call_id,
            "state": CallState.ACCEPTED,
            "at": at,
            "accepted_at": at,
            "accepted_by": key,
            "by_key": key != PASSIVE,
            "called_language": language,
        },
    )


def decline(conn: Connection, call_id: str, outcome: Outcome, language: str) -> bool:
    """What the called party chose instead of accepting; the first choice stands. Whether it is this one."""
    chosen = {"call_id": call_id, "declined": outcome, "called_language": language}
    return _DECLINE.change(conn, chosen) == 1


def still_alive(conn: Connection, call_ids: Sequence[str], at: datetime) -> int:
    """These calls were seen in Asterisk just now; how many of them are not settled."""
    seen = update(call).where(call.c.id.in_(call_ids), call.c.sealed_at.is_(None)).values(last_seen_at=at)
    return conn.execute(seen).rowcount


def cut_ones(conn: Connection) -> Sequence[str]:
    """The calls that staff have cut off and that are not settled yet."""
    return conn.scalars(select(call.c.id).where(call.c.cut_at.is_not(None), call.c.sealed_at.is_(None))).all()


def is_relay(conn: Connection, begins: str) -> bool:
    """Whether the call in progress whose id begins so is one over a relay."""
    this = select(call.c.call_class).where(call.c.id.startswith(begins), call.c.sealed_at.is_(None))
    return conn.scalar(this) == CallClass.TRS


def seal(conn: Connection, call_id: str, values: Mapping[str, object], at: datetime) -> None:
    """Close the record; from now on the database refuses every change to it."""
    _UNSEALED.change(conn, {"call_id": call_id, **values, "state": CallState.SEALED, "sealed_at": at})


def without_trace(row: Row[Any], values: Mapping[str, object]) -> dict[str, object]:
    """What seals an anonymous call in place of these values: every instant no finer than its hour."""
    known = {**row._mapping, **values}
    instants = {name: known.get(name) for name in INSTANTS}
    hours = {name: coarse(at) for name, at in instants.items() if isinstance(at, datetime)}
    return {**values, **hours, "last_seen_at": None}
