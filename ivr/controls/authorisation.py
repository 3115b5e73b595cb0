"""Gather the facts of a call, decide on it, and reserve what it may cost: one transaction."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from accounts import ledger, payers
from ivr.facility import lookup, tariffs
from ivr.facility.lookup import Facility
from ivr.policy.reasons import Denial
from ivr.policy.request import (
    Allow,
    BlockCause,
    CallRequest,
    Decision,
    Deny,
    InmateState,
    Payer,
    PrepaidFacts,
    SubscriptionFacts,
)
from ivr.policy.rules import decide, needed
from ivr.records import calls
from ivr.records.states import CallState
from rating.call_type import CallType, call_type
from rating.free_by_law import Share, agency_share
from rating.lawful import lawful_price
from rating.numbers import Dialled, Number, Unusable, read_e164, read_keys
from rating.price import Price
from rating.taxes import taxes_due

#: The account that a payer's charge goes to.
EARNED_BY = {Payer.PREPAID: payers.REVENUE, Payer.SUBSCRIPTION: payers.CALLS_USED}
#: The dialplan ends the called party's dialogue after so long (`dialplan.render`).
LONGEST_ACCEPTANCE_SECONDS = 120
FURTHEST_LIMIT_MS = 99_999_999  # what the dialplan's own check lets through
#: How often a call is decided anew because another was quicker to take what was to pay for it.
DECISIONS = 5


@dataclass(frozen=True, slots=True)
class Authorised:
    """The decision, and the number it is about."""

    decision: Decision
    number: str


def authorise(
    conn: Connection, facility: Facility, *, call_id: str, inmate: int, dialled: str, at: datetime
) -> Authorised:
    """Decide on an open call to the keys `dialled`; if it may be made, its money or subscription call is held.

    Where another call was quicker to take that, the decision is made anew on what is left: the next payer may pay.
    """
    asked = number_keyed(conn, inmate, dialled)
    number = asked.e164 if isinstance(asked, Number) else ""
    for _ in range(DECISIONS):
        request = gather(conn, facility, inmate, asked, at)
        decision = decide(request)
        known: dict[str, object] = {
            "number": number or None,
            "call_type": request.call_type,
            "privileged": request.privileged,
        }
        if isinstance(decision, Deny):
            break
        try:
            _hold(conn, call_id, request, decision, known)
        except ledger.InsufficientFunds:
            decision = _outrun(request)
        else:
            return Authorised(decision, number)
    calls.set_values(conn, call_id, **known)
    return Authorised(decision, number)


def number_keyed(conn: Connection, inmate: int, keys: str) -> Dialled:
    """The number that was keyed, or that the inmate's speed dial stands for."""
    if len(keys) <= 2 and (listed := lookup.number_of_speed_dial(conn, inmate, keys)):
        return read_e164(listed)
    return read_keys(keys)


def gather(conn: Connection, facility: Facility, inmate: int, dialled: Dialled, at: datetime) -> CallRequest:
    """All facts that the rules may know, read at one moment."""
    local = at.astimezone(ZoneInfo(facility.time_zone))
    number = dialled.e164 if isinstance(dialled, Number) else ""
    known = lookup.number_facts(conn, facility.id, inmate, number)
    kind = _call_type(facility, dialled, local=known.local)
    share = None if known.free or kind is None else agency_share(facility.site, local.date(), kind)
    price = _price(conn, facility, number, kind, on=local.date(), share=share) if kind else None
    paying = payers.payer_facts(conn, facility_id=facility.id, number=number, on=local.date())
    return CallRequest(
        at=local,
        inmate_state=InmateState(known.inmate_state),
        has_recorded_name=known.has_recorded_name,
        dialled=dialled,
        blocked_by=BlockCause(known.blocked_by) if known.blocked_by else None,
        on_allowed_list=known.allowed,
        privileged=known.privileged,
        free=known.free or (share is not None and share.is_free),
        schedule=lookup.schedule_of(conn, facility.id),
        call_type=kind,
        price=price,
        starts=_starts(facility, price, at),
        agency_rule=share.id if share else None,
        subscription=_subscription(paying.subscription) if paying.subscription else None,
        prepaid=PrepaidFacts(paying.prepaid.account_id, paying.prepaid.available) if paying.prepaid else None,
        longest_call_ms=min(facility.longest_call_ms, FURTHEST_LIMIT_MS),
        facility_records=facility.records,
        number_records=known.records,
    )


def _price(
    conn: Connection, facility: Facility, number: str, kind: CallType, *, on: date, share: Share | None
) -> Price | None:
    """What the tariff of the day asks for such a call, as far as it may; None where it has no price for it."""
    tariff = tariffs.tariff_on(conn, facility.id, facility.time_zone, on)
    row = tariff.price_of(number, kind) if tariff else None
    if row is None:
        return None
    rows, localities = tariffs.tax_rows(facility.taxes), facility.localities.split()
    taxes = taxes_due(rows, facility.state, kind, on, localities=localities)
    return lawful_price(row, facility.site, kind, on, taxes=taxes, share=share)


def _starts(facility: Facility, price: Price | None, at: datetime) -> tuple[datetime, datetime]:
    """When the talk may begin: at once, or after the longest ringing and acceptance."""
    if price is None or price.timetable.same_always:
        return at, at
    return at, at + timedelta(seconds=facility.ring_seconds + LONGEST_ACCEPTANCE_SECONDS)


def _subscription(plan: payers.SubscriptionFacts) -> SubscriptionFacts:
    period = plan.period
    if period is None:
        return SubscriptionFacts(plan.id, account_id=None, calls_left=0, renews_on=None)
    return SubscriptionFacts(
        plan.id, period.account_id, period.calls_left, period.last_date + timedelta(days=1)
    )


def _call_type(facility: Facility, dialled: Dialled, *, local: bool) -> CallType | None:
    if isinstance(dialled, Unusable):
        return None
    exchanges = {dialled.e164[2:8]} if local else set()
    return call_type(dialled, facility_state=f"US-{facility.state}", local_exchanges=exchanges)


def _hold(
    conn: Connection, call_id: str, request: CallRequest, allowed: Allow, known: dict[str, object]
) -> None:
    """Reserve what the call may cost; raises ledger.InsufficientFunds, having changed nothing."""
    payment, limit = allowed.payment, allowed.limit
    hold_id, before = None, None
    if payment.account_id is not None:
        hold_id = f"call/{call_id}/hold"
        before = ledger.balance(conn, payment.account_id).available
        ledger.hold(
            conn,
            transfer_id=hold_id,
            debit_id=payment.account_id,
            credit_id=EARNED_BY[payment.payer],
            amount=payment.hold,
            at=request.at,
        )
    calls.set_values(
        conn,
        call_id,
        **known,
        state=CallState.ALLOWED,
        payer=payment.payer,
        account_id=payment.account_id,
        hold_id=hold_id,
        balance_before=before,
        not_covered=payment.not_covered,
        renews_on=payment.renews_on,
        held=payment.hold,
        price=_price_text(payment.price, request.at),
        agency_rule=request.agency_rule if payment.price else None,
        limit_ms=limit.ms,
        limit_set_by=limit.cutoff,
        not_recorded=allowed.not_recorded,
    )


def _outrun(request: CallRequest) -> Deny:
    """Other calls took the funds between each look and its hold."""
    assert request.price is not None
    return Deny(Denial.FUNDS_TOO_LOW, {"needed": needed(request.price, request.starts)})


def _price_text(price: Price | None, at: datetime) -> str | None:
    """The price with the holidays of the days that a talk may touch."""
    return price.to_text(at.date(), at.date() + timedelta(days=2)) if price else None
