"""The report on privileged numbers that the settlement in Romero asks a provider for, of some days.

Which numbers were privileged, what was changed of the list, which calls were made with them, what recordings there are
of these, and who opened what. It is read from the records themselves; nothing is kept for it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, String, and_, cast, exists, literal, or_, select

from ivr.facility import privileged
from ivr.facility.audit import Deed, audit
from ivr.facility.tables import facility, inmate, privileged_number
from ivr.policy.level import Level
from ivr.records.listening import listening
from ivr.records.states import RecordingState
from ivr.records.tables import call, recording
from ivr.staff.desk import one_facility

Lines = Sequence[dict[str, object]]
#: The columns of each part, the last of which takes what room is left.
PARTS = {
    "numbers": ("number", "whose", "kind", "since", "until", "by"),
    "changes": ("at", "author", "told", "note"),
    "calls": ("call", "at", "number", "talk", "privileged", "recording"),
    "recordings": ("recording", "call", "privileged", "state", "sealed", "finding"),
    "accesses": ("at", "author", "told", "note"),
    "listenings": ("at", "author", "told", "note"),
}
_LIST_CHANGES = ("number privileged %", "import privileged")
_LOAD = "load"
#: Stands in each line of a load about a privileged number.
PRIVILEGED: Final = "privileged"
_LOOKS = "recording %"
_LISTENS = ("listen", "cut-in")
_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Report:
    """Six lists, and what they come to."""

    facility: str
    since: str
    until: str
    numbers: Lines
    changes: Lines
    calls: Lines
    recordings: Lines
    accesses: Lines
    listenings: Lines

    @property
    def sums(self) -> dict[str, int]:
        """What somebody reads first. `kept and not sealed` has to be 0."""
        of_privileged = [each for each in self.recordings if each["privileged"]]
        return {
            "privileged numbers": len(self.numbers),
            "changes of the list": len(self.changes),
            "privileged calls": sum(bool(each["privileged"]) for each in self.calls),
            "calls before their number was privileged": sum(not each["privileged"] for each in self.calls),
            "recordings of privileged calls, kept and not sealed": sum(
                each["state"] == RecordingState.KEPT and not each["sealed"] for each in of_privileged
            ),
            "recordings of these numbers that are sealed": sum(
                bool(each["sealed"]) for each in self.recordings
            ),
            "times that somebody opened, gave out, locked or destroyed one": len(self.accesses),
            "times that somebody was to hear one of these calls, or was refused": len(self.listenings),
        }

    def as_dict(self) -> dict[str, object]:
        """All of it."""
        return {**asdict(self), "sums": self.sums}


def privileged_report(conn: Connection, facility_id: str | None, since: date, until: date) -> Report:
    """The report of one facility, from the first to the last of these days; raises StaffError for none of it."""
    place = _place(conn, facility_id)
    zone = ZoneInfo(place.time_zone)
    from_at = datetime.combine(since, time(0), zone)
    to_at = datetime.combine(until + timedelta(days=1), time(0), zone)
    calls = _calls(conn, place.id, from_at, to_at)
    return Report(
        place.id,
        since.isoformat(),
        until.isoformat(),
        numbers=[_number(row, zone) for row in _numbers(conn, place.id, from_at, to_at)],
        changes=_changes(conn, place.id, zone, from_at, to_at),
        calls=[_call(row, zone) for row in calls],
        recordings=[_recording(row, zone) for row in calls if row.recording_id is not None],
        accesses=_accesses(conn, place.id, zone, [row.recording_id for row in calls if row.recording_id]),
        listenings=_listenings(conn, zone, [row.id for row in calls]),
    )


def _place(conn: Connection, facility_id: str | None) -> Any:
    this = facility.c.id == one_facility(conn, facility_id)
    return conn.execute(select(facility.c.id, facility.c.time_zone).where(this)).one()


def _numbers(conn: Connection, facility_id: str, from_at: datetime, to_at: datetime) -> Sequence[Any]:
    """Those that were privileged at any time of these days."""
    row = privileged_number.c
    own = literal(f"{Level.INMATE}/") + cast(inmate.c.id, String)
    wanted = (
        select(privileged_number, inmate.c.inmate_id)
        .outerjoin(inmate, own == row.scope)
        .where(
            row.facility_id == facility_id,
            row.added_at < to_at,
            or_(row.removed_at.is_(None), row.removed_at >= from_at),
            or_(row.confirmed_at.is_not(None), row.lapses_at >= from_at),
        )
    )
    return conn.execute(wanted.order_by(row.number, row.id)).all()


def _calls(conn: Connection, facility_id: str, from_at: datetime, to_at: datetime) -> Sequence[Any]:
    """Calls of these days that were privileged, or are to a number that ever was, with what was recorded of them."""
    wanted = (
        select(
            call.c.id,
            call.c.number,
            call.c.keyed_at,
            call.c.talk_ms,
            call.c.privileged,
            call.c.not_recorded,
            recording.c.id.label("recording_id"),
            recording.c.state,
            recording.c.sealed_at,
            recording.c.finding,
        )
        .outerjoin(recording, recording.c.call_id == call.c.id)
        .where(
            call.c.facility_id == facility_id,
            call.c.keyed_at >= from_at,
            call.c.keyed_at < to_at,
            or_(call.c.privileged.is_(True), _ever_privileged()),
        )
    )
    return conn.execute(wanted.order_by(call.c.keyed_at, call.c.id)).all()


def _ever_privileged() -> ColumnElement[bool]:
    row = privileged_number.c
    ours = (row.facility_id == call.c.facility_id, row.number == call.c.number)
    return exists().where(*ours, privileged.is_whose(call.c.inmate))


def _changes(conn: Connection, facility_id: str, zone: ZoneInfo, from_at: datetime, to_at: datetime) -> Lines:
    agency_id = select(facility.c.agency_id).where(facility.c.id == facility_id).scalar_subquery()
    of_agency = audit.c.about.like(literal("%") + " of agency " + agency_id)
    by_verbs = and_(
        or_(audit.c.facility_id == facility_id, of_agency),
        or_(*(audit.c.verb.like(each) for each in _LIST_CHANGES)),
    )
    by_file = and_(
        audit.c.verb == _LOAD, audit.c.about == f"facility {facility_id}", audit.c.told.contains(PRIVILEGED)
    )
    of_these_days = (audit.c.deed == Deed.CHANGE, audit.c.at >= from_at, audit.c.at < to_at)
    wanted = select(audit).where(*of_these_days, or_(by_verbs, by_file)).order_by(audit.c.id)
    return [{**_change(row, zone), "told": _of_the_list(row)} for row in conn.execute(wanted)]


def _of_the_list(row: Any) -> str:
    """What was done to the list; a file that was loaded has done more."""
    if row.verb != _LOAD:
        return str(row.told)
    _, _, lines = row.told.partition(": ")
    return "; ".join(line for line in lines.split("; ") if PRIVILEGED in line)


def _accesses(conn: Connection, facility_id: str, zone: ZoneInfo, ids: Sequence[str]) -> Lines:
    """Whatever anybody ever did with these recordings, or was refused, whenever that was."""
    found: list[Any] = []
    for start in range(0, len(ids), _A_TIME):
        about = [f"recording {each}" for each in ids[start : start + _A_TIME]]
        these = (audit.c.facility_id == facility_id, audit.c.about.in_(about))
        wanted = select(audit).where(*these, audit.c.verb.like(_LOOKS))
        found += conn.execute(wanted).all()
    return [_change(row, zone) for row in sorted(found, key=lambda row: row.id)]


def _listenings(conn: Connection, zone: ZoneInfo, ids: Sequence[str]) -> Lines:
    """Whoever was ever to hear one of these calls as it went on, or was refused to."""
    found: list[dict[str, object]] = []
    for start in range(0, len(ids), _A_TIME):
        these = ids[start : start + _A_TIME]
        heard = select(listening).where(listening.c.call_id.in_(these))
        found += [_listening(row, zone) for row in conn.execute(heard)]
        refused = (audit.c.deed == Deed.REFUSED, audit.c.verb.in_(_LISTENS))
        about = audit.c.about.in_([f"call {each}" for each in these])
        found += [_change(row, zone) for row in conn.execute(select(audit).where(*refused, about))]
    return sorted(found, key=lambda each: str(each["at"]))


def _listening(row: Any, zone: ZoneInfo) -> dict[str, object]:
    heard = "not answered"
    if row.from_at:
        until = _local(row.to_at, zone) if row.to_at else "now"
        heard = f"from {_local(row.from_at, zone)} until {until}"
    told = f"call {row.call_id[:8]}: {row.phone}{', heard too' if row.speaks else ''}, {heard}"
    return {"at": _local(row.asked_at, zone), "author": row.author, "told": told, "note": row.note}


def _number(row: Any, zone: ZoneInfo) -> dict[str, object]:
    ends = row.removed_at or (None if row.confirmed_at else row.lapses_at)
    return {
        "number": row.number,
        "whose": f"inmate {row.inmate_id}" if row.inmate_id else "all",
        "kind": row.kind,
        "since": _local(row.added_at, zone),
        "until": _local(ends, zone) if ends else None,
        "by": ", ".join(dict.fromkeys(each for each in (row.author, row.confirmed_by) if each)),
    }


def _change(row: Any, zone: ZoneInfo) -> dict[str, object]:
    return {"at": _local(row.at, zone), "author": row.author, "told": row.told, "note": row.note}


def _call(row: Any, zone: ZoneInfo) -> dict[str, object]:
    seconds = (row.talk_ms or 0) // 1000
    return {
        "call": row.id[:8],
        "at": _local(row.keyed_at, zone),
        "number": row.number,
        "talk": f"{seconds // 60}:{seconds % 60:02d}",
        "privileged": bool(row.privileged),
        "recording": row.recording_id[:12] if row.recording_id else f"none: {row.not_recorded or 'no talk'}",
    }


def _recording(row: Any, zone: ZoneInfo) -> dict[str, object]:
    return {
        "recording": row.recording_id[:12],
        "call": row.id[:8],
        "privileged": bool(row.privileged),
        "state": row.state,
        "sealed": _local(row.sealed_at, zone) if row.sealed_at else None,
        "finding": row.finding,
    }


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
