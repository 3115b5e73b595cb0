"""When on one day an inmate may call a number: the decision of each minute, told as spans."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ivr.controls.explaining import Question, asked_of, request_at, with_name
from ivr.controls.pricing import talk_starts
from ivr.facility.lookup import Facility
from ivr.policy.request import Allow, CallRequest, Decision, Deny
from ivr.policy.rules import decide
from rating.numbers import Number

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From one local time until another (exclusive) the same is decided, for the same reason."""

    starts: datetime
    ends: datetime
    decisions: Sequence[Decision]  # of each minute

    def as_dict(self) -> dict[str, object]:
        """The span as JSON can hold it; `seconds` is the longest call that may begin in it."""
        told = {"from": self.starts.isoformat(), "until": self.ends.isoformat()}
        match self.decisions[0]:
            case Deny(reason):
                return {**told, "decision": "deny", "reason": reason}
            case Allow(_, payment):
                longest = max(each.limit.ms for each in self.decisions if isinstance(each, Allow))
                return {**told, "decision": "allow", "payer": payment.payer, "seconds": longest // 1000}


@dataclass(frozen=True, slots=True)
class Day:
    """A whole local day: its spans follow each other without a gap."""

    facility_id: str
    inmate_id: str | None
    booking: str | None
    number: str | None
    on: date
    spans: Sequence[Span]

    def as_dict(self) -> dict[str, object]:
        """The day as JSON can hold it."""
        return {
            "facility": self.facility_id,
            "inmate": self.inmate_id,
            "booking": self.booking,
            "number": self.number,
            "day": self.on.isoformat(),
            "spans": [span.as_dict() for span in self.spans],
        }


def explain_day(
    conn: Connection, asked: Question, on: date | None, now: datetime, *, takes_cards: bool = False
) -> Day:
    """What would be decided at every minute of a local day, today without one; raises ExplainError.

    The facts are read once and count the calls that there have been until now; those in progress are taken as over.
    `takes_cards`: a card processor is set up.
    """
    facility, caller = asked_of(conn, asked)
    zone = ZoneInfo(facility.time_zone)
    day = on or now.astimezone(zone).date()
    midnights = [datetime.combine(day + timedelta(days=n), time(0), zone).astimezone(UTC) for n in (0, 1)]
    request = with_name(
        request_at(conn, facility, caller, asked.number, midnights[0], takes_cards=takes_cards)
    )
    request = replace(request, history=[call for call in request.history if not call.in_progress])
    minutes = ((at, _decided(request, facility, at)) for at in _minutes(*midnights))
    spans = [
        Span(
            each[0][0].astimezone(zone), (each[-1][0] + MINUTE).astimezone(zone), [found for _, found in each]
        )
        for each in (list(group) for _, group in groupby(minutes, key=lambda each: _same(each[1])))
    ]
    number = request.dialled.e164 if isinstance(request.dialled, Number) else None
    return Day(facility.id, asked.inmate_id, asked.booking, number, day, spans)


def _minutes(first: datetime, last: datetime) -> Iterator[datetime]:
    while first < last:
        yield first
        first += MINUTE


def _decided(request: CallRequest, facility: Facility, at: datetime) -> Decision:
    """The decision on the same call at another minute of the same local day."""
    past = [call for call in request.history if call.keyed_at <= at]
    starts = talk_starts(facility, request.price, at)
    return decide(replace(request, at=at.astimezone(request.at.tzinfo), starts=starts, history=past))


def _same(decision: Decision) -> tuple[str, object]:
    """What makes minutes one span: neither the limit nor the wait, which change from minute to minute."""
    match decision:
        case Deny(reason):
            return "deny", reason
        case Allow(_, payment):
            return "allow", payment.payer
