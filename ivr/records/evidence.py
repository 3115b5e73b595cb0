"""What was seen of a call, by whom and when. Rows are only added."""

from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, insert, select

from accounts.db import Prepared, insert_if_new
from ivr.policy.hotline import NO_STATION
from ivr.policy.talk import Evidence, Kind
from ivr.records.states import Leg
from ivr.records.tables import call, evidence, leg_quality

_COLUMNS = ("call_id", "kind", "source", "at", "monotonic_ms", "clock", "seen_at")
_ADD = Prepared(
    insert(evidence).from_select(
        _COLUMNS,
        select(*(bindparam(f"new_{name}", type_=evidence.c[name].type) for name in _COLUMNS)).where(
            call.c.id == bindparam("new_call_id", type_=call.c.id.type), call.c.station_id != NO_STATION
        ),
    )
)
_OF_CALL = Prepared(
    select(evidence.c.kind, evidence.c.at, evidence.c.monotonic_ms, evidence.c.clock)
    .where(evidence.c.call_id == bindparam("call_id"))
    .order_by(evidence.c.id)
)
#: Who brought an evidence: an event of Asterisk, or the note that its dialplan wrote.
EVENT, NOTE = "event", "note"
LONGEST_PLAUSIBLE_US = 60_000_000


def add(conn: Connection, call_id: str, *seen: Evidence, source: str, at: datetime) -> None:
    """Keep each sighting, however often it was brought before; none of an anonymous call."""
    for each in seen:
        _ADD.change(
            conn,
            {
                "new_call_id": call_id,
                "new_kind": each.kind,
                "new_source": source,
                "new_at": each.at,
                "new_monotonic_ms": each.monotonic_ms,
                "new_clock": each.clock,
                "new_seen_at": at,
            },
        )


def of_call(conn: Connection, call_id: str) -> list[Evidence]:
    """All that was seen of a call's start and end."""
    rows = _OF_CALL.rows(conn, {"call_id": call_id})
    return [Evidence(Kind(kind), at, monotonic_ms, clock) for kind, at, monotonic_ms, clock in rows]


def stamp(text: str) -> datetime | None:
    """The instant of a dialplan stamp, `STRFTIME(,,%s.%6q)`; None for anything else."""
    seconds, _, micros = text.partition(".")
    if not (seconds.isdecimal() and len(seconds) <= 11 and micros.isdecimal() and len(micros) == 6):
        return None
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros))


def note(text: str) -> list[Evidence]:
    """What a dialplan note holds: `FROM` while the two talk, `FROM TO CAUSE` afterwards."""
    began, ended, cause = (*text.split(" "), "", "", "")[:3]
    known = int(cause) if cause.isdecimal() else None
    seen = [(Kind.TALK_FROM, stamp(began), None), (Kind.TALK_TO, stamp(ended), known)]
    return [Evidence(kind, at, cause=why) for kind, at, why in seen if at is not None]


def keep_quality(conn: Connection, call_id: str, leg: Leg, report: str) -> None:
    """Loss, jitter and round trip of one leg, from `CHANNEL(rtcp,all)`; the first report of a leg stands.

    The report is `name=value;` pairs in Asterisk's own words (lp/rlp packets lost here and there, rxcount, rxjitter
    and rtt in seconds). Without a report nothing is kept.
    """
    values = _values(report)
    if "rxcount" not in values:
        return
    insert_if_new(
        conn,
        leg_quality,
        {
            "call_id": call_id,
            "leg": leg,
            "packets_received": _whole(values.get("rxcount")),
            "packets_lost": _whole(values.get("lp")),
            "far_packets_lost": _whole(values.get("rlp")),
            "jitter_us": _micros(values.get("rxjitter")),
            "round_trip_us": _micros(values.get("rtt")),
        },
    )


def packets(report: str) -> tuple[int, int] | None:
    """How many packets of a leg came and how many were lost on the way; None where its report does not say."""
    values = _values(report)
    came, lost = _whole(values.get("rxcount")), _whole(values.get("lp"))
    return None if came is None or lost is None else (came, lost)


def _values(report: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in report.split(";") if "=" in pair)


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _micros(seconds: str | None) -> int | None:
    """Microseconds; None for what Asterisk could not measure (it reports 65,536 s when a far clock went backwards)."""
    try:
        micros = round(float(seconds) * 1_000_000) if seconds else None
    except ValueError:
        return None
    return micros if micros is not None and 0 <= micros < LONGEST_PLAUSIBLE_US else None
