"""One call told as a story: what happened when, what was decided and why, what each was told, and what it came to."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from accounts.tables import Unit, transfer
from ivr import cdr
from ivr.policy.request import PAID_IN_CALLS, Payer
from ivr.records import notes
from ivr.records.calls import PASSIVE
from ivr.records.listing import flags, of_calls
from ivr.records.tables import call, complaint, evidence, leg_quality
from rating.price import price_from_text
from rating.quote import in_words

#: A time of day, or a word for what has none; and what is told of it.
Line = tuple[str, str]


def story(conn: Connection, call_id: str) -> list[Line]:
    """The lines of the story of a call that there is, in the facility's time."""
    row = conn.execute(of_calls().where(call.c.id == call_id)).one()
    return [*_who(row), *_course(row), *_came_to(row), *_booked(conn, row), *_kept(conn, row)]


def _who(row: Row[Any]) -> Iterator[Line]:
    caller = f"inmate {row.inmate_id}" if row.inmate_id else "nobody known"
    if row.booking_id is not None:
        caller = "a person at intake"
    if row.hotline_kind:
        caller = f"somebody who keyed the hotline {row.hotline_kind}"
    yield "call", row.id
    yield "from", f"{caller}, telephone {row.station_id}, {row.facility}, {_date(row, row.keyed_at)}"
    yield "to", f"{row.number or 'no number'} ({row.call_type or 'not rated'}); keyed {row.dialled}"


def _course(row: Row[Any]) -> Iterator[Line]:
    """What happened, in its order; what did not is left out."""
    happened = (
        (row.keyed_at, f"number keyed; spoken to in {row.inmate_language}"),
        (None, row.limit_ms is not None and _allowed(row)),
        (None, row.inmate_heard and f"told: {row.inmate_heard}"),
        (row.dialled_at, row.dialled_at and (f"dialled by {row.carrier}" if row.carrier else "dialled")),
        (row.answered_at, row.answered_at and f"answered{_after(row.dialled_at, row.answered_at)}"),
        (None, row.called_heard and f"told: {row.called_heard}"),
        (None, row.declined and f"the called party: {row.declined}"),
        (row.accepted_at, row.accepted_at and _accepted(row)),
        (row.talk_from_at, row.talk_from_at and "connected"),
        (row.switched_off_at, row.switched_off_at and "switched off by staff"),
        (row.cut_at, row.cut_at and "cut off by staff"),
        (None, not row.reason and f"in progress: {row.state}"),
        (row.talk_to_at or row.ended_at, row.reason and f"ended: {row.reason}{_beside(row)}"),
    )
    for at, told in happened:
        if told:
            yield _clock(row, at) if at else "", told


def _accepted(row: Row[Any]) -> str:
    by = "the answer itself" if row.accepted_by == PASSIVE else f"key {row.accepted_by}"
    asked = "; asked for the cost" if row.cost_heard else ""
    return f"accepted by {by}{_after(row.answered_at, row.accepted_at)}, in {row.called_language}{asked}"


def _allowed(row: Row[Any]) -> str:
    rule = f"limit {cdr.talk_time(row.limit_ms)} by {row.limit_set_by or 'the hours'}"
    recorded = f"not recorded: {row.not_recorded}" if row.not_recorded else "recorded"
    held = cdr.balance(row, row.held) if row.held else None
    return "; ".join(
        filter(
            None,
            (
                f"allowed: {row.payer or 'nobody yet'} pays",
                f"{held} held" if held else None,
                rule,
                f"privileged, {recorded}" if row.privileged else recorded,
                f"not covered by the subscription: {row.not_covered}" if row.not_covered else None,
                f"price {in_words(price_from_text(row.price).timetable)}" if row.price else None,
            ),
        )
    )


def _beside(row: Row[Any]) -> str:
    known = {
        "cut off by": row.cut_off_by,
        "ended by": row.ended_by,
        "dropped by": row.dropped_by,
        "blocked by": row.blocked_by,
        "dial status": row.dial_status,
        "cause": row.cause,
        "looked at for": ", ".join(flags(row)),
        "goes on with": row.continues_id,
    }
    said = [f"{what} {value}" for what, value in known.items() if value not in (None, "")]
    return f" ({'; '.join(said)})" if said else ""


def _came_to(row: Row[Any]) -> Iterator[Line]:
    if row.sealed_at is None:
        return
    yield "talk", f"{cdr.talk_time(row.talk_ms)} ({(row.talk_ms or 0) / 1000:.3f} s)"
    if row.payer in PAID_IN_CALLS or row.charge:
        taxes = f", of it tax {row.taxes}" if row.taxes else ""
        billed = f" for {row.billed_seconds} s" if row.billed_seconds else ""
        yield "paid", f"{cdr.paid(row)}{billed}{taxes}, by {row.payer} {row.account_id or ''}".rstrip()
    elif row.payer == Payer.FREE and row.talk_ms:
        yield "paid", "free"
    if row.agency_charge:
        yield "agency", f"{cdr.money(row.agency_charge)} by {row.agency_rule}"
    if row.balance_after is not None:
        yield (
            "balance",
            f"{cdr.balance(row, row.balance_before)} before, {cdr.balance(row, row.balance_after)} after",
        )


def _booked(conn: Connection, row: Row[Any]) -> Iterator[Line]:
    """The ledger's entries of the call and of its complaint, as they were posted."""
    of_call = select(transfer).where(transfer.c.id >= f"call/{row.id}/", transfer.c.id < f"call/{row.id}0")
    for each in conn.execute(of_call.order_by(transfer.c.posted_at, transfer.c.id)):
        much = cdr.in_calls(each.amount) if each.unit == Unit.CALLS else cdr.money(each.amount)
        yield "ledger", f"{each.kind} {much}: {each.debit_id} to {each.credit_id}"


def _kept(conn: Connection, row: Row[Any]) -> Iterator[Line]:
    if row.recording_id:
        sealed = f", sealed: {row.recording_sealed_because}" if row.recording_sealed_at else ""
        sound = f", {cdr.talk_time(row.recorded_ms)}, SHA-256 {row.sha256}" if row.sha256 else ""
        yield "recording", f"{row.recording_id} {row.recording_state}{sound}{sealed}"
    elif row.talk_ms:
        yield "recording", f"none: {row.not_recorded}"
    for seen in conn.execute(select(evidence).where(evidence.c.call_id == row.id).order_by(evidence.c.id)):
        yield "seen", f"{seen.kind} at {_clock(row, seen.at)}, by {seen.source}"
    for leg in conn.execute(select(leg_quality).where(leg_quality.c.call_id == row.id)):
        yield "packets", f"{leg.leg}: {cdr.quality(leg)}"
    for said in conn.execute(select(complaint).where(complaint.c.call_id == row.id)):
        decided = {None: "not decided", True: "given back", False: "not given back"}[said.given_back]
        yield "complaint", f"{_date(row, said.opened_at)} by {said.author}: {said.note} ({decided})"
    for noted in notes.of_call(conn, row.id):
        yield "note", f"{_date(row, noted.at)} {_clock(row, noted.at)[:8]} by {noted.author}: {noted.text}"


def _date(row: Row[Any], at: datetime) -> str:
    return at.astimezone(ZoneInfo(row.time_zone)).strftime("%Y-%m-%d")


def _clock(row: Row[Any], at: datetime) -> str:
    return at.astimezone(ZoneInfo(row.time_zone)).strftime("%H:%M:%S.%f")[:-3]


def _after(earlier: datetime | None, later: datetime) -> str:
    return f" after {(later - earlier).total_seconds():.1f} s" if earlier else ""
