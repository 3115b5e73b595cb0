"""One path settles every call, whoever asks: an event, the dialogue after it, a restart, an operator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row

from accounts import ledger, payers
from ivr.controls.drops import Drop, Told, cause_of, drop_of, tell_payer
from ivr.controls.node import Node
from ivr.controls.telling import notices_of_call
from ivr.facility.learning import learn
from ivr.live import LiveCall
from ivr.policy.dropped import Fault
from ivr.policy.forwarding import Forwarded
from ivr.policy.hotline import ANONYMOUS_KINDS, coarse
from ivr.policy.quantity import SHORTEST_COUNTED_MS
from ivr.policy.reasons import Cutoff, Denial, NotRecorded, Outcome, Reason, reason
from ivr.policy.request import PAID_IN_CALLS, PAID_IN_MONEY, Payer
from ivr.policy.talk import NO_TALK, Evidence, Talk, talk
from ivr.records import calls, evidence
from ivr.records.states import CallState, Leg
from rating.money import ZERO, Money, format_money
from rating.price import NOTHING, Charge, charge, price_from_text

#: A connection this short is a hang-up that crossed with the acceptance: nobody talked, nobody pays.
SHORTEST_BILLED_MS = SHORTEST_COUNTED_MS
#: Asterisk ends a talk within this of its limit.
LIMIT_SLACK_MS = 150
#: Who has ended a call that neither party nor a limit did.
STAFF = "staff"
#: Who ended what these ended; a limit, where it is another.
_ENDED_BY = {Cutoff.SWITCHED_OFF: STAFF, Cutoff.UNRECORDED: "system"}


@dataclass(frozen=True, slots=True)
class Settled:
    """How a call ended and what it cost."""

    reason: Reason
    charge: Money
    talk_ms: int
    is_new: bool = field(compare=False)  # sealed just now, not before
    given_back: bool = False  # dropped so early that it counts for nothing


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of an end beside the evidence of the talk."""

    otherwise: Outcome  # the reason if the two never talked and nobody declined
    dial_status: str | None = None
    cause: int | None = None
    ended_by: str | None = None
    forwarded: Forwarded | None = None
    fault: Fault | None = None


def settle(
    conn: Connection,
    call_id: str,
    ending: Ending,
    *,
    at: datetime,
    version: str,
    seen: Sequence[Evidence] = (),
    source: str = evidence.NOTE,
    quality: str = "",
    dialled_at: datetime | None = None,
    carrier: str | None = None,
    heard: Mapping[str, str] = MappingProxyType({}),
) -> Settled | None:
    """Settle an ended call to its talk time and seal its record; a settled call is only read.

    `seen` is what was seen of it just now, `quality` the called leg's report, `carrier` who was tried last, `heard` the
    prompts that each was told, by column. Returns None for a call that was never opened. The hold becomes a charge or
    is given back in this same transaction.
    """
    row = calls.lock_call(conn, call_id)
    if row is None:
        return None
    if row.sealed_at is None or source != evidence.NOTE:  # a note only repeats what settled the call
        evidence.add(conn, call_id, *seen, source=source, at=at)
    if quality:
        evidence.keep_quality(conn, call_id, Leg.CALLED_PARTY, quality)
    carried = {"dialled_at": row.dialled_at or dialled_at, "carrier": row.carrier or carrier}
    known = {"version": version, **carried, **heard}
    return _settle_row(conn, row, ending, at, known=known, seen=seen, quality=quality)


async def settle_call(
    node: Node,
    call_id: str,
    ending: Ending,
    *,
    seen: Sequence[Evidence] = (),
    source: str = evidence.NOTE,
    quality: str = "",
) -> Settled | None:
    """Settle a call on this node in one transaction; nothing of it is left to do here."""
    live = node.live.get(call_id)
    settled = await node.database.transact(
        settle,
        call_id,
        ending,
        at=node.now(),
        version=node.version,
        seen=seen,
        source=source,
        quality=quality,
        dialled_at=live.dialled_at if live else None,
        carrier=node.carriers.get(live.carrier or "") if live else None,
        heard=_heard(live) if live else {},
    )
    if settled is not None and settled.is_new:
        node.live.ended[settled.reason] += 1
        talked_s, cost = -(-settled.talk_ms // 1000), format_money(settled.charge)
        node.told(call_id, f"ended {settled.reason} talk {talked_s} s charge {cost}")
    node.live.remove(call_id, settled)
    node.settled.set()
    return settled


def _heard(live: LiveCall) -> Mapping[str, str]:
    said = {"inmate_heard": live.inmate_heard, "called_heard": live.called_heard}
    return {column: " ".join(prompts) for column, prompts in said.items() if prompts}


def _settle_row(
    conn: Connection,
    row: Row[Any],
    ending: Ending,
    at: datetime,
    *,
    known: Mapping[str, object],
    seen: Sequence[Evidence],
    quality: str,
) -> Settled:
    if row.sealed_at is not None:
        charged, talk_ms = Money(row.charge or 0), row.talk_ms or 0
        return Settled(reason(row.reason), charged, talk_ms, is_new=False, given_back=row.given_back is True)
    span = _talk_of(conn, row, seen)
    cause = cause_of(ending.cause, seen)
    cut_off_by = _cut_off_by(row, span)
    fault = Fault.UNRECORDED if cut_off_by is Cutoff.UNRECORDED else ending.fault
    told = Told(cause, ending.ended_by, fault, quality)
    by_rule = cut_off_by not in (None, Cutoff.UNRECORDED) or _was_cut(row, span)
    drop = drop_of(conn, row, span, told, by_rule=by_rule)
    billed = NOTHING if drop.given_back else _charge(row, span)
    due = Money(min(billed.due, row.held)) if row.payer in PAID_IN_MONEY else ZERO
    values: dict[str, object] = {
        **known,
        **_talk_values(span, at),
        **_reason_values(row, span, replace(ending, cause=cause)),
        **_money_values(conn, row, due, at, talked=span.ms >= SHORTEST_BILLED_MS and not drop.given_back),
        **_agency_values(conn, row, billed, at),
        **_charge_values(billed),
        **_drop_values(drop),
        "not_recorded": row.not_recorded or (NotRecorded.NOT_CONNECTED if span.started_at is None else None),
    }
    if is_anonymous(row):
        values, at = calls.without_trace(row, values), coarse(at)
    calls.seal(conn, row.id, values, at)
    notices_of_call(conn, row, values, at)
    if span.ms >= SHORTEST_COUNTED_MS and row.inmate is not None:
        learn(conn, row.inmate, row.number)
    if drop.given_back:
        tell_payer(conn, row, at)
    return Settled(reason(str(values["reason"])), due, span.ms, is_new=True, given_back=drop.given_back)


def is_anonymous(row: Row[Any]) -> bool:
    """Whether no trace of the caller is kept."""
    return row.hotline_kind in ANONYMOUS_KINDS


def _talk_of(conn: Connection, row: Row[Any], brought: Sequence[Evidence]) -> Talk:
    if row.limit_ms is None or row.accepted_at is None:
        return NO_TALK  # whatever was seen: nobody pays for what nobody accepted
    brought_alone = brought if is_anonymous(row) else ()  # nothing is kept of it
    seen = [*evidence.of_call(conn, row.id), *brought_alone]
    span = talk(seen, limit_ms=row.limit_ms, last_seen_at=row.last_seen_at)
    ends = [at for at in (row.switched_off_at, row.cut_at) if at is not None]
    if not ends or span.started_at is None:
        return span
    left = min(ends) - span.started_at  # nobody pays for what staff were late to end
    return replace(span, ms=min(span.ms, max(0, int(left / timedelta(milliseconds=1)))))


def _charge(row: Row[Any], span: Talk) -> Charge:
    """What the talk costs, whoever pays it; nothing where nobody does by the minute."""
    if row.price is None or span.started_at is None or span.ms < SHORTEST_BILLED_MS:
        return NOTHING
    return charge(price_from_text(row.price), span.started_at, span.ms)


def _drop_values(drop: Drop) -> Mapping[str, object]:
    return {"dropped_by": drop.by, "given_back": drop.given_back if drop.by else None}


def _charge_values(billed: Charge) -> Mapping[str, object]:
    lines = "; ".join(f"{line.name} {format_money(line.amount)}" for line in billed.taxes)
    return {
        "billed_seconds": billed.billed_seconds,
        "connect_fee": billed.connect_fee,
        "tax": billed.tax,
        "taxes": lines or None,
    }


def _agency_values(conn: Connection, row: Row[Any], billed: Charge, at: datetime) -> Mapping[str, object]:
    """What the agency owes for the call by law: booked in this same transaction, paid by invoice."""
    if billed.agency:
        ledger.post(
            conn,
            transfer_id=f"call/{row.id}/agency",
            debit_id=payers.agency_account(row.facility_id),
            credit_id=payers.REVENUE,
            amount=billed.agency,
            at=at,
        )
    return {"agency_charge": billed.agency}


def _talk_values(span: Talk, at: datetime) -> Mapping[str, object]:
    return {
        "talk_ms": span.ms,
        "talk_flagged": span.flagged,
        "talk_from_at": span.started_at,
        "talk_to_at": span.ended_at,
        "ended_at": span.ended_at or at,
    }


def _reason_values(row: Row[Any], span: Talk, ending: Ending) -> Mapping[str, object]:
    """The one word for the end, and beside it who or what ended the call."""
    known = {"dial_status": ending.dial_status, "cause": ending.cause}
    if ending.forwarded is not None:
        known["forwarded"] = ending.forwarded
    if span.started_at is None:
        why = Denial.SWITCHED_OFF if row.switched_off_at else row.declined or _untalked(row, ending)
        return {**known, "reason": why, "ended_by": STAFF if why is Outcome.CUT_OFF else ending.ended_by}
    if cut_off_by := _cut_off_by(row, span):
        ended_by = _ENDED_BY.get(cut_off_by, "limit")
        return {**known, "reason": Outcome.LIMIT_REACHED, "cut_off_by": cut_off_by, "ended_by": ended_by}
    if _was_cut(row, span):
        return {**known, "reason": Outcome.CUT_OFF, "ended_by": STAFF}
    return {**known, "reason": Outcome.COMPLETED, "ended_by": ending.ended_by}


def _cut_off_by(row: Row[Any], span: Talk) -> Cutoff | None:
    """Which limit, hour or switch ended a talk, or the fault of its recording; None where none did."""
    if span.started_at is None:
        return None
    limit = Cutoff(row.limit_set_by)
    if span.ms >= row.limit_ms - LIMIT_SLACK_MS:
        return limit
    hours = (
        (row.ends_by, limit),
        (row.switched_off_at, Cutoff.SWITCHED_OFF),
        (row.unrecorded_at, Cutoff.UNRECORDED),
    )
    known = [(at, cutoff) for at, cutoff in hours if at is not None]
    if not known or span.ended_at is None:
        return None
    at, cutoff = min(known)
    return cutoff if span.ended_at >= at - timedelta(milliseconds=LIMIT_SLACK_MS) else None


def _was_cut(row: Row[Any], span: Talk) -> bool:
    """Whether staff ended the talk: it did not end before by itself."""
    if row.cut_at is None or span.ended_at is None:
        return False
    return bool(span.ended_at >= row.cut_at - timedelta(milliseconds=LIMIT_SLACK_MS))


def _untalked(row: Row[Any], ending: Ending) -> Outcome:
    """Why two who were not connected have not talked, where the called party chose nothing else.

    Every dialogue with a called party ends in a choice of theirs, so an offer without one was broken off by us. One
    who accepted and hung up in the moment before the connection has ended the call.
    """
    if row.cut_at is not None:
        return Outcome.CUT_OFF
    if ending.otherwise is not Outcome.NOT_ACCEPTED:
        return ending.otherwise
    ended_it = row.state == CallState.ACCEPTED and ending.ended_by == Leg.CALLED_PARTY
    return Outcome.COMPLETED if ended_it else Outcome.SYSTEM_FAULT


def _money_values(
    conn: Connection, row: Row[Any], due: Money, at: datetime, *, talked: bool
) -> Mapping[str, object]:
    """Turn the hold into a charge, or give it back; both are idempotent by their ids."""
    if row.hold_id is None:
        return {"charge": ZERO, "calls_charged": 0}
    is_call = row.payer in PAID_IN_CALLS
    amount = min(int(talked), row.held) if is_call else due  # a continuation holds no call
    if amount:
        ledger.settle(
            conn, transfer_id=f"call/{row.id}/settlement", hold_id=row.hold_id, amount=amount, at=at
        )
        if row.payer == Payer.PAID_CALL and not row.by_card:
            payers.end_paid_call(conn, account_id=row.account_id, at=at)
    else:
        ledger.release(conn, transfer_id=f"call/{row.id}/release", hold_id=row.hold_id, at=at)
    return {
        "charge": due,
        "calls_charged": amount if is_call else 0,
        "balance_after": None if row.by_card else ledger.balance(conn, row.account_id).available,
    }
