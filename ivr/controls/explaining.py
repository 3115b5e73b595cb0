"""What would be decided on a call, and why: the facts are read, and nothing is reserved or written."""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ivr.controls.authorisation import gather, number_keyed
from ivr.controls.facts import Caller
from ivr.facility import bookings, lookup
from ivr.facility.bookings import Booking
from ivr.facility.lookup import Facility
from ivr.policy.explain import Explanation, View, explanation
from ivr.policy.reasons import Denial
from ivr.policy.request import Allow, CallRequest, Deny, Limit, Payer, Payment
from ivr.policy.rules import block_cause
from ivr.policy.schedule import instant
from rating.money import Money, format_money
from rating.numbers import ORDINARY_AND_TOLL_FREE, Number, read_e164


class ExplainError(Exception):
    """The question can't be answered; the message says what is not known."""


@dataclass(frozen=True, slots=True)
class Question:
    """May this inmate call this number, from this station, at this time? Without a time: now."""

    inmate_id: str | None  # none: somebody on a booking, or who is not asked, by the code of a hotline
    number: str  # keys as they would be pressed, or E.164
    station_id: str | None = None
    facility_id: str | None = None
    at: datetime | None = None  # without a zone: the facility's time
    booking: str | None = None  # its number, as it is keyed at an intake station


@dataclass(frozen=True, slots=True)
class Answer:
    """The question as it was understood, and its explanation."""

    facility_id: str
    station_id: str | None
    inmate_id: str | None
    booking: str | None
    request: CallRequest
    explained: Explanation
    asks_for_name: bool  # the telephone does so once the number is keyed, and decides then

    def as_dict(self) -> dict[str, object]:
        """The answer as JSON can hold it."""
        dialled = self.request.dialled
        return {
            "facility": self.facility_id,
            "station": self.station_id,
            "inmate": self.inmate_id,
            "booking": self.booking,
            "number": dialled.e164 if isinstance(dialled, Number) else None,
            "at": self.request.at.isoformat(),
            "call_type": self.request.call_type,
            "asks_for_name": self.asks_for_name,
            **_decision(self.explained, self.request),
            "payers": {each: why or "can pay" for each, why in self.explained.payers.items()},
            "continues": self.request.continues.id if self.request.continues else None,
            "rules": [_view(view) for view in self.explained.views],
            "limits": [_limit(limit) for limit in self.explained.limits],
        }


def explain(
    conn: Connection, asked: Question, now: datetime, *, takes_cards: bool = False, sends_links: bool = False
) -> Answer:
    """Answer with the settings and the calls that there are; raises ExplainError.

    `takes_cards`: a card processor is set up, `sends_links`: and SMS are sent. At another time than now the calls in
    progress are over, and what was keyed later has not been yet.
    """
    facility, caller = asked_of(conn, asked)
    at = _aware(asked.at, facility) or now
    request = request_at(
        conn, facility, caller, asked.number, at, takes_cards=takes_cards, sends_links=sends_links
    )
    asks_for_name, request = not request.has_recorded_name, with_name(request)
    if asked.at is not None:
        past = [call for call in request.history if not call.in_progress and call.keyed_at <= at]
        request = replace(request, history=past)
    explained = explanation(request)
    return Answer(
        facility.id,
        facility.station_id,
        asked.inmate_id,
        asked.booking,
        request,
        explained,
        asks_for_name,
    )


def asked_of(conn: Connection, asked: Question) -> tuple[Facility, Caller]:
    """The facility and who calls: an inmate, a booking, or nobody who is known; raises ExplainError."""
    facility = _facility(conn, asked)
    if asked.booking is not None:
        return facility, _booking(conn, facility, asked.booking)
    if facility.intake and (asked.inmate_id or not lookup.hotline_by_code(conn, facility.id, asked.number)):
        raise ExplainError(f"{facility.station_id} is an intake station: calls there need a booking")
    if asked.inmate_id is None:
        return facility, None
    found = lookup.inmate_by_id(conn, facility.id, asked.inmate_id)
    if found is None:
        raise ExplainError(f"{facility.id} has no inmate {asked.inmate_id}")
    return facility, int(found.id)


def _booking(conn: Connection, facility: Facility, number: str) -> Booking:
    if facility.station_id is not None and not facility.intake:
        raise ExplainError(f"{facility.station_id} is no intake station: no booking is keyed there")
    found = bookings.booking_by_number(conn, facility.id, number)
    if found is None:
        raise ExplainError(f"{facility.id} has no booking {number}")
    return found


def request_at(
    conn: Connection,
    facility: Facility,
    caller: Caller,
    keys: str,
    at: datetime,
    *,
    takes_cards: bool = False,
    sends_links: bool = False,
) -> CallRequest:
    """The facts of a call to these keys, or to a number in E.164, at an instant."""
    if caller is not None and keys.startswith("+"):
        dialled = read_e164(keys, allowed_kinds=ORDINARY_AND_TOLL_FREE)
    else:
        dialled = number_keyed(conn, facility, caller, keys)
    return gather(conn, facility, caller, dialled, at, takes_cards=takes_cards, sends_links=sends_links)


def with_name(request: CallRequest) -> CallRequest:
    """The same once the name is recorded: whoever has none is asked for it before anything is decided."""
    return replace(request, has_recorded_name=True)


def _facility(conn: Connection, asked: Question) -> Facility:
    if asked.station_id is not None:
        facility = lookup.facility_of_station(conn, asked.station_id)
        if facility is None:
            raise ExplainError(f"there is no station {asked.station_id}")
        if asked.facility_id not in (None, facility.id):
            raise ExplainError(
                f"station {asked.station_id} belongs to facility {facility.id}, not to {asked.facility_id}"
            )
        return facility
    found = lookup.facilities(conn, asked.facility_id)
    if len(found) != 1:
        raise ExplainError(
            f"there is no facility {asked.facility_id}"
            if asked.facility_id
            else "name a facility or a station"
        )
    return found[0]


def _aware(at: datetime | None, facility: Facility) -> datetime | None:
    if at is None or at.tzinfo is not None:
        return at
    return instant(at.replace(tzinfo=ZoneInfo(facility.time_zone)))


def _decision(explained: Explanation, request: CallRequest) -> dict[str, object]:
    match explained.decision:
        case Deny(reason, told, link=link, set_at=level):
            said = {name: _said(name, value) for name, value in told.items()}
            offered = f"${format_money(link.amount)}" if link else None
            cause = block_cause(request) if reason is Denial.NUMBER_BLOCKED else None
            why = {"level": level, "blocked_by": cause}
            return {"decision": "deny", "reason": reason, **why, "told": said, "link": offered}
        case Allow(limit, payment, not_recorded, in_talk=talk):
            return {
                "decision": "allow",
                "limit": _limit(limit),
                "payer": payment.payer,
                "price": _price(payment),
                "recorded": not_recorded is None,
                "not_recorded": not_recorded,
                "overlay_seconds": talk.overlay_seconds,
                "keys_pass": talk.keys_pass,
            }


def _price(payment: Payment) -> str:
    """What the longest talk costs."""
    match payment.payer:
        case Payer.FREE:
            return "nothing"
        case Payer.SUBSCRIPTION | Payer.COURTESY:
            return "1 call" if payment.hold else "no further call"
        case _:
            return f"${format_money(Money(payment.hold))}"


def _said(name: str, value: object) -> object:
    return f"${format_money(Money(value))}" if name == "needed" and isinstance(value, int) else value


def _limit(limit: Limit) -> dict[str, object]:
    return {"set_by": limit.cutoff, "level": limit.set_at, "seconds": limit.ms // 1000}


def _view(view: View) -> dict[str, object]:
    said = view.objection.reason if view.objection else "no objection"
    return {"rule": view.rule, "says": view.says, "view": said if view.looked_at else "not looked at"}
