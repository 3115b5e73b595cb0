"""Whether a talk was dropped by the network or by us, and so early that it is given back at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from accounts import outbox, payers
from ivr.facility import lookup
from ivr.policy.dropped import DroppedBy, Fault, TalkEnd, dropped_by, heard_ms, missed_ms
from ivr.policy.talk import Evidence, Talk
from ivr.records import evidence
from ivr.records.states import Leg


@dataclass(frozen=True, slots=True)
class Drop:
    """Whose failure ended a talk, if one did, and whether it costs nothing and counts for nothing."""

    by: DroppedBy | None = None
    given_back: bool = False


NO_DROP = Drop()


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of the end of a call beside the stamps."""

    cause: int | None  # Q.850, of the called leg
    ended_by: str | None  # the leg whose end asked for the hang-up
    fault: Fault | None
    quality: str  # the called leg's own report


def cause_of(known: int | None, seen: Sequence[Evidence]) -> int | None:
    """The cause as it was told, or else as the dialplan's note has it."""
    return known or next((each.cause for each in seen if each.cause), known)


def drop_of(conn: Connection, row: Row[Any], span: Talk, told: Told, *, by_rule: bool) -> Drop:
    """Decide on the end of a talk; one that failed within the facility's time is given back."""
    if span.started_at is None:
        return NO_DROP
    end = TalkEnd(
        seen=span.end_seen,
        by_rule=by_rule,
        hung_up=told.ended_by is not None,
        by_inmate=told.ended_by == Leg.INMATE,
        cause=told.cause,
        fault=told.fault,
        missed_ms=_missed_ms(row, span, told.quality),
    )
    by = dropped_by(end)
    if by is None:
        return NO_DROP
    within_ms = lookup.dropped_within_seconds(conn, row.facility_id) * 1000
    return Drop(by, given_back=heard_ms(span.ms, end) < within_ms)


def _missed_ms(row: Row[Any], span: Talk, quality: str) -> int:
    """How much audio of the called party never came, from their answer to the end."""
    packets = evidence.packets(quality)
    if packets is None or row.answered_at is None or span.ended_at is None:
        return 0
    return missed_ms((span.ended_at - row.answered_at) // timedelta(milliseconds=1), *packets)


def tell_payer(conn: Connection, row: Row[Any], at: datetime) -> None:
    """Have the holder of the paying account told that a call was lost and is given back."""
    if row.account_id is not None:
        outbox.tell(
            conn,
            account_id=payers.holders_account(conn, row.account_id),
            kind=outbox.NoticeKind.DROPPED_CALL,
            key=f"call/{row.id}/dropped",
            told={"number": row.number},
            at=at,
        )
