"""Call-detail records, as people read them: lists that fit a terminal, and one call told whole."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, select, true

from ivr.facility.tables import facility, inmate
from ivr.policy.hotline import NO_STATION
from ivr.policy.request import PAID_IN_CALLS
from ivr.records.tables import call, leg_quality, recording, session
from rating.money import Money, format_money
from rating.price import price_from_text
from rating.quote import in_words

_LISTED = (
    call,
    inmate.c.inmate_id,
    facility.c.name.label("facility"),
    facility.c.time_zone,
    recording.c.id.label("recording_id"),
    recording.c.state.label("recording_state"),
    recording.c.talk_ms.label("recorded_ms"),
    recording.c.sha256,
    recording.c.sealed_at.label("recording_sealed_at"),
    recording.c.sealed_because.label("recording_sealed_because"),
)


def _joined() -> Any:
    return (
        select(*_LISTED)
        .outerjoin(inmate, inmate.c.id == call.c.inmate)  # of some calls nobody knows whose they are
        .join(facility, facility.c.id == call.c.facility_id)
        .outerjoin(recording, recording.c.call_id == call.c.id)
    )


def in_progress(conn: Connection, *, hidden: bool = False) -> Sequence[Row[Any]]:
    """Calls that are not settled yet, the oldest first; anonymous ones only where asked for."""
    live = _joined().where(call.c.sealed_at.is_(None), _shown_to(hidden=hidden))
    return conn.execute(live.order_by(call.c.keyed_at)).all()


def newest(conn: Connection, most: int, *, hidden: bool = False) -> Sequence[Row[Any]]:
    """The records sealed last, the newest first; of anonymous calls only where asked for."""
    sealed = _joined().where(call.c.sealed_at.is_not(None), _shown_to(hidden=hidden))
    return conn.execute(sealed.order_by(call.c.sealed_at.desc()).limit(most)).all()


def ids_starting(conn: Connection, start: str, *, hidden: bool = False) -> Sequence[str]:
    """The ids of calls that begin so, two at most: enough to see whether it is one."""
    begin_so = select(call.c.id).where(call.c.id >= start, call.c.id < start + "g", _shown_to(hidden=hidden))
    return conn.scalars(begin_so.order_by(call.c.id).limit(2)).all()


def _shown_to(*, hidden: bool) -> ColumnElement[bool]:
    return true() if hidden else call.c.station_id != NO_STATION


def whole(conn: Connection, call_id: str) -> Mapping[str, object] | None:
    """Every field of one record by name, with its recording and the quality of both legs; None for an unknown id."""
    row = conn.execute(_joined().where(call.c.id == call_id)).one_or_none()
    if row is None:
        return None
    zone = ZoneInfo(row.time_zone)
    fields = {name: _shown(value, zone) for name, value in row._mapping.items()}
    for name in ("charge", "connect_fee", "tax", "agency_charge"):
        fields[name] = money(row._mapping[name])
    fields["price"] = in_words(price_from_text(row.price).timetable) if row.price else None
    fields["held"] = balance(row, row.held)
    fields["balance_before"] = balance(row, row.balance_before)
    fields["balance_after"] = balance(row, row.balance_after)
    fields["ringing_ms"] = _span_ms(row.dialled_at, row.answered_at)
    fields["acceptance_ms"] = _span_ms(row.answered_at, row.accepted_at)
    fields["off_hook_at"] = _shown(
        conn.scalar(select(session.c.started_at).where(session.c.id == row.session_id)), zone
    )
    for leg in conn.execute(select(leg_quality).where(leg_quality.c.call_id == call_id)):
        fields[f"quality_{leg.leg}"] = (
            f"received {leg.packets_received}, lost {leg.packets_lost}, lost at far end {leg.far_packets_lost}, "
            f"jitter {_ms(leg.jitter_us)}, round trip {_ms(leg.round_trip_us)}"
        )
    return fields


def money(amount: int | None) -> str | None:
    """An amount with its sign of currency."""
    return None if amount is None else f"${format_money(Money(amount))}"


def balance(row: Row[Any], amount: int | None) -> str | None:
    """An amount of the paying account, in money or in calls."""
    if amount is None:
        return None
    return f"{amount} calls" if row.payer in PAID_IN_CALLS else money(amount)


def paid(row: Row[Any]) -> str:
    """What the call cost, in a word or two."""
    if row.given_back:
        return "given back"
    if row.calls_charged:
        return "1 call"
    return money(row.charge) or ""


def talk_time(ms: int | None) -> str:
    """Minutes and seconds, a started second not counted."""
    seconds = (ms or 0) // 1000
    return f"{seconds // 60}:{seconds % 60:02d}"


def local_time(row: Row[Any], at: datetime) -> str:
    """An instant in the facility's time zone, to the minute."""
    return at.astimezone(ZoneInfo(row.time_zone)).strftime("%m-%d %H:%M")


def lines(fields: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The fields that hold something, as text."""
    for name, value in fields.items():
        if value not in (None, ""):
            yield name, str(value)


def _shown(value: object, zone: ZoneInfo) -> object:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(sep=" ", timespec="milliseconds")
    return value


def _span_ms(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else int((end - start) / timedelta(milliseconds=1))


def _ms(micros: int | None) -> str:
    return "unknown" if micros is None else f"{micros / 1000:.1f} ms"
