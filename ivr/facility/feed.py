"""The jail-management system's bookings, moves, releases and transfers, taken in many at a time."""

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from ivr.facility import kept, scopes
from ivr.facility.csv_rows import Mistakes, Rows, Shape, read_all
from ivr.facility.daily import inmate_event
from ivr.facility.fields import Digits, InmateId, Time
from ivr.facility.load_pins import PinLoader
from ivr.facility.pins import PinKey
from ivr.facility.refusing import pin_length, pin_taken
from ivr.facility.tables import facility, housing_unit, inmate
from ivr.policy.request import InmateState
from ivr.policy.schedule import instant

AUTHOR = "feed"
#: How far clocks may be apart, or zones mistaken.
AHEAD_AT_MOST = timedelta(days=1)
GONE = {InmateState.RELEASED, InmateState.TRANSFERRED}
COLUMNS = (
    "name",
    "unit_id",
    "state",
    "state_note",
    "suspended_from",
    "suspended_to",
    "pin_hash",
    "pin_key_id",
)


class EventRow(BaseModel):
    """One line of a feed; times without an offset are the facility's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: Annotated[str, Field(max_length=64)]
    at: Time
    event: Literal["booked", "moved", "released", "transferred"]
    inmate_id: InmateId
    name: str | None = None
    unit: str | None = None
    pin: Digits | None = Field(None, repr=False)

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if self.event == "moved" and self.unit is None:
            raise ValueError("unit: expected one, since the inmate has moved")
        if self.event != "booked" and self.pin is not None:
            raise ValueError("pin: only a booking has one")
        return self


SHAPE = Shape(EventRow, ("event_id", "at", "event", "inmate_id"), ("name", "unit", "pin"))


def read_feed(text: str, file: str = "", progress: Any = lambda: None) -> Rows:
    """The lines of a feed, the bad ones with their mistakes; raises ImportMistakes for a header that is wrong."""
    return read_all(SHAPE, text, file, progress)


@dataclass(slots=True)
class _Person:
    """An inmate's row as it comes to be."""

    values: dict[str, Any]
    key: int | None = None  # of a row that stands
    changed: bool = False
    latest_at: datetime | None = None  # of their events
    keeps: set[str] = field(default_factory=set)

    def set(self, what: str, **values: object) -> None:
        """Change columns; from now on they are the feed's."""
        self.changed |= any(self.values.get(name) != value for name, value in values.items())
        self.values |= values
        self.keeps.add(what)


@dataclass(frozen=True, slots=True)
class _Event:
    line: int
    says: EventRow
    at: datetime


def take_in(conn: Connection, facility_id: str, rows: Rows, key: PinKey, at: datetime) -> str:
    """Apply the events that are new, in the order in which they happened; what was done, in a sentence.

    All or nothing: raises ImportMistakes. An event older than the inmate's latest is noted and not applied; one that is
    more than a day ahead of the clock is a mistake, since it would hold back all that happen until then, and so is an
    event_id that was taken in before for another event. Who comes without a PIN has one that nobody knows, until staff
    give another.
    """
    place = conn.execute(select(facility).where(facility.c.id == facility_id)).one()
    zone = ZoneInfo(place.time_zone)
    pins = PinLoader(key, place.identify_by)
    events = [_Event(line, each, _instant(each.at, zone)) for line, each in rows.entries]  # type: ignore[arg-type,attr-defined]
    known = _known(conn, facility_id, [each.says.event_id for each in events])
    new = [each for each in events if each.says.event_id not in known]
    people = _people(conn, facility_id)
    rows.refuse(
        [
            *_ahead(events, at, zone),
            *_others_before(events, known),
            *_twice(new),
            *_misfits(conn, place, new, rows, set(people)),
            *_wrong_pins(new, place, people, pins),
        ]
    )
    ordered = sorted(new, key=lambda each: each.at)
    applied = [(each, _apply(each, people, place, pins)) for each in ordered]
    _write(conn, facility_id, people)
    _keep(conn, facility_id, people, at)
    noted = {"facility_id": facility_id, "author": AUTHOR, "noted_at": at}
    written = [
        {
            **noted,
            "inmate": people[each.says.inmate_id].key,
            "kind": each.says.event,
            "unit_id": each.says.unit,
            "at": each.at,
            "feed_id": each.says.event_id,
            "applied": was_applied,
        }
        for each, was_applied in applied
    ]
    if written:
        conn.execute(insert(inmate_event), written)
    return _told(applied, len(events) - len(new))


def _instant(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(UTC) if at.tzinfo is not None else instant(at.replace(tzinfo=zone))


def _known(conn: Connection, facility_id: str, ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Those that were taken in before, with what they told then."""
    found: dict[str, Row[Any]] = {}
    told = select(inmate_event, inmate.c.inmate_id).join(inmate, inmate.c.id == inmate_event.c.inmate)
    for start in range(0, len(ids), 500):
        some = inmate_event.c.feed_id.in_(ids[start : start + 500])
        mine = told.where(inmate_event.c.facility_id == facility_id, some)
        found |= {row.feed_id: row for row in conn.execute(mine)}
    return found


def _ahead(events: Iterable[_Event], now: datetime, zone: ZoneInfo) -> Iterator[tuple[int, str]]:
    for each in events:
        if each.at > now + AHEAD_AT_MOST:
            local = f"{each.at.astimezone(zone):%Y-%m-%d %H:%M}"
            yield each.line, f"at: {local} is more than a day ahead: expected what has happened"


def _others_before(events: Iterable[_Event], known: Mapping[str, Row[Any]]) -> Iterator[tuple[int, str]]:
    """The lines whose event_id was another event's; names and PINs are not kept, and not compared."""
    for each in events:
        was = known.get(each.says.event_id)
        if was is None:
            continue
        before = (was.kind, was.inmate_id, was.unit_id, was.at)
        if before != (each.says.event, each.says.inmate_id, each.says.unit, each.at):
            yield (
                each.line,
                f"event_id: {each.says.event_id} was taken in before for another event: "
                f"{was.kind}, inmate {was.inmate_id}, {was.at:%Y-%m-%d %H:%M} UTC",
            )


def _people(conn: Connection, facility_id: str) -> dict[str, _Person]:
    """Everybody who is or was there, with when their latest event happened."""
    latest = (
        select(inmate_event.c.inmate, func.max(inmate_event.c.at).label("latest_at"))
        .where(inmate_event.c.facility_id == facility_id, inmate_event.c.applied)
        .group_by(inmate_event.c.inmate)
        .subquery()
    )
    columns = [inmate.c.id, inmate.c.inmate_id, *(inmate.c[name] for name in COLUMNS), latest.c.latest_at]
    joined = inmate.outerjoin(latest, latest.c.inmate == inmate.c.id)
    rows = conn.execute(select(*columns).select_from(joined).where(inmate.c.facility_id == facility_id))
    return {
        row.inmate_id: _Person(
            {name: row._mapping[name] for name in COLUMNS}, row.id, latest_at=row.latest_at
        )
        for row in rows
    }


def _wrong_pins(
    new: Iterable[_Event], place: Row[Any], people: Mapping[str, _Person], pins: PinLoader
) -> Iterator[tuple[int, str]]:
    """PINs of another length, and where they are keyed alone, those that another inmate has or gets."""
    owners = {str(person.values["pin_hash"]): inmate_id for inmate_id, person in people.items()}
    for each in new:
        if each.says.pin is None:
            continue
        if not place.pin_least <= len(each.says.pin) <= place.pin_most:
            yield each.line, f"pin: {pin_length(place.pin_least, place.pin_most)}"
        hashed = pins.kept(place.id, each.says.inmate_id, each.says.pin)["pin_hash"]
        if (other := owners.setdefault(hashed, each.says.inmate_id)) != each.says.inmate_id:
            yield each.line, f"pin: {pin_taken(other)}"


def _twice(new: Sequence[_Event]) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for each in new:
        if each.says.event_id in seen:
            yield each.line, f"event_id: {each.says.event_id} stands there twice"
        seen.add(each.says.event_id)


def _misfits(
    conn: Connection, place: Row[Any], new: Sequence[_Event], rows: Rows, there: set[str]
) -> Mistakes:
    """What does not fit the facility; who stands in a line that is bad by itself may be booked there."""
    units = set(conn.scalars(select(housing_unit.c.id).where(housing_unit.c.facility_id == place.id)))
    digits = place.inmate_id_digits
    there = there | {each.get("inmate_id", "") for each in rows.bad}
    mistakes: Mistakes = []
    for each in sorted(new, key=lambda each: each.at):
        says = each.says
        if len(says.inmate_id) != digits:
            mistakes.append((each.line, f"inmate_id: {says.inmate_id} has not {digits} digits"))
        if says.unit is not None and says.unit not in units:
            mistakes.append((each.line, f"unit: there is no unit {says.unit}"))
        if says.inmate_id not in there and says.event != "booked":
            mistakes.append((each.line, f"inmate_id: {says.inmate_id} was never booked"))
        if says.inmate_id not in there and says.event == "booked" and not says.name:
            mistakes.append((each.line, f"name: expected one, since inmate {says.inmate_id} is new"))
        if says.event == "booked":
            there.add(says.inmate_id)
    return mistakes


def _apply(each: _Event, people: dict[str, _Person], place: Row[Any], pins: PinLoader) -> bool:
    """Change the inmate as the event says; False if a later one was there already."""
    says = each.says
    person = people.get(says.inmate_id)
    if person is None:
        person = people[says.inmate_id] = _newcomer(says, place.id, pins)
    elif person.latest_at is not None and each.at < person.latest_at:
        return False
    person.latest_at = each.at
    match says.event:
        case "booked":
            if person.values["state"] in GONE:  # a suspension is staff's to end
                person.set(kept.STATE, **_state(InmateState.ACTIVE))
            if says.name:
                person.changed |= person.values["name"] != says.name
                person.values["name"] = says.name
            if says.pin is not None:
                person.set(kept.PIN, **pins.kept(place.id, says.inmate_id, says.pin))
        case "released" | "transferred":
            person.set(kept.STATE, **_state(InmateState(says.event)))
    if says.unit is not None:
        person.set(kept.UNIT, unit_id=says.unit)
    return True


def _newcomer(says: EventRow, facility_id: str, pins: PinLoader) -> _Person:
    values = {"name": says.name, "unit_id": says.unit, **_state(InmateState.ACTIVE)}
    secret = says.pin or secrets.token_hex(16)  # no keys ever spell that
    person = _Person({**values, **pins.kept(facility_id, says.inmate_id, secret)})
    person.keeps.update(kept.COLUMNS)
    return person


def _state(state: InmateState) -> dict[str, object]:
    return {"state": state, "state_note": None, "suspended_from": None, "suspended_to": None}


def _write(conn: Connection, facility_id: str, people: Mapping[str, _Person]) -> None:
    new = {inmate_id: each for inmate_id, each in people.items() if each.key is None}
    if new:
        rows = [
            {"facility_id": facility_id, "inmate_id": inmate_id, **each.values}
            for inmate_id, each in new.items()
        ]
        conn.execute(insert(inmate), rows)
        ids = select(inmate.c.inmate_id, inmate.c.id).where(inmate.c.facility_id == facility_id)
        for inmate_id, row_id in conn.execute(ids):
            if inmate_id in new:
                new[inmate_id].key = row_id
    old = [each for inmate_id, each in people.items() if each.changed and inmate_id not in new]
    if old:
        values: dict[str, Any] = {name: bindparam(f"_{name}") for name in COLUMNS}
        conn.execute(
            update(inmate).where(inmate.c.id == bindparam("_id")).values(values),
            [{"_id": each.key, **{f"_{name}": each.values[name] for name in COLUMNS}} for each in old],
        )


def _keep(conn: Connection, facility_id: str, people: Mapping[str, _Person], at: datetime) -> None:
    kept.keep(
        conn,
        facility_id,
        [
            (scopes.inmate(each.key), what)
            for each in people.values()
            if each.key
            for what in sorted(each.keeps)
        ],
        AUTHOR,
        at,
    )


def _told(applied: Sequence[tuple[_Event, bool]], known: int) -> str:
    counted = Counter(each.says.event for each, was_applied in applied if was_applied)
    told = [f"{count} {kind}" for kind, count in sorted(counted.items())]
    if late := sum(not was_applied for _, was_applied in applied):
        told.append(f"{late} overtaken by later events")
    if known:
        told.append(f"{known} known before")
    return ", ".join(told) or "nothing in it"
