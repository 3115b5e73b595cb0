"""Call-detail records, as people and spreadsheets read them: one line of a list, or every field of one call."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from ivr.counted import counted
from ivr.policy.request import PAID_IN_CALLS
from ivr.records.listing import RECORDED, UNRECORDED, flags, is_recorded, of_calls, shown_to
from ivr.records.tables import call, leg_quality, session
from rating.money import Money, format_money
from rating.price import price_from_text
from rating.quote import in_words

#: The columns of a list as CSV, and the names of its JSON lines: names stay, new ones come at the end.
COLUMNS = (
    *("call", "facility", "station", "inmate", "number", "dialled", "call_type", "payer"),
    *("keyed_at", "dialled_at", "answered_at", "accepted_at", "accepted_by", "talk_from_at", "talk_to_at"),
    *("talk_seconds", "billed_seconds", "charge", "tax", "agency_charge", "calls_charged", "given_back"),
    *("recorded", "reason", "cut_off_by", "ended_by", "dropped_by", "flags", "carrier"),
)

_MONEY = frozenset({"charge", "tax", "agency_charge"})
_AS_KEPT = [name for name in COLUMNS if name in call.c and name not in _MONEY]


def in_progress(conn: Connection, *, hidden: bool = False) -> Sequence[Row[Any]]:
    """Calls that are not settled yet, the oldest first; anonymous ones only where asked for."""
    live = of_calls().where(call.c.sealed_at.is_(None), shown_to(hidden=hidden))
    return conn.execute(live.order_by(call.c.keyed_at)).all()


def ids_starting(conn: Connection, start: str, *, hidden: bool = False) -> Sequence[str]:
    """The ids of calls that begin so, two at most: enough to see whether it is one."""
    begin_so = select(call.c.id).where(call.c.id >= start, call.c.id < start + "g", shown_to(hidden=hidden))
    return conn.scalars(begin_so.order_by(call.c.id).limit(2)).all()


def listed(row: Row[Any]) -> dict[str, object]:
    """One call of a list, by the names of `COLUMNS`: times with the facility's offset, money in dollars."""
    zone = ZoneInfo(row.time_zone)
    values: dict[str, object] = {name: _written(getattr(row, name), zone) for name in _AS_KEPT}
    values |= {name: _dollars(getattr(row, name)) for name in _MONEY}
    values |= {
        "call": row.id,
        "facility": row.facility_id,
        "station": row.station_id,
        "inmate": row.inmate_id,
        "talk_seconds": None if row.talk_ms is None else f"{row.talk_ms / 1000:.3f}",
        "recorded": RECORDED if is_recorded(row) else (row.not_recorded or UNRECORDED),
        "flags": " ".join(flags(row)),
    }
    return {name: values[name] for name in COLUMNS}


def whole(conn: Connection, call_id: str) -> Mapping[str, object] | None:
    """Every field of one record by name, with its recording and the quality of both legs; None for an unknown id."""
    row = conn.execute(of_calls().where(call.c.id == call_id)).one_or_none()
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
        fields[f"quality_{leg.leg}"] = quality(leg)
    return fields


def quality(leg: Row[Any]) -> str:
    """How the packets of one leg fared."""
    return (
        f"received {leg.packets_received}, lost {leg.packets_lost}, lost at far end {leg.far_packets_lost}, "
        f"jitter {_ms(leg.jitter_us)}, round trip {_ms(leg.round_trip_us)}"
    )


def money(amount: int | None) -> str | None:
    """An amount with its sign of currency."""
    return None if amount is None else f"${format_money(Money(amount))}"


def balance(row: Row[Any], amount: int | None) -> str | None:
    """An amount of the paying account, in money or in calls."""
    if amount is None:
        return None
    return in_calls(amount) if row.payer in PAID_IN_CALLS else money(amount)


def in_calls(number: int) -> str:
    """A number of calls."""
    return counted(number, "call")


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


def _dollars(amount: int | None) -> str | None:
    return None if amount is None else format_money(Money(amount))


def _written(value: object, zone: ZoneInfo) -> object:
    return value.astimezone(zone).isoformat(timespec="milliseconds") if isinstance(value, datetime) else value


def _shown(value: object, zone: ZoneInfo) -> object:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(sep=" ", timespec="milliseconds")
    return value


def _span_ms(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else int((end - start) / timedelta(milliseconds=1))


def _ms(micros: int | None) -> str:
    return "unknown" if micros is None else f"{micros / 1000:.1f} ms"
