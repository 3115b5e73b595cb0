"""Sealed calls by what somebody remembers of them: the newest first, page after page, however many there are."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, or_, select, true, tuple_

from ivr.facility.tables import facility, housing_unit, inmate, station
from ivr.policy.hotline import NO_STATION
from ivr.policy.reasons import NotRecorded
from ivr.records.states import RecordingState
from ivr.records.tables import call, complaint, recording

#: Of a call whose recording is there, in place of a reason for which there is none.
RECORDED: Final = "yes"
#: Of a call of which there is no recording, whatever the reason.
UNRECORDED: Final = "no"

_OF_A_CALL = (
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
    exists().where(complaint.c.call_id == call.c.id).label("complained"),
)
_ORDER = (call.c.keyed_at, call.c.id)
_IS_RECORDED = recording.c.state == RecordingState.KEPT
_IS_FLAGGED = or_(
    call.c.talk_flagged.is_(True),
    call.c.forwarded.is_not(None),
    exists().where(complaint.c.call_id == call.c.id),
)


class NobodyKnown(Exception):  # noqa: N818 - what was asked for is not there
    """There is no facility, unit, telephone or inmate of this name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls: all that is given must hold. Times are the facility's own; `begins` is within, `ends` is not."""

    facility_id: str | None = None
    unit: str | None = None  # of the telephone or of the inmate, as they are now
    station_id: str | None = None
    inmate_id: str | None = None  # as it is keyed
    number: str | None = None  # E.164
    dialled: str | None = None  # as it was keyed
    begins: datetime | None = None
    ends: datetime | None = None
    shortest_s: int | None = None  # of the talk
    longest_s: int | None = None
    reason: str | None = None
    payer: str | None = None
    recorded: str | None = None  # RECORDED, UNRECORDED or a word of NotRecorded
    flagged: bool = False
    hidden: bool = False  # also calls that keep no trace of who calls


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends and the next goes on."""

    keyed_at: datetime
    call_id: str


def of_calls() -> Any:
    """Every call with its inmate, facility and recording, as lists and records show them."""
    return (
        select(*_OF_A_CALL)
        .outerjoin(inmate, inmate.c.id == call.c.inmate)  # of some calls nobody knows whose they are
        .join(facility, facility.c.id == call.c.facility_id)
        .outerjoin(recording, recording.c.call_id == call.c.id)
    )


def shown_to(*, hidden: bool) -> ColumnElement[bool]:
    """The condition that a call may be listed: anonymous ones only where asked for."""
    return true() if hidden else call.c.station_id != NO_STATION


def page(conn: Connection, wanted: Wanted, most: int, after: Place | None = None) -> Sequence[Row[Any]]:
    """The next so many sealed calls that are wanted, the newest first; raises NobodyKnown for an unknown name."""
    _require_known(conn, wanted)
    found = of_calls().where(call.c.sealed_at.is_not(None), *_conditions(conn, wanted))
    if after is not None:
        last = tuple_(after.keyed_at, after.call_id, types=[each.type for each in _ORDER])
        found = found.where(tuple_(*_ORDER) < last)
    return conn.execute(found.order_by(*(each.desc() for each in _ORDER)).limit(most)).all()


def place_of(row: Row[Any]) -> Place:
    """Where a page that ends with this call ends."""
    return Place(row.keyed_at, row.id)


def is_recorded(row: Row[Any]) -> bool:
    """Whether there is a recording of the call."""
    return bool(row.recording_state == RecordingState.KEPT)


def flags(row: Row[Any]) -> list[str]:
    """What somebody may want to look at, a word each."""
    known = {"times": row.talk_flagged, "forwarded": row.forwarded, "complaint": row.complained}
    return [word for word, holds in known.items() if holds]


def _conditions(conn: Connection, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield shown_to(hidden=wanted.hidden)
    same = {
        call.c.facility_id: wanted.facility_id,
        call.c.station_id: wanted.station_id,
        inmate.c.inmate_id: wanted.inmate_id,
        call.c.number: wanted.number,
        call.c.dialled: wanted.dialled,
        call.c.reason: wanted.reason,
        call.c.payer: wanted.payer,
    }
    for column, value in same.items():
        if value is not None:
            yield column == value
    if wanted.inmate_id is not None:  # by index
        yield call.c.inmate.in_(select(inmate.c.id).where(inmate.c.inmate_id == wanted.inmate_id))
    if wanted.unit is not None:
        stations = select(station.c.id).where(station.c.unit_id == wanted.unit)
        yield call.c.station_id.in_(stations) | (inmate.c.unit_id == wanted.unit)
    if wanted.shortest_s is not None:
        yield call.c.talk_ms >= wanted.shortest_s * 1000
    if wanted.longest_s is not None:
        yield call.c.talk_ms < (wanted.longest_s + 1) * 1000
    if wanted.flagged:
        yield _IS_FLAGGED
    yield from _by_recording(wanted.recorded)
    yield from _between(conn, wanted)


def _by_recording(recorded: str | None) -> Iterator[ColumnElement[bool]]:
    if recorded == RECORDED:
        yield _IS_RECORDED
    elif recorded is not None:
        yield recording.c.id.is_(None) | ~_IS_RECORDED
        if recorded != UNRECORDED:
            yield call.c.not_recorded == NotRecorded(recorded)


def _between(conn: Connection, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """Each facility has its own clock; the widest bounds of all come first, since they are found by index."""
    if wanted.begins is None and wanted.ends is None:
        return
    by_zone: dict[str, list[str]] = defaultdict(list)
    places = select(facility.c.id, facility.c.time_zone)
    if wanted.facility_id is not None:
        places = places.where(facility.c.id == wanted.facility_id)
    for row in conn.execute(places):
        by_zone[row.time_zone].append(row.id)
    if not by_zone:
        return
    if wanted.begins is not None:
        yield call.c.keyed_at >= min(_at(wanted.begins, zone) for zone in by_zone)
    if wanted.ends is not None:
        yield call.c.keyed_at < max(_at(wanted.ends, zone) for zone in by_zone)
    if len(by_zone) > 1:
        yield or_(*(_in_zone(wanted, zone, places) for zone, places in by_zone.items()))


def _in_zone(wanted: Wanted, zone: str, facilities: Sequence[str]) -> ColumnElement[bool]:
    bounds: list[ColumnElement[bool]] = [call.c.facility_id.in_(facilities)]
    if wanted.begins is not None:
        bounds.append(call.c.keyed_at >= _at(wanted.begins, zone))
    if wanted.ends is not None:
        bounds.append(call.c.keyed_at < _at(wanted.ends, zone))
    return and_(*bounds)


def _at(local: datetime, zone: str) -> datetime:
    return local.replace(tzinfo=ZoneInfo(zone))


def _require_known(conn: Connection, wanted: Wanted) -> None:
    asked = {
        "facility": (facility.c.id, wanted.facility_id),
        "unit": (housing_unit.c.id, wanted.unit),
        "station": (station.c.id, wanted.station_id),
        "inmate": (inmate.c.inmate_id, wanted.inmate_id),
    }
    for what, (column, name) in asked.items():
        if name is not None and conn.scalar(select(column).where(column == name).limit(1)) is None:
            raise NobodyKnown(f"there is no {what} {name}")
