"""A facility's settings as its file says them, read back from the database; PINs can't be."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, Table, func, select

from ivr.facility import scopes
from ivr.facility.daily import appointment, number_request
from ivr.facility.entries import LIMIT_KINDS
from ivr.facility.fields import named_days
from ivr.facility.load_levels import LOADER
from ivr.facility.tables import (
    agency,
    allowed_number,
    blocked_number,
    call_limit,
    facility,
    housing_unit,
    inmate,
    local_exchange,
    plan,
    privileged_number,
    schedule_exception,
    schedule_window,
    special_number,
    station,
    tariff,
    unrecorded,
)
from ivr.facility.toml import to_toml
from ivr.policy.level import Level
from ivr.policy.privilege import PrivilegeSource
from ivr.policy.request import BlockCause
from rating.money import Money, format_money

TAXES, AGENCY = "taxes.toml", "agency.toml"
#: The causes of blocks that `[[blocked]]` may have.
OF_THE_FILE = (BlockCause.FACILITY, BlockCause.SECURITY, BlockCause.AGENT)
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dumped:
    """The content of a facility's file, the texts of the files beside it, and what no file can hold, in words."""

    content: Entry
    beside: Mapping[str, str]
    left_out: Sequence[str]


def dump_facility(conn: Connection, facility_id: str) -> Dumped:
    """All that staff have set and a file can hold; raises LookupError for a facility that there is not."""
    row = conn.execute(select(facility).where(facility.c.id == facility_id)).one_or_none()
    if row is None:
        raise LookupError(facility_id)
    zone = ZoneInfo(row.time_zone)
    levels = _levels(conn, facility_id, zone)
    blocks = _live_blocks(conn, facility_id)
    tariffs = _rows(conn, tariff, facility_id, tariff.c.valid_from)
    beside = {f"{each.id}.toml": each.text for each in tariffs}
    head = {**_head(conn, row, list(beside)), "schedule": [], **levels[scopes.FACILITY]}
    if row.taxes:
        beside[TAXES] = row.taxes
    if row.agency_id is not None:
        beside[AGENCY] = to_toml(_agency(conn, row, levels, blocks))
    return Dumped(
        _given(
            facility=head,
            funding=_funding(row),
            recording={"kept_days": row.recordings_kept_days, "when_it_fails": row.when_unrecorded},
            plan=[_plan(each) for each in _rows(conn, plan, facility_id, plan.c.id)],
            unit=[
                {"id": each.id, "label": each.label, **levels[scopes.unit(each.id)]}
                for each in _rows(conn, housing_unit, facility_id, housing_unit.c.id)
            ],
            station=[_station(each, levels) for each in _rows(conn, station, facility_id, station.c.id)],
            inmate=_inmates(conn, facility_id, zone, levels, blocks),
            number=_specials(conn, facility_id, levels),
            blocked=[_block(each) for each in blocks if _is_of_the_file(each, scopes.FACILITY)],
            no_contact=[_no_contact(each) for each in blocks if _protects(each, scopes.FACILITY)],
        ),
        beside,
        _left_out(conn, facility_id, blocks),
    )


_NUMBER = special_number.c.number


def _agency(
    conn: Connection, row: Row[Any], levels: Mapping[str, Entry], blocks: Iterable[Row[Any]]
) -> Entry:
    """The content of the agency's file."""
    agency_id, facility_id = row.agency_id, row.id
    name = conn.execute(select(agency.c.name).where(agency.c.id == agency_id)).scalar_one()
    return _given(
        agency={"id": agency_id, "name": name, **levels[scopes.AGENCY]},
        privileged=[
            {"number": row.number, "label": row.note} for row in _by_file(conn, facility_id, scopes.AGENCY)
        ],
        blocked=[_block(each) for each in blocks if _is_of_the_file(each, scopes.AGENCY)],
        no_contact=[_no_contact(each) for each in blocks if _protects(each, scopes.AGENCY)],
    )


def _rows(conn: Connection, table: Table, facility_id: str, order: Any) -> Sequence[Row[Any]]:
    return conn.execute(select(table).where(table.c.facility_id == facility_id).order_by(order)).all()


def _head(conn: Connection, row: Row[Any], tariffs: list[str]) -> Entry:
    """`[facility]` itself, without its hours and limits."""
    same = ("kind", "operator", "average_daily_population", "state", "time_zone", "caller_id")
    exchanges = _rows(conn, local_exchange, row.id, local_exchange.c.exchange)
    return _given(
        id=row.id,
        name=row.name,
        agency=AGENCY if row.agency_id is not None else None,
        **{name: row._mapping[name] for name in same},
        inmate_id_digits=row.inmate_id_digits,
        pin_digits=row.pin_least if row.pin_least == row.pin_most else f"{row.pin_least}-{row.pin_most}",
        identify_by=row.identify_by,
        pin_change_by_phone=row.pin_change_by_phone,
        intake_calls=row.intake_calls,
        intake_calls_for_parents=row.intake_calls_for_parents,
        intake_within_minutes=row.intake_within_minutes,
        longest_call_minutes=row.longest_call_ms // 60_000,
        ring_seconds=row.ring_seconds,
        records=row.records,
        toll_free=row.toll_free,
        pan_mode=row.pan_mode,
        pan_maximum=row.pan_maximum,
        requests_by_phone=row.requests_by_phone,
        requests_waiting_maximum=row.requests_waiting_maximum,
        relay_limit_factor=row.relay_limit_factor,
        accept_key=row.accept_key,
        block_key=row.block_key,
        block_confirm_key=row.block_confirm_key,
        overlay_minutes=row.overlay_seconds and -(-row.overlay_seconds // 60),
        local_exchanges=[each.exchange for each in exchanges],
        tariffs=tariffs,
        taxes=TAXES if row.taxes else None,
        localities=row.localities.split(),
    )


def _funding(row: Row[Any]) -> Entry:
    """`[funding]`."""
    return {
        "payers": row.payers.split(),
        "collect_limit": format_money(Money(row.collect_limit)),
        "courtesy_minutes": row.courtesy_seconds // 60,
        "dropped_within_seconds": row.dropped_within_seconds,
        "continues_within_seconds": row.continues_within_seconds,
    }


def _plan(row: Row[Any]) -> Entry:
    return {"id": row.id, "price": format_money(Money(row.price)), "calls": row.calls}


def _specials(conn: Connection, facility_id: str, levels: Mapping[str, Entry]) -> list[Entry]:
    """Numbers with rules of their own; privileged those that a file has made so."""
    by_file = {row.number for row in _by_file(conn, facility_id, scopes.FACILITY)}
    names = ("free", "office", "hotline", "passive", "relay", "allowed")
    return [
        {
            "number": row.number,
            "label": row.label,
            **({"privileged": True} if row.number in by_file else {}),
            **{name: True for name in names if row._mapping[name]},
            **({} if row.overlay else {"overlay": False}),
            **({"short_code": row.short_code} if row.short_code else {}),
            **({"hotline_kind": row.hotline_kind, "code": row.code} if row.code else {}),
            **levels[scopes.number(row.number)],
        }
        for row in _rows(conn, special_number, facility_id, _NUMBER)
    ]


def _by_file(conn: Connection, facility_id: str, scope: str) -> Sequence[Row[Any, Any]]:
    """Numbers that a file has made privileged at a scope."""
    made = select(privileged_number.c.number, privileged_number.c.note).where(
        privileged_number.c.facility_id == facility_id,
        privileged_number.c.scope == scope,
        privileged_number.c.source == PrivilegeSource.FILE,
        privileged_number.c.removed_at.is_(None),
    )
    return conn.execute(made.order_by(privileged_number.c.number)).all()


def _station(row: Row[Any], levels: Mapping[str, Entry]) -> Entry:
    known = {"id": row.id, "label": row.label, "unit": row.unit_id, "intake": row.intake or None}
    return {**known, "dtmf": row.dtmf, **levels[scopes.station(row.id)]}


def _inmates(
    conn: Connection,
    facility_id: str,
    zone: ZoneInfo,
    levels: Mapping[str, Entry],
    blocks: Sequence[Row[Any]],
) -> list[Entry]:
    """Every inmate without the PIN: a load keeps the one that stands."""
    listed = select(allowed_number).join(inmate, inmate.c.id == allowed_number.c.inmate)
    mine = listed.where(inmate.c.facility_id == facility_id, allowed_number.c.learned.is_(False))
    numbers = defaultdict(list)
    for row in conn.execute(mine.order_by(allowed_number.c.inmate, allowed_number.c.number)):
        numbers[row.inmate].append(_allowed(row, levels))
    protected = defaultdict(list)
    for block in blocks:
        if block.cause == BlockCause.NO_CONTACT and scopes.level(block.scope) is Level.INMATE:
            protected[block.scope].append(_no_contact(block))
    return [
        _given(
            id=row.inmate_id,
            name=row.name,
            unit=row.unit_id,
            state=row.state,
            state_note=row.state_note,
            suspended_from=_local(row.suspended_from, zone),
            suspended_to=_local(row.suspended_to, zone),
            no_contact=protected[scopes.inmate(row.id)],
            numbers=numbers[row.id],
            **levels[scopes.inmate(row.id)],
        )
        for row in _rows(conn, inmate, facility_id, inmate.c.inmate_id)
    ]


def _allowed(row: Row[Any], levels: Mapping[str, Entry]) -> Entry:
    return {
        "number": row.number,
        "speed_dial": row.speed_dial,
        "records": None if row.records else False,
        "relation": row.relation,
        "payer": row.payer,
        "override_note": row.override_note,
        **levels[scopes.entry(row.inmate, row.number)],
    }


def _levels(conn: Connection, facility_id: str, zone: ZoneInfo) -> defaultdict[str, Entry]:
    """The hours and limits of every scope that sets some, and whether it says not to record."""
    found: defaultdict[str, Entry] = defaultdict(dict)
    windows = defaultdict(list)
    for row in _rows(conn, schedule_window, facility_id, schedule_window.c.id):
        windows[row.scope].append(row)
    for scope, rows in windows.items():
        found[scope]["schedule"] = list(_windows(rows))
    for row in _rows(conn, schedule_exception, facility_id, schedule_exception.c.starts_at):
        if row.author == LOADER:
            found[row.scope].setdefault(row.kind, []).append(_dated(row, zone))
    for row in _rows(conn, call_limit, facility_id, call_limit.c.id):
        found[row.scope].setdefault("limit", []).append(_limit(row))
    for row in _rows(conn, unrecorded, facility_id, unrecorded.c.id):
        found[row.scope]["records"] = False
    return found


def _windows(rows: Iterable[Row[Any]]) -> Iterator[Entry]:
    """Days of the same hours that follow each other are one entry."""
    hours = defaultdict(set)
    for row in rows:
        hours[row.opens, row.closes].add(row.day)
    for (opens, closes), days in sorted(hours.items()):
        for name in named_days(days):
            yield {"days": name, "opens": opens, "closes": "24:00" if closes == "00:00" else closes}


def _dated(row: Row[Any], zone: ZoneInfo) -> Entry:
    if row.kind == "holiday":
        return {"date": row.starts_at.astimezone(zone).date(), "name": row.note}
    return {"starts": _local(row.starts_at, zone), "ends": _local(row.ends_at, zone), "note": row.note}


def _limit(row: Row[Any]) -> Entry:
    field = row.kind if row.kind in LIMIT_KINDS else f"{row.kind}_minutes"
    return {
        field: row.most,
        "call_type": row.call_type,
        "days": row.days,
        "each": row.each,
        "in_minutes": row.within_minutes,
        "measured_from": row.measured_from,
        "counts": row.counted,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
    }


def _live_blocks(conn: Connection, facility_id: str) -> list[Row[Any]]:
    live = select(blocked_number).where(
        blocked_number.c.facility_id == facility_id, blocked_number.c.lifted_at.is_(None)
    )
    return list(conn.execute(live.order_by(blocked_number.c.number, blocked_number.c.cause)))


def _is_of_the_file(block: Row[Any], scope: str) -> bool:
    return block.scope == scope and block.cause in OF_THE_FILE


def _protects(block: Row[Any], scope: str) -> bool:
    return bool(block.cause == BlockCause.NO_CONTACT and block.scope == scope)


def _block(row: Row[Any]) -> Entry:
    return {row.covers: row.number, "cause": row.cause, "note": row.note}


def _no_contact(row: Row[Any]) -> Entry:
    return {"number": row.number, "note": row.note}


def _local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """The facility's time of an instant, as the file writes it."""
    return at.astimezone(zone).replace(tzinfo=None) if at else None


def _given(**values: Any) -> Entry:
    """An entry without what says nothing."""
    return {name: value for name, value in values.items() if value is not None and value != []}


def _left_out(conn: Connection, facility_id: str, blocks: Iterable[Row[Any]]) -> list[str]:
    """What stays in the database whatever file is loaded, counted."""
    others = [
        each
        for each in blocks
        if each.cause != BlockCause.NO_CONTACT
        and not any(_is_of_the_file(each, scope) for scope in (scopes.FACILITY, scopes.AGENCY))
    ]
    dated = select(func.count()).where(
        schedule_exception.c.facility_id == facility_id, schedule_exception.c.author != LOADER
    )
    learned = (
        select(func.count())
        .select_from(allowed_number)
        .join(inmate, inmate.c.id == allowed_number.c.inmate)
        .where(inmate.c.facility_id == facility_id, allowed_number.c.learned)
    )
    privileged = select(func.count()).where(
        privileged_number.c.facility_id == facility_id,
        privileged_number.c.source != PrivilegeSource.FILE,
        privileged_number.c.removed_at.is_(None),
    )
    counted = (
        (len(others), "blocks of called parties, or of staff for one inmate"),
        (conn.scalar(dated), "closures and openings of staff"),
        (conn.scalar(learned), "numbers that lists have learned"),
        (conn.scalar(_appointments(facility_id)), "appointments"),
        (conn.scalar(_requests(facility_id)), "requests for numbers that wait"),
        (conn.scalar(privileged), "privileged numbers of staff, or of a signed list"),
    )
    return [f"{count} {what}" for count, what in counted if count]


def _appointments(facility_id: str) -> Any:
    mine = appointment.c.facility_id == facility_id
    return select(func.count()).where(mine, appointment.c.cancelled_at.is_(None))


def _requests(facility_id: str) -> Any:
    joined = number_request.join(inmate, inmate.c.id == number_request.c.inmate)
    waiting = (inmate.c.facility_id == facility_id) & (number_request.c.state == "waiting")
    return select(func.count()).select_from(joined).where(waiting)
