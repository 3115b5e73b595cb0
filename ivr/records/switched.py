"""What switches do to calls in progress: when each must end, kept in its record so that no restart forgets it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, select, update

from ivr.facility import scopes
from ivr.facility.switches import open_switches
from ivr.facility.tables import facility, inmate, station
from ivr.policy.request import CallClass
from ivr.policy.switching import Way, ends_at
from ivr.records.nodes import of_node
from ivr.records.states import CallState
from ivr.records.tables import call

IN_PROGRESS = (CallState.ALLOWED, CallState.OFFERED, CallState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """A call in progress that a switch ends."""

    call_id: str
    ends_at: datetime
    thrown_at: datetime
    inmate_language: str
    called_language: str
    relay: bool


def mark(
    conn: Connection,
    at: datetime,
    stations: Mapping[str, str] = MappingProxyType({}),
    *,
    node: str | None = None,
) -> list[SwitchedOff]:
    """Bring the end of each of the node's calls in progress in step with the switches; those that one ends.

    `stations` are the telephones of calls by their ids, where they are known: no record has that of an anonymous one.
    What is switched on again in time lets its calls go on. A called party's own choice stands.
    """
    switches = {row.scope: row for row in open_switches(conn)}
    units = {row.id: row.unit_id for row in conn.execute(select(station.c.id, station.c.unit_id))}
    ended = []
    for row in conn.execute(_CALLS.where(of_node(call.c.node, node))):
        station_id = stations.get(row.id, row.station_id)
        met = scopes.switches_of(
            agency_id=row.agency_id,
            facility_id=row.facility_id,
            units={units.get(station_id), row.inmate_unit},
            station_id=station_id,
        )
        connected = row.state == CallState.ACCEPTED
        found = [
            (ends, switches[scope].thrown_at)
            for scope in met
            if scope in switches
            and (ends := ends_at(Way(switches[scope].way), switches[scope].thrown_at, connected=connected))
        ]
        was = row.switched_off_at
        ends, thrown_at = min(found, default=(None, at))
        if was is not None and (was <= at or (ends is not None and was < ends)):
            ends = was
        if ends != was and row.declined is None:
            conn.execute(update(call).where(call.c.id == row.id).values(switched_off_at=ends))
        if ends is not None and row.declined is None:
            ended.append(_switched_off(row, ends, thrown_at))
    return ended


def ended(conn: Connection) -> list[SwitchedOff]:
    """The calls in progress that are marked; nothing is written."""
    marked = _CALLS.where(call.c.switched_off_at.is_not(None))
    return [_switched_off(row, row.switched_off_at, row.switched_off_at) for row in conn.execute(marked)]


def _switched_off(row: Any, ends: datetime, thrown_at: datetime) -> SwitchedOff:
    called = row.called_language or row.inmate_language
    is_relay = row.call_class == CallClass.TRS
    return SwitchedOff(row.id, ends, thrown_at, row.inmate_language, called, is_relay)


_CALLS = (
    select(
        call.c.id,
        call.c.state,
        call.c.declined,
        call.c.switched_off_at,
        call.c.facility_id,
        call.c.station_id,
        call.c.inmate_language,
        call.c.called_language,
        call.c.call_class,
        facility.c.agency_id,
        inmate.c.unit_id.label("inmate_unit"),
    )
    .join(facility, facility.c.id == call.c.facility_id)
    .outerjoin(inmate, inmate.c.id == call.c.inmate)
    .where(call.c.sealed_at.is_(None), call.c.state.in_(IN_PROGRESS))
)
