"""Gather the facts of a call, decide on it, and reserve what it may cost: one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from accounts import ledger, payers
from accounts.billed import collect_account, open_billed
from accounts.courtesy import courtesy_account, give_courtesy
from accounts.tables import BilledKind
from ivr.controls.doubt import alert_of_doubt
from ivr.controls.facts import Caller, Choice, Facts, facts
from ivr.controls.pricing import Priced, priced, talk_starts
from ivr.facility import lookup, scopes
from ivr.facility.bookings import Booking
from ivr.facility.lookup import Facility
from ivr.facility.settings import Settings, settings_of
from ivr.policy.continuation import continuing
from ivr.policy.hotline import HotlineKind
from ivr.policy.intake import Intake
from ivr.policy.quantity import FURTHEST_LIMIT_MS, CallLimit, Counted, History, looks_back_to
from ivr.policy.reasons import Cutoff
from ivr.policy.request import (
    PAID_IN_CALLS,
    PAID_IN_MONEY,
    Allow,
    CallRequest,
    CardOnFile,
    CourtesyFacts,
    Decision,
    Deny,
    Funds,
    InmateState,
    Limit,
    Link,
    PanMode,
    Payer,
    Payment,
    SubscriptionFacts,
)
from ivr.policy.rules import block_cause, decide, funds_too_low, one_at_a_time
from ivr.records import calls
from ivr.records.history import history
from rating.free_by_law import agency_share
from rating.money import ZERO, Money
from rating.numbers import (
    ORDINARY_AND_TOLL_FREE,
    Dialled,
    Number,
    NumberRefusal,
    Unusable,
    read_e164,
    read_keys,
)
from rating.price import Price

#: The account that a payer's charge goes to.
EARNED_BY = {
    **dict.fromkeys(PAID_IN_MONEY, payers.REVENUE),
    **dict.fromkeys(PAID_IN_CALLS, payers.CALLS_USED),
}
#: What is keyed for a relay (47 CFR 64.603), and the code that it is.
SHORT_CODES = {"711": "711", "1711": "711"}
#: How often a call is decided anew because another was quicker to take what was to pay for it.
DECISIONS = 5


@dataclass(frozen=True, slots=True)
class Authorised:
    """The decision, and the number it is about."""

    decision: Decision
    number: str
    ends_by: datetime | None = None  # the hour at which the talk must end, whenever it begins
    available: Money = ZERO  # on the account of money that pays, before this call


def authorise(
    conn: Connection,
    facility: Facility,
    *,
    call_id: str,
    inmate: Caller,
    dialled: str,
    at: datetime,
    choice: Choice | None = None,
    takes_cards: bool = False,
    sends_links: bool = False,
) -> Authorised:
    """Decide on an open call to the keys `dialled`; if it may be made, its money or subscription call is held.

    Nobody's keys are a hotline's code; `takes_cards`: a card processor is set up, `sends_links`: and SMS are sent.
    Where another call was quicker to take what was to pay, the decision is made anew on what is left: the next payer
    may pay. A refused call of which there is a link to offer is rung for that alone.
    """
    asked = number_keyed(conn, facility, inmate, dialled)
    number = ""
    for _ in range(DECISIONS):
        request = gather(
            conn, facility, inmate, asked, at, choice, takes_cards=takes_cards, sends_links=sends_links
        )
        if request.list_in_doubt:
            alert_of_doubt(conn, facility.id, at)
        decision = decide(request)
        number = request.dialled.e164 if isinstance(request.dialled, Number) else ""
        known: dict[str, object] = {
            "number": number or None,
            "call_type": request.call_type,
            "privileged": request.privileged,
            "blocked_by": block_cause(request),
        }
        if isinstance(decision, Deny):
            break
        try:
            _hold(conn, facility, call_id, request, decision, known=known)
        except ledger.InsufficientFunds:
            decision = funds_too_low(request)
        else:
            paying = request.funds.get(decision.payment.payer)
            available = paying.available if paying else ZERO
            return Authorised(decision, number, ends_by(decision.limit, at), available)
    if isinstance(decision, Deny) and decision.link is not None:
        _ring_for_link(conn, call_id, request, decision.link, known=known)
    else:
        calls.set_values(conn, call_id, **known)
    return Authorised(decision, number)


def number_keyed(conn: Connection, facility: Facility, caller: Caller, keys: str) -> Dialled:
    """The number that was keyed, or that a speed dial or a code stands for; `gather` knows if it may be called.

    Nobody's keys are a hotline's code. A toll-free number may be a relay's, which everybody may call.
    """
    if caller is None:
        hotline = lookup.hotline_by_code(conn, facility.id, keys)
        if hotline is None:
            return Unusable(NumberRefusal.NUMBER_INVALID)
        return read_e164(hotline.number, allowed_kinds=ORDINARY_AND_TOLL_FREE)
    own_list = caller if isinstance(caller, int) and len(keys) <= 2 else None
    if own_list is not None and (listed := lookup.number_of_speed_dial(conn, own_list, keys)):
        return read_e164(listed, allowed_kinds=ORDINARY_AND_TOLL_FREE)
    if keys in SHORT_CODES and (relay := lookup.number_of_short_code(conn, facility.id, SHORT_CODES[keys])):
        return read_e164(relay, allowed_kinds=ORDINARY_AND_TOLL_FREE)
    return read_keys(keys, allowed_kinds=ORDINARY_AND_TOLL_FREE)


def gather(  # noqa: PLR0917 - what a decision is on
    conn: Connection,
    facility: Facility,
    caller: Caller,
    dialled: Dialled,
    at: datetime,
    choice: Choice | None = None,
    *,
    takes_cards: bool = False,
    sends_links: bool = False,
) -> CallRequest:
    """All facts that the rules may know, read at one moment, in three statements; only inmates' calls are paid for."""
    inmate = caller if isinstance(caller, int) else None
    number = dialled.e164 if isinstance(dialled, Number) else ""
    found = facts(conn, facility, caller, number, at, choice)
    known = found.number
    if isinstance(dialled, Number) and not known.relay and dialled.kind not in facility.kinds:
        dialled, number = Unusable(NumberRefusal.NUMBER_TYPE_BLOCKED), ""
    settings = _settings(conn, facility, known.unit_id, inmate, dialled, at=at)
    local = at.astimezone(ZoneInfo(facility.time_zone))
    past = _past(conn, facility, inmate, number, settings.limits, local)
    free = known.free or inmate is None  # nobody pays for what is called on a booking or by a code
    agreed = settings.agreed_until(at)
    asked = priced(facility, found.tariff, dialled, at, local=known.local, free=free, talk_until=agreed)
    request = _request(
        facility,
        caller,
        dialled,
        at,
        found=found,
        settings=settings,
        asked=asked,
        past=past,
        chosen=choice.payer if choice else None,
    )
    card = CardOnFile(found.paying.card_account) if found.paying.card_account else None
    return continuing(
        replace(
            request,
            card=card,
            takes_cards=takes_cards,
            sends_links=takes_cards and sends_links,
            link_is_due=found.link_is_due,
            list_in_doubt=found.list_in_doubt,
        )
    )


def _request(
    facility: Facility,
    caller: Caller,
    dialled: Dialled,
    at: datetime,
    *,
    found: Facts,
    settings: Settings,
    asked: Priced,
    past: History,
    chosen: Payer | None,
) -> CallRequest:
    """What was read, as the rules know it."""
    booking = caller if isinstance(caller, Booking) else None
    known, paying = found.number, found.paying
    return CallRequest(
        at=at.astimezone(ZoneInfo(facility.time_zone)),
        inmate_state=InmateState(known.state),
        has_recorded_name=booking.has_name if booking else known.has_recorded_name,
        dialled=dialled,
        blocked_by=settings.blocked_by,
        on_allowed_list=known.allowed or booking is not None,  # whoever was arrested has no list yet
        privileged=known.privileged,
        free=known.free or asked.is_free_by_law or not isinstance(caller, int),
        schedules=settings.schedules,
        call_type=asked.call_type,
        price=asked.price,
        starts=talk_starts(facility, asked.price, at),
        agency_rule=asked.share.id if asked.share else None,
        subscription=_subscription(paying.subscription) if paying.subscription else None,
        funds=_funds(facility, paying, dialled),
        offered=_offered(facility, at),
        chosen=chosen,
        courtesy=_courtesy(facility, paying, dialled),
        longest_call_ms=min(facility.longest_call_ms, FURTHEST_LIMIT_MS),
        facility_records=facility.records,
        number_records=known.records,
        limits=settings.limits,
        history=past,
        holidays=settings.holidays,
        office=known.office,
        hotline=known.hotline,
        intake=Intake(booking.entitled(facility), found.intake_calls) if booking else None,
        hotline_kind=HotlineKind(known.hotline_kind) if known.hotline_kind else None,
        block_overridden=known.block_overridden,
        pan_mode=PanMode(facility.pan_mode),
        list_is_full=facility.pan_maximum is not None and known.listed >= facility.pan_maximum,
        suspended_from=known.suspended_from,
        suspended_to=known.suspended_to,
        switched_off=settings.switched_off,
        unrecorded_at=settings.unrecorded_at,
        only_payer=Payer(known.payer) if known.payer else None,
        appointments=settings.appointments,
        untimed=known.untimed,
        passive=known.passive,
        relay=known.relay,
        relay_limit_factor=facility.relay_limit_factor,
        overlay_seconds=facility.overlay_seconds,
        number_overlay=known.overlay,
        last_call=found.last_call,
    )


def _settings(
    conn: Connection,
    facility: Facility,
    unit_id: str | None,
    inmate: int | None,
    dialled: Dialled,
    *,
    at: datetime,
) -> Settings:
    """The rules and switches of every level that a call meets; `unit_id` is the inmate's."""
    units = {facility.unit_id, unit_id}
    number = dialled.e164 if isinstance(dialled, Number) else None
    met = scopes.of_call(units=units, station_id=facility.station_id, inmate_key=inmate, e164=number)
    switches = scopes.switches_of(
        agency_id=facility.agency_id, facility_id=facility.id, units=units, station_id=facility.station_id
    )
    return settings_of(conn, facility, met, dialled, switches=switches, at=at)


def _past(  # noqa: PLR0917 - what a history is of
    conn: Connection,
    facility: Facility,
    inmate: int | None,
    number: str,
    limits: Sequence[CallLimit],
    local: datetime,
) -> History:
    """The calls that the limits count at a local time."""
    return history(
        conn,
        facility_id=facility.id,
        inmate=inmate,
        number=number,
        inmate_since=looks_back_to(limits, Counted, local),
        number_since=looks_back_to(limits, {Counted.NUMBER}, local),
        relay_limit_factor=facility.relay_limit_factor,
    )


def _subscription(plan: payers.SubscriptionFacts) -> SubscriptionFacts:
    period = plan.period
    if period is None:
        return SubscriptionFacts(plan.id, account_id=None, calls_left=0, renews_on=None)
    return SubscriptionFacts(
        plan.id, period.account_id, period.calls_left, period.last_date + timedelta(days=1)
    )


def _funds(facility: Facility, paying: payers.PayerFacts, dialled: Dialled) -> Mapping[Payer, Funds]:
    """The accounts of money that there are; that of a number's collect calls opens with the first one."""
    funds = {
        Payer(payer): Funds(has.account_id, has.available)
        for payer, has in paying.funds.items()
        if payer in PAID_IN_MONEY
    }
    if isinstance(dialled, Number) and Payer.COLLECT not in funds and not paying.collect_stopped:
        opened = collect_account(facility.id, dialled.e164)
        funds[Payer.COLLECT] = Funds(opened, Money(facility.collect_limit))
    return funds


def _offered(facility: Facility, at: datetime) -> frozenset[Payer]:
    """Who may pay here; nobody is asked to by a collect call where any calls are free by law."""
    offered = frozenset(map(Payer, facility.payers.split()))
    if Payer.COLLECT in offered:
        share = agency_share(facility.site, at.astimezone(ZoneInfo(facility.time_zone)).date())
        return offered - {Payer.COLLECT} if share is not None and share.is_free else offered
    return offered


def _courtesy(facility: Facility, paying: payers.PayerFacts, dialled: Dialled) -> CourtesyFacts | None:
    """The number's courtesy call; None where it has had it, or the facility gives it no time."""
    given = paying.funds.get(Payer.COURTESY)
    is_used = given is not None and given.available < 1
    if facility.courtesy_seconds == 0 or is_used or not isinstance(dialled, Number):
        return None
    return CourtesyFacts(courtesy_account(dialled.e164), facility.courtesy_seconds * 1000)


def _open(conn: Connection, facility: Facility, request: CallRequest, paying: Payment) -> None:
    """An account that opens with the first call that it pays for is there, whoever is quicker."""
    assert isinstance(request.dialled, Number)
    number = request.dialled.e164
    if paying.payer is Payer.COURTESY:
        give_courtesy(conn, number=number, at=request.at)
    elif paying.payer is Payer.COLLECT:
        open_billed(
            conn,
            account_id=collect_account(facility.id, number),
            kind=BilledKind.COLLECT,
            facility_id=facility.id,
            credit_limit=Money(facility.collect_limit),
            at=request.at,
        )


def _hold(
    conn: Connection,
    facility: Facility,
    call_id: str,
    request: CallRequest,
    allowed: Allow,
    *,
    known: dict[str, object],
) -> None:
    """Reserve what the call may cost; raises ledger.InsufficientFunds, having reserved nothing.

    Raises LostRace where another call of the inmate, or to the number, has begun since the facts were read.
    """
    payment, limit = allowed.payment, allowed.limit
    hold_id, before = None, None
    if payment.account_id is not None:
        hold_id = f"call/{call_id}/hold"
        _open(conn, facility, request, payment)
        before = None if payment.by_card else ledger.balance(conn, payment.account_id).available
        ledger.hold(
            conn,
            transfer_id=hold_id,
            debit_id=payers.CARD_RECEIVABLE if payment.by_card else payment.account_id,
            credit_id=EARNED_BY[payment.payer],
            amount=payment.hold,
            at=request.at,
        )
    calls.allow(
        conn,
        call_id,
        **known,
        one_at_a_time=one_at_a_time(request),
        payer=payment.payer,
        account_id=payment.account_id,
        by_card=payment.by_card or None,
        hold_id=hold_id,
        balance_before=before,
        not_covered=payment.not_covered,
        renews_on=payment.renews_on,
        held=payment.hold,
        price=_price_text(payment.price, request.at),
        agency_rule=request.agency_rule if payment.price else None,
        limit_ms=limit.ms,
        limit_set_by=limit.cutoff,
        ends_by=ends_by(limit, request.at),
        not_recorded=allowed.not_recorded,
        passive=allowed.passive,
        call_class=allowed.call_class,
        continues_id=request.continues.id if request.continues else None,
        overlay_seconds=allowed.in_talk.overlay_seconds,
        keys_pass=allowed.in_talk.keys_pass,
    )


def _ring_for_link(
    conn: Connection, call_id: str, request: CallRequest, link: Link, *, known: dict[str, object]
) -> None:
    """The call may be rung to offer a link; without a payer it is never accepted. Raises LostRace like `_hold`."""
    calls.allow(
        conn,
        call_id,
        **known,
        one_at_a_time=one_at_a_time(request),
        link_for=link.amount,
        price=_price_text(request.price, request.at),
        limit_ms=link.limit.ms,
        limit_set_by=link.limit.cutoff,
    )


def ends_by(limit: Limit, at: datetime) -> datetime | None:
    """The hour at which a talk must end whenever it begins, where calling hours limit it."""
    return at + timedelta(milliseconds=limit.ms) if limit.cutoff is Cutoff.SCHEDULE else None


def _price_text(price: Price | None, at: datetime) -> str | None:
    """The price with the holidays of the days that a talk may touch."""
    return price.to_text(at.date(), at.date() + timedelta(days=2)) if price else None
