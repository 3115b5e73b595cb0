"""May this call be made, who pays, for how long, and may it be recorded?

Each rule is one small function with one reason. The first objection in `RULES` wins; the shortest of `LIMITS` holds;
the most restrictive setting wins, and any "do not record" wins.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from ivr.policy.hotline import ANONYMOUS_KINDS
from ivr.policy.in_talk import in_talk
from ivr.policy.level import Level
from ivr.policy.limits import until_appointment_ends, until_schedule_closes
from ivr.policy.paying import (
    LEAST_BY_CARD,
    can_pay,
    is_free,
    is_passive,
    is_unbillable,
    limit,
    longest_talk,
    may_pay,
    needed,
    payer,
    payment,
    price_by_card,
)
from ivr.policy.quantity import (
    CallQuota,
    CoolingOff,
    MinuteQuota,
    Velocity,
    calls_left,
    cool_at,
    ms_left,
    next_attempt_at,
    whole_minutes,
)
from ivr.policy.reasons import Denial, NotRecorded
from ivr.policy.request import (
    CHOSEN_BY_INMATE,
    Allow,
    BlockCause,
    CallClass,
    CallRequest,
    Decision,
    Deny,
    InmateState,
    Link,
    PanMode,
    Payer,
)
from rating.call_type import CallType
from rating.numbers import Number, Unusable

Rule = Callable[[CallRequest], Deny | None]
Set = TypeVar("Set", CallQuota, CoolingOff, MinuteQuota, Velocity)
SHORTEST_CALL_MS = 60_000
#: Who wants no calls is not overruled.
NEVER_OVERRIDDEN = frozenset({BlockCause.NO_CONTACT, BlockCause.CALLED_PARTY})


def telephones_are_on(ask: CallRequest) -> Deny | None:
    """What is switched off makes no calls at all, to privileged numbers and hotlines neither."""
    return None if ask.switched_off is None else Deny(Denial.SWITCHED_OFF, set_at=ask.switched_off)


def inmate_may_call(ask: CallRequest) -> Deny | None:
    """Released and transferred inmates make no calls; suspended ones reach only privileged numbers and hotlines."""
    match ask.inmate_state:
        case InmateState.RELEASED:
            return Deny(Denial.INMATE_RELEASED)
        case InmateState.TRANSFERRED:
            return Deny(Denial.INMATE_TRANSFERRED)
        case InmateState.SUSPENDED if is_suspended(ask) and not (ask.privileged or ask.hotline):
            return Deny(Denial.INMATE_SUSPENDED)
    return None


def is_suspended(ask: CallRequest) -> bool:
    """Whether the suspension has begun and has not ended."""
    begun = ask.suspended_from is None or ask.suspended_from <= ask.at
    return begun and (ask.suspended_to is None or ask.at < ask.suspended_to)


def name_is_recorded(ask: CallRequest) -> Deny | None:
    """The called party hears in the inmate's own voice who calls, or nobody calls."""
    return None if ask.has_recorded_name else Deny(Denial.NAME_NOT_RECORDED)


def number_can_be_called(ask: CallRequest) -> Deny | None:
    """Emergency and service codes are refused by name, never by accident."""
    return Deny(Denial(ask.dialled.reason)) if isinstance(ask.dialled, Unusable) else None


def number_is_not_blocked(ask: CallRequest) -> Deny | None:
    """Nobody reaches a blocked number; the facility may let one inmate through, but not to whom wants no calls."""
    match block_cause(ask):
        case None:
            return None
        case BlockCause.CALLED_PARTY:
            return Deny(Denial.BLOCKED_BY_CALLED_PARTY)
        case _:
            return Deny(Denial.NUMBER_BLOCKED)


def block_cause(ask: CallRequest) -> BlockCause | None:
    """The cause of the block that holds for this inmate; None if none does, as never against a relay.

    A relay's number is nobody's own: who wants no calls is called through it, not at it.
    """
    if ask.relay:
        return None
    holding = ask.blocked_by & NEVER_OVERRIDDEN if ask.block_overridden else ask.blocked_by
    return next((cause for cause in BlockCause if cause in holding), None)


def number_is_allowed(ask: CallRequest) -> Deny | None:
    """Inmates reach the numbers of their own list, every privileged or free number, every hotline and relay.

    An appointment stands in for the list. An open list holds nobody back, a self-learning one only when it is full.
    """
    if ask.on_allowed_list or ask.privileged or is_free(ask) or ask.hotline or ask.pan_mode is PanMode.OPEN:
        return None
    if until_appointment_ends(ask) is not None:
        return None
    learns = ask.pan_mode is PanMode.SELF_LEARNING and not ask.list_is_full
    return None if learns else Deny(Denial.NUMBER_NOT_ALLOWED)


def intake_is_local(ask: CallRequest) -> Deny | None:
    """Calls on a booking are local, but for those to privileged numbers."""
    if ask.intake is None or ask.privileged or ask.call_type is CallType.LOCAL:
        return None
    return Deny(Denial.INTAKE_LOCAL_ONLY)


def intake_is_in_time(ask: CallRequest) -> Deny | None:
    """Free calls after an arrest begin within the time for them; privileged numbers are reached at any time."""
    if ask.intake is None or ask.privileged or ask.at < ask.intake.entitled.ends_at:
        return None
    return Deny(Denial.INTAKE_TIME_OVER)


def intake_has_calls_left(ask: CallRequest) -> Deny | None:
    """A booking has so many completed calls; those to privileged numbers are neither counted nor refused."""
    if ask.intake is None or ask.privileged or ask.intake.had < ask.intake.entitled.calls:
        return None
    return Deny(Denial.INTAKE_CALLS_USED)


def within_schedule(ask: CallRequest) -> Deny | None:
    """Calls are made while the schedule of every level is open, or by appointment, and for a minute more at least."""
    closes = until_schedule_closes(ask)
    return None if closes.ms >= SHORTEST_CALL_MS else Deny(Denial.OUTSIDE_SCHEDULE, set_at=closes.set_at)


def inmate_has_no_other_call(ask: CallRequest) -> Deny | None:
    """An inmate has one call at a time, so that nobody calls on another's ID."""
    other = any(call.in_progress and call.by_inmate for call in ask.history)
    return Deny(Denial.INMATE_ON_A_CALL) if other else None


def number_has_no_other_call(ask: CallRequest) -> Deny | None:
    """A number has one call at a time, so that nobody joins two inmates; offices, privileged ones, relays take more."""
    other = one_at_a_time(ask) and any(call.in_progress and call.to_number for call in ask.history)
    return Deny(Denial.NUMBER_ON_A_CALL) if other else None


def one_at_a_time(ask: CallRequest) -> bool:
    """Whether the number takes no second call while it has one."""
    return not (ask.office or ask.privileged or ask.relay or ask.hotline_kind is not None)


def not_too_many_attempts(ask: CallRequest) -> Deny | None:
    """A number is not called again and again in a short time, whether anybody answers or not."""
    rules = _set(ask, Velocity)
    until = [(next_attempt_at(ask.history, each, ask.at), each.level) for each in rules]
    return _wait(ask, Denial.TOO_MANY_ATTEMPTS, until)


def has_cooled_off(ask: CallRequest) -> Deny | None:
    """The next call waits for so long after the last connected one."""
    rules = [] if until_appointment_ends(ask) else _set(ask, CoolingOff)
    until = [(cool_at(ask.history, each, ask.at), each.level) for each in rules]
    return _wait(ask, Denial.COOLING_OFF, until)


def has_calls_left(ask: CallRequest) -> Deny | None:
    """Only so many calls are made each day, week or month."""
    rules = [] if until_appointment_ends(ask) else _set(ask, CallQuota)
    used_up = [each for each in rules if calls_left(ask.history, each, ask.at) < 1]
    return _next_day(ask, Denial.CALLS_USED, used_up)


def has_minutes_left(ask: CallRequest) -> Deny | None:
    """Only so many minutes are talked each day, week or month, and the next call has one at least."""
    rules = [] if until_appointment_ends(ask) else _set(ask, MinuteQuota)
    used_up = [each for each in rules if ms_left(ask.history, each, ask.at) < SHORTEST_CALL_MS]
    return _next_day(ask, Denial.MINUTES_USED, used_up)


def _set(ask: CallRequest, kind: type[Set]) -> list[Set]:
    """The limits of a kind, of every level."""
    return [each for each in ask.limits if isinstance(each, kind)]


def _wait(ask: CallRequest, reason: Denial, until: Sequence[tuple[datetime, Level]]) -> Deny | None:
    latest, level = max(until, key=lambda each: each[0], default=(ask.at, None))
    minutes = whole_minutes(latest, ask.at)
    return Deny(reason, {"minutes": minutes}, set_at=level) if minutes > 0 and not ask.privileged else None


def _next_day(ask: CallRequest, reason: Denial, used_up: Sequence[CallQuota | MinuteQuota]) -> Deny | None:
    if not used_up or ask.privileged:
        return None
    last = max(used_up, key=lambda each: each.each.next_starts_on(ask.at.date()))
    return Deny(reason, {"day": last.each.next_starts_on(ask.at.date())}, set_at=last.level)


def rate_is_known(ask: CallRequest) -> Deny | None:
    """No rate found means no call, never a free one."""
    return None if is_free(ask) or ask.price is not None else Deny(Denial.NO_RATE)


def somebody_pays(ask: CallRequest) -> Deny | None:
    """A call that is not free needs a payer for its first increment."""
    return None if payer(ask) is not None else funds_too_low(ask)


def funds_too_low(ask: CallRequest) -> Deny:
    """Nobody pays: what a payer would need at least, and whether it is a collect call that no room is left for."""
    assert ask.price is not None  # rate_is_known stands before somebody_pays
    told = {"needed": needed(ask.price, ask.starts)}
    return Deny(Denial.FUNDS_TOO_LOW, told, is_unbillable=is_unbillable(ask), link=link(ask))


def link(ask: CallRequest) -> Link | None:
    """The link that a called party may be offered where nobody pays, and single calls are offered.

    Nobody is rung for it twice in a day or while one waits, and no number with several lines, nor a privileged one; nor
    for less than card processors take.
    """
    if payer(ask) is not None or not may_pay(ask, Payer.PAID_CALL) or not one_at_a_time(ask):
        return None
    if not (ask.sends_links and ask.link_is_due) or ask.price is None:
        return None
    amount = price_by_card(ask, ask.price)
    return Link(amount, longest_talk(ask, Payer.PAID_CALL)) if amount >= LEAST_BY_CARD else None


RULES: tuple[Rule, ...] = (
    telephones_are_on,
    inmate_may_call,
    name_is_recorded,
    number_can_be_called,
    number_is_not_blocked,
    number_is_allowed,
    intake_is_local,
    intake_is_in_time,
    intake_has_calls_left,
    within_schedule,
    inmate_has_no_other_call,
    number_has_no_other_call,
    not_too_many_attempts,
    has_cooled_off,
    has_calls_left,
    has_minutes_left,
    rate_is_known,
    somebody_pays,
)


def choices(ask: CallRequest) -> list[Payer]:
    """What the inmate may choose to pay with.

    Nothing where the call is refused whoever pays, or where somebody pays who comes first. Their own account is a
    choice if it can pay; what a card has is not known before it is keyed.
    """
    if any(rule(ask) for rule in RULES if rule is not somebody_pays):
        return []
    if any(can_pay(ask, each) for each in (Payer.FREE, Payer.SUBSCRIPTION)):
        return []
    own = can_pay(replace(ask, chosen=Payer.DEBIT), Payer.DEBIT)
    return [each for each in CHOSEN_BY_INMATE if may_pay(ask, each) and (own or each is Payer.CARD)]


def not_recorded(ask: CallRequest) -> NotRecorded | None:
    """Why this call must not be recorded; any "do not record" wins."""
    objections = {
        NotRecorded.PRIVILEGED: ask.privileged,
        NotRecorded.ANONYMOUS: ask.hotline_kind in ANONYMOUS_KINDS,
        # a relay keeps its conversations confidential (47 CFR 64.604(a)(2))
        NotRecorded.RELAY: ask.relay,
        NotRecorded.PASSIVE: is_passive(ask),  # nobody there was asked, or told
        NotRecorded.AGENCY: Level.AGENCY in ask.unrecorded_at,
        NotRecorded.FACILITY: not ask.facility_records,
        NotRecorded.UNIT: Level.UNIT in ask.unrecorded_at,
        NotRecorded.STATION: Level.STATION in ask.unrecorded_at,
        NotRecorded.INMATE: Level.INMATE in ask.unrecorded_at,
        NotRecorded.NUMBER: not ask.number_records or Level.NUMBER in ask.unrecorded_at,
        NotRecorded.LIST_IN_DOUBT: ask.list_in_doubt,
    }
    return next((why for why, objects in objections.items() if objects), None)


def decide(ask: CallRequest) -> Decision:
    """The first rule that objects wins; otherwise who pays, how long, and whether it is recorded."""
    for rule in RULES:
        if denied := rule(ask):
            return denied
    assert isinstance(ask.dialled, Number)
    paid_by = payer(ask)
    assert paid_by is not None
    talk_limit = limit(ask, paid_by)
    return Allow(
        talk_limit,
        payment(ask, paid_by, talk_limit),
        not_recorded(ask),
        passive=is_passive(ask),
        call_class=CallClass.TRS if ask.relay else None,
        in_talk=in_talk(ask, talk_limit.ms),
    )
