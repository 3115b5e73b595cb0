"""Notices on their way: what is due, what a try has begun, what came of it. A row is one notice and is told once.

A try is written down before its request is made. Until an answer is written, the row has tries and no `failure`: it is
in doubt, and whoever comes next looks for the message before sending it. ADR 17 tells why.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, exists, select, update

from accounts.db import insert_if_new
from accounts.outbox import NoticeKind
from accounts.payment_tables import NoticeState, notice, opted_out, webhook_event
from ivr.notices.outcomes import GivenUp, Notice, NotSent, Outcome, Refused, Sent, Unknown
from ivr.records.alerts import alert_once

#: The pauses after each try that failed; a notice is dead when the last has failed too.
PAUSES: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=3),
    timedelta(hours=20),
)
TRIES: Final = len(PAUSES) + 1
#: A try without an answer is in doubt after this; longer than any request may take.
ANSWER_WITHIN: Final = timedelta(minutes=5)
#: What nobody has touched for so long is not told any more by itself: it would surprise, not inform.
TOO_LATE_AFTER: Final = timedelta(days=3)
TOO_LATE: Final = "waited too long to be told"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: How far a notice has come; it never goes back. Whatever the carrier tells of proves that it was taken.
_RANK: Final = {
    NoticeState.WAITING: 0,
    NoticeState.DEAD: 0,
    NoticeState.SENT: 1,
    NoticeState.DELIVERED: 2,
    NoticeState.FAILED: 2,
    NoticeState.OPTED_OUT: 2,
}


def due(conn: Connection, channel: str, at: datetime, most: int) -> Sequence[int]:
    """The notices of a channel that are to be sent now, the longest due first."""
    wanted = select(notice.c.id).where(
        notice.c.state == NoticeState.WAITING, notice.c.channel == channel, notice.c.next_try_at <= at
    )
    return conn.scalars(wanted.order_by(notice.c.next_try_at, notice.c.id).limit(most)).all()


def begin(conn: Connection, notice_id: int, at: datetime) -> Notice | None:
    """Write down that a try begins; None where there is nothing to send, or somebody else has begun.

    Who has answered STOP since is sent nothing, and what has waited too long is told no more.
    """
    row = conn.execute(select(notice).where(notice.c.id == notice_id)).one_or_none()
    if row is None or row.state != NoticeState.WAITING or row.next_try_at is None or row.next_try_at > at:
        return None
    in_doubt = row.tries > 0 and row.failure is None
    if not in_doubt and row.channel == "sms" and _is_opted_out(conn, row.recipient):
        _close(conn, row.id, NoticeState.OPTED_OUT, None, at)
        return None
    if row.changed_at < at - TOO_LATE_AFTER:
        _bury(conn, row.id, row.channel, None if in_doubt else TOO_LATE, at)
        return None
    begun = update(notice).where(
        notice.c.id == row.id,
        notice.c.state == NoticeState.WAITING,
        notice.c.tries == row.tries,
        notice.c.next_try_at == row.next_try_at,
    )
    tried = {"tries": row.tries + 1, "failure": None, "next_try_at": at + ANSWER_WITHIN, "changed_at": at}
    if conn.execute(begun.values(**tried)).rowcount == 0:
        return None
    return _notice(row, tries=row.tries + 1, in_doubt=in_doubt)


def finish(conn: Connection, begun: Notice, outcome: Outcome, at: datetime) -> None:
    """Write down what came of a try. What the carrier has told meanwhile stands."""
    match outcome:
        case Sent(provider_id):
            _sent(conn, begun.id, provider_id, at)
        case Refused(why, opted_out=True):
            opt_out(conn, begun.recipient, at)
            _close(conn, begun.id, NoticeState.OPTED_OUT, why, at)
        case Refused(why):
            _close(conn, begun.id, NoticeState.FAILED, why, at)
        case GivenUp(why):
            _bury(conn, begun.id, begun.channel, why, at)
        case NotSent(why, ours=ours):
            if ours:
                alert_once(conn, "notices", f"no {begun.channel} can be sent until this is mended: {why}", at)
            _again(conn, begun, why, at)
        case Unknown():
            if begun.tries >= TRIES:
                _bury(conn, begun.id, begun.channel, None, at)


def provider_ids(conn: Connection, recipient: str, *, but: int) -> frozenset[str]:
    """The provider's names of all other notices to this recipient."""
    theirs = select(notice.c.provider_id).where(
        notice.c.recipient == recipient, notice.c.id != but, notice.c.provider_id.is_not(None)
    )
    return frozenset(conn.scalars(theirs))


@dataclass(frozen=True, slots=True)
class CarrierTold:
    """How far the carrier says that a message has come, and why no further."""

    provider_id: str
    state: NoticeState
    why: str | None


def carrier_told(conn: Connection, notice_id: int | None, told: CarrierTold, at: datetime) -> bool:
    """Take over what the carrier says of a message; False where that is known, older, or of no notice of ours.

    `notice_id` is what we have named to it: where our request got no answer, this is the answer.
    """
    named = select(notice).where(notice.c.provider_id == told.provider_id)
    row = conn.execute(named).one_or_none()
    if row is None:
        row = conn.execute(select(notice).where(notice.c.id == notice_id)).one_or_none()
    if row is None or row.tries == 0 or row.provider_id not in (None, told.provider_id):
        return False
    if _RANK[told.state] <= _RANK[NoticeState(row.state)]:
        return False
    if told.state is NoticeState.OPTED_OUT:
        opt_out(conn, row.recipient, at)
    known = update(notice).where(notice.c.id == row.id, notice.c.state == row.state)
    values = {"state": told.state, "provider_id": told.provider_id, "failure": told.why}
    return conn.execute(known.values(**values, next_try_at=None, changed_at=at)).rowcount == 1


def answered(conn: Connection, event_id: str, number: str, *, stop: bool, at: datetime) -> None:
    """Somebody wants no SMS any more, or wants them again; the same answer counts once, whoever repeats it."""
    event = {"id": f"twilio/{event_id}", "kind": "twilio.sms", "received_at": at}
    if not insert_if_new(conn, webhook_event, event):
        return
    if stop:
        opt_out(conn, number, at)
    else:
        opt_in(conn, number)


def opt_out(conn: Connection, number: str, at: datetime) -> bool:
    """No SMS any more to this number (E.164); whether that is new. What is being sent just now may still come."""
    return insert_if_new(conn, opted_out, {"number": number, "since": at})


def opt_in(conn: Connection, number: str) -> bool:
    """SMS to this number again; whether there were none."""
    return conn.execute(delete(opted_out).where(opted_out.c.number == number)).rowcount == 1


def send_again(conn: Connection, notice_id: int, at: datetime) -> int | None:
    """A new notice that says the same, for one that is dead or failed; its id, or None where there is none such.

    It was sent again before: the same one. What was in doubt stays so, and is looked for before it is sent.
    """
    row = conn.execute(select(notice).where(notice.c.id == notice_id)).one_or_none()
    if row is None or row.state not in (NoticeState.DEAD, NoticeState.FAILED):
        return None
    key = again(row.key)
    kept = {name: row._mapping[name] for name in _KEPT}
    in_doubt = row.state == NoticeState.DEAD and row.failure is None
    new = {
        "key": key,
        "state": NoticeState.WAITING,
        "tries": int(in_doubt),
        "next_try_at": at,
        "changed_at": at,
    }
    insert_if_new(conn, notice, {**kept, **new})
    return conn.scalar(select(notice.c.id).where(notice.c.key == key))


_KEPT: Final = ("kind", "channel", "recipient", "language", "told", "account_id", "made_at")


def again(key: str) -> str:
    """The key of what says the same once more."""
    return f"{key}/again"


def notice_of(row: Row[Any]) -> Notice:
    """A row as senders and texts read it."""
    return _notice(row, tries=row.tries, in_doubt=False)


def _notice(row: Row[Any], *, tries: int, in_doubt: bool) -> Notice:
    return Notice(
        id=row.id,
        kind=NoticeKind(row.kind),
        channel=row.channel,
        recipient=row.recipient,
        language=row.language,
        told=json.loads(row.told),
        made_at_s=(row.made_at - _EPOCH) // timedelta(seconds=1),
        tries=tries,
        in_doubt=in_doubt,
    )


def _is_opted_out(conn: Connection, number: str) -> bool:
    return conn.scalar(select(opted_out.c.number).where(opted_out.c.number == number)) is not None


def _sent(conn: Connection, notice_id: int, provider_id: str, at: datetime) -> None:
    """Unless another notice has this message: then it stays in doubt, and another message is looked for."""
    other = notice.alias("other")
    waiting = update(notice).where(
        notice.c.id == notice_id,
        notice.c.state == NoticeState.WAITING,
        ~exists().where(other.c.provider_id == provider_id),
    )
    sent = {"state": NoticeState.SENT, "provider_id": provider_id, "next_try_at": None, "changed_at": at}
    conn.execute(waiting.values(**sent))


def _again(conn: Connection, begun: Notice, why: str, at: datetime) -> None:
    if begun.tries >= TRIES:
        _bury(conn, begun.id, begun.channel, why, at)
        return
    later = at + PAUSES[begun.tries - 1]
    waiting = update(notice).where(notice.c.id == begun.id, notice.c.state == NoticeState.WAITING)
    conn.execute(waiting.values(failure=why, next_try_at=later, changed_at=at))


def _bury(conn: Connection, notice_id: int, channel: str, why: str | None, at: datetime) -> None:
    """Operators see it from now on; of many that die of the same there is one alert."""
    if _close(conn, notice_id, NoticeState.DEAD, why, at):
        told = why or "not known whether they were sent"
        alert_once(conn, "notices", f"notices by {channel} are dead: {told}; see `ivr notices dead`", at)


def _close(conn: Connection, notice_id: int, state: NoticeState, why: str | None, at: datetime) -> bool:
    waiting = update(notice).where(notice.c.id == notice_id, notice.c.state == NoticeState.WAITING)
    closed = {"state": state, "failure": why, "next_try_at": None, "changed_at": at}
    return conn.execute(waiting.values(**closed)).rowcount == 1
