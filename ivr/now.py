"""What goes on at every telephone now: idle, or how far its call is, for how long, who pays, what is special.

Records say it; what nodes see of their calls is newer where it is known. Calls that keep no trace of who calls are left
out, and their telephones look as if somebody had hung up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ivr import cdr
from ivr.facility.tables import inmate, station
from ivr.policy.talk import Kind
from ivr.records import listening, watched
from ivr.records.states import CallState, RecordingState
from ivr.records.tables import call, evidence, session
from ivr.sharing.interface import Seen, Stage


class State(StrEnum):
    """How far somebody at a telephone is."""

    IDLE = "idle"
    IDENTIFYING = "identifying"  # until a number may be rung
    RINGING = Stage.RINGING.value
    ACCEPTING = Stage.ACCEPTING.value
    TALKING = Stage.TALKING.value


_STATES = {
    CallState.KEYED: State.IDENTIFYING,
    CallState.ALLOWED: State.RINGING,
    CallState.OFFERED: State.ACCEPTING,
    CallState.ACCEPTED: State.TALKING,
}


@dataclass(frozen=True, slots=True)
class Now:
    """A telephone with its call, if there is one."""

    state: State
    facility: str
    station: str
    call: str | None = None
    node: str | None = None
    inmate: str | None = None
    number: str | None = None
    payer: str | None = None
    since: datetime | None = None  # of this state
    limit_seconds: int | None = None
    ends_at: datetime | None = None  # of a talk
    recorded: str | None = None  # yes, or why not
    flags: tuple[str, ...] = ()

    def elapsed(self, at: datetime) -> int | None:
        """Seconds in this state, by then."""
        return None if self.since is None else max(0, int((at - self.since).total_seconds()))

    def left(self, at: datetime) -> int | None:
        """Seconds until the talk must end, from then on."""
        return None if self.ends_at is None else max(0, int((self.ends_at - at).total_seconds()))

    def told(self, at: datetime) -> dict[str, object]:
        """All of it as JSON has it."""
        instants = {
            name: each and each.isoformat()
            for name, each in (("since", self.since), ("ends_at", self.ends_at))
        }
        spans = {"elapsed_seconds": self.elapsed(at), "left_seconds": self.left(at)}
        return {**asdict(self), **instants, "flags": list(self.flags), **spans}


def now(conn: Connection, seen: Mapping[str, Seen]) -> list[Now]:
    """Calls first, the oldest before the others; then whoever identifies themselves, then the idle telephones.

    `seen` is what nodes see of calls, by id.
    """
    rows = cdr.in_progress(conn)
    talks, marks = _talks(conn), _Marks.read(conn)
    calls = [_of_call(row, talks.get(row.id), seen.get(row.id), marks) for row in rows]
    known = {row.session_id for row in rows}
    dialogues = [each for session_id, each in _dialogues(conn) if session_id not in known]
    used = {each.station for each in (*calls, *dialogues)}
    return [*calls, *dialogues, *(each for each in _telephones(conn) if each.station not in used)]


@dataclass(frozen=True, slots=True)
class _Marks:
    """What staff have asked for beside a call."""

    inmates: frozenset[int]
    numbers: frozenset[tuple[str, str]]
    heard: frozenset[str]  # calls that somebody listens to

    @classmethod
    def read(cls, conn: Connection) -> "_Marks":
        rows = watched.standing(conn)
        return cls(
            frozenset(row.inmate for row in rows if row.inmate is not None),
            frozenset((row.facility_id, row.number) for row in rows if row.number is not None),
            frozenset(row.call_id for row in listening.open_ones(conn)),
        )

    def of(self, row: Row[Any]) -> Iterator[str]:
        is_watched = row.inmate in self.inmates or (row.facility_id, row.number) in self.numbers
        known = {
            "privileged": row.privileged,
            "watched": is_watched,
            "listened": row.id in self.heard,
            "cut": row.cut_at,
            "switched_off": row.switched_off_at,
            "unrecorded": row.unrecorded_at,
            "forwarded": row.forwarded,
        }
        yield from (word for word, holds in known.items() if holds)


def _of_call(row: Row[Any], talk_from: datetime | None, seen: Seen | None, marks: _Marks) -> Now:
    state = _STATES[CallState(row.state)] if seen is None else State(seen.stage)
    limit = timedelta(milliseconds=row.limit_ms) if row.limit_ms else None
    began = {
        State.IDENTIFYING: row.keyed_at,
        State.RINGING: row.dialled_at or row.keyed_at,
        State.ACCEPTING: row.answered_at,
        State.TALKING: talk_from or row.accepted_at,
    }[state]
    since = seen.since if seen is not None and seen.since is not None else began
    ends = [row.ends_by, row.switched_off_at, row.unrecorded_at, since + limit if since and limit else None]
    ends_at = (
        min((each for each in ends if each is not None), default=None) if state is State.TALKING else None
    )
    return Now(
        state,
        row.facility_id,
        row.station_id,
        call=row.id,
        node=row.node,
        inmate=row.inmate_id,
        number=row.number,
        payer=row.payer,
        since=since,
        limit_seconds=int(limit.total_seconds()) if limit else None,
        ends_at=seen.ends_at if seen is not None and seen.ends_at is not None else ends_at,
        recorded="yes" if row.recording_state == RecordingState.RUNNING else row.not_recorded,
        flags=tuple(marks.of(row)),
    )


def _talks(conn: Connection) -> Mapping[str, datetime]:
    """When each talk in progress began, as far as somebody saw it."""
    began = (
        select(evidence.c.call_id, func.min(evidence.c.at).label("at"))
        .join(call, call.c.id == evidence.c.call_id)
        .where(call.c.sealed_at.is_(None), evidence.c.kind == Kind.TALK_FROM)
        .group_by(evidence.c.call_id)
    )
    return {row.call_id: row.at for row in conn.execute(began)}


def _dialogues(conn: Connection) -> Iterator[tuple[str, Now]]:
    """The sessions that go on, by id, at telephones of a facility."""
    rows = (
        select(session, inmate.c.inmate_id)
        .outerjoin(inmate, inmate.c.id == session.c.inmate)
        .where(session.c.ended_at.is_(None), session.c.facility_id.is_not(None))
        .order_by(session.c.started_at)
    )
    for row in conn.execute(rows):
        yield (
            row.id,
            Now(
                State.IDENTIFYING,
                row.facility_id,
                row.station_id,
                node=row.node,
                inmate=row.inmate_id,
                since=row.started_at,
            ),
        )


def _telephones(conn: Connection) -> Sequence[Now]:
    rows = select(station.c.id, station.c.facility_id).order_by(station.c.facility_id, station.c.id)
    return [Now(State.IDLE, row.facility_id, row.id) for row in conn.execute(rows)]
