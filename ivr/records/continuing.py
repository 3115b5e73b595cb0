"""The last call of an inmate to a number, as far as the next one may go on with it: one row, by index."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import FromClause, Row, bindparam, select

from ivr.policy.dropped import DroppedBy
from ivr.policy.quantity import SHORTEST_COUNTED_MS
from ivr.policy.reasons import Cutoff, Outcome
from ivr.policy.request import LastCall, Limit, Payer
from ivr.records.tables import call

#: What a chain of continuations may not get around. Of the other limits balance and minutes are counted, and hours end.
OF_THE_WHOLE_CALL = frozenset({Cutoff.LONGEST_CALL, Cutoff.MAX_COST})
#: No call was keyed longer before its end.
LONGEST: Final = timedelta(days=2)

_last = call.alias("last_call")
#: The columns of `last_call_of`, found in what `joined` makes.
COLUMNS: Final[Sequence[Any]] = tuple(
    _last.c[name].label(f"last_{name}")
    for name in (
        *("id", "payer", "account_id", "renews_on", "reason", "ended_by"),
        *("limit_ms", "limit_set_by", "talk_ms"),
    )
)
_ended_in_time = (call.c.ended_at >= bindparam("ended_since", type_=call.c.ended_at.type)) | (
    # the time that an outage of ours took is nobody's loss
    (call.c.dropped_by == DroppedBy.US)
    & (call.c.sealed_at >= bindparam("ended_since", type_=call.c.ended_at.type))
)
#: A call that was given back was not paid, unless it is itself the continuation of one that was.
_its_id = (
    select(call.c.id)
    .where(
        call.c.inmate == bindparam("inmate_key"),
        call.c.number == bindparam("number"),
        call.c.facility_id == bindparam("facility_id"),
        call.c.keyed_at >= bindparam("keyed_since", type_=call.c.keyed_at.type),
        call.c.sealed_at <= bindparam("at", type_=call.c.sealed_at.type),
        call.c.talk_ms >= SHORTEST_COUNTED_MS,
        call.c.given_back.is_not(True) | call.c.continues_id.is_not(None),
        _ended_in_time,
    )
    .order_by(call.c.keyed_at.desc())
    .limit(1)
    .scalar_subquery()
)


def joined(to: FromClause) -> FromClause:
    """Beside a row, the call that the next one may continue.

    Parameters `inmate_key`, `number`, `facility_id`, `at` and those of `since`.
    """
    return to.outerjoin(_last, _last.c.id == _its_id)


def since(at: datetime, within_seconds: int) -> dict[str, datetime]:
    """The parameters for calls that ended so long before an instant at most."""
    ended_since = at - timedelta(seconds=within_seconds)
    return {"ended_since": ended_since, "keyed_since": ended_since - LONGEST}


def last_call_of(row: Row[Any]) -> LastCall | None:
    """What the columns of a row say of it; None where there is none."""
    if row.last_id is None:
        return None
    left = Limit(row.last_limit_ms - row.last_talk_ms, Cutoff(row.last_limit_set_by))
    return LastCall(
        row.last_id,
        Payer(row.last_payer),
        row.last_account_id,
        row.last_renews_on,
        was_ended=row.last_reason == Outcome.LIMIT_REACHED or row.last_ended_by == "staff",
        rest=left if left.cutoff in OF_THE_WHOLE_CALL else None,
    )
