"""May this call be made, who pays, for how long, and may it be recorded?

Each rule is one small function with one reason. The first objection in `RULES` wins; the shortest of `LIMITS` holds;
the most restrictive setting wins, and any "do not record" wins.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from ivr.policy.hotline import ANONYMOUS_KINDS, REACHABLE_ALWAYS
from ivr.policy.in_talk import in_talk
from ivr.policy.level import Level
from ivr.policy.quantity import (
    FURTHEST_LIMIT_MS,
    CallQuota,
    CoolingOff,
    MinuteQuota,
    Velocity,
    calls_left,
    cool_at,
    longest_calls,
    ms_left,
    next_attempt_at,
    whole_minutes,
)
from ivr.policy.reasons import Cutoff, Denial, NotRecorded
from ivr.policy.request import (
    Allow,
    BlockCause,
    CallClass,
    CallRequest,
    Decision,
    Deny,
    InmateState,
    Limit,
    NotCovered,
    PanMode,
    Payer,
    Payment,
)
from ivr.policy.schedule import Schedule
from rating.call_type import IN_STATE, CallType
from rating.money import Money
from rating.numbers import Number, Unusable
from rating.price import Price, charge, first_increment_price, longest_at_any_cost_ms, longest_talk_ms

Rule = Callable[[CallRequest], Deny | None]
Set = TypeVar("Set", CallQuota, CoolingOff, MinuteQuota, Velocity)
SHORTEST_CALL_MS = 60_000
ALWAYS_OPEN = Schedule(None)
#: Who wants no calls is not overruled.
NEVER_OVERRIDDEN = frozenset({BlockCause.NO_CONTACT, BlockCause.CALLED_PARTY})


def telephones_are_on(ask: CallRequest) -> Deny | None:
    """What is switched off makes no calls at all, to privileged numbers and hotlines neither."""
    return None if ask.switched_off is None else Deny(Denial.SWITCHED_OFF)


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
    return None if until_schedule_closes(ask).ms >= SHORTEST_CALL_MS else Deny(Denial.OUTSIDE_SCHEDULE)


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
    return _wait(
        ask, Denial.TOO_MANY_ATTEMPTS, [next_attempt_at(ask.history, each, ask.at) for each in rules]
    )


def has_cooled_off(ask: CallRequest) -> Deny | None:
    """The next call waits for so long after the last connected one."""
    rules = [] if until_appointment_ends(ask) else _set(ask, CoolingOff)
    return _wait(ask, Denial.COOLING_OFF, [cool_at(ask.history, each, ask.at) for each in rules])


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


def _wait(ask: CallRequest, reason: Denial, until: Sequence[datetime]) -> Deny | None:
    minutes = max((whole_minutes(each, ask.at) for each in until), default=0)
    return Deny(reason, {"minutes": minutes}) if minutes > 0 and not ask.privileged else None


def _next_day(ask: CallRequest, reason: Denial, used_up: Sequence[CallQuota | MinuteQuota]) -> Deny | None:
    if not used_up or ask.privileged:
        return None
    return Deny(reason, {"day": max(each.each.next_starts_on(ask.at.date()) for each in used_up)})


def rate_is_known(ask: CallRequest) -> Deny | None:
    """No rate found means no call, never a free one."""
    return None if is_free(ask) or ask.price is not None else Deny(Denial.NO_RATE)


def somebody_pays(ask: CallRequest) -> Deny | None:
    """A call that is not free needs a payer for its first increment."""
    if payer(ask) is not None:
        return None
    assert ask.price is not None  # rate_is_known stands before this rule
    return Deny(Denial.FUNDS_TOO_LOW, {"needed": needed(ask.price, ask.starts)})


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


def not_covered(ask: CallRequest) -> NotCovered | None:
    """Why the subscription that exists does not pay for this call; None if it does or there is none."""
    plan = ask.subscription
    if plan is None:
        return None
    if plan.account_id is None:
        return NotCovered.LAPSED
    if ask.call_type not in IN_STATE:
        return NotCovered.OUT_OF_STATE
    return NotCovered.USED_UP if plan.calls_left < 1 else None


def is_passive(ask: CallRequest) -> bool:
    """Whether the answer is the acceptance: of relays, and of hotlines and privileged offices that two operators chose.

    Every other number needs the key.
    """
    return ask.relay or (ask.passive and (ask.hotline or (ask.privileged and ask.office)))


def is_free(ask: CallRequest) -> bool:
    """Whether nobody pays: by number, by law, and wherever nobody is asked before they are connected."""
    return ask.free or is_passive(ask)


def payer(ask: CallRequest) -> Payer | None:
    """The first who can pay: nobody need (free), a subscription, the called party's prepaid account.

    An inmate's list may name the one who alone may pay for calls to a number.
    """
    if is_free(ask):
        return Payer.FREE
    if ask.continues is not None and ask.continues.payer is Payer.SUBSCRIPTION:
        return Payer.SUBSCRIPTION  # it has paid: also if that was its last call, or its period is over
    if ask.subscription is not None and not_covered(ask) is None and _may_pay(ask, Payer.SUBSCRIPTION):
        return Payer.SUBSCRIPTION
    if ask.prepaid is not None and until_balance_is_spent(ask).ms > 0 and _may_pay(ask, Payer.PREPAID):
        return Payer.PREPAID
    return None


def _may_pay(ask: CallRequest, paying: Payer) -> bool:
    return ask.only_payer in (None, paying)


def until_appointment_ends(ask: CallRequest) -> Limit | None:
    """Staff have agreed on calls to this number until then; None where they have not."""
    ends = max((each.ends_at for each in ask.appointments if each.holds(ask.at)), default=None)
    if ends is None:
        return None
    left = ends.astimezone(UTC) - ask.at.astimezone(UTC)
    return Limit(int(left.total_seconds() * 1000), Cutoff.SCHEDULE, Level.ENTRY)


def _at_least_the_appointment(ask: CallRequest, otherwise: Limit) -> Limit:
    """An appointment lets a call last until its end, and never cuts one that might last longer without it."""
    agreed = until_appointment_ends(ask)
    return otherwise if agreed is None else max(otherwise, agreed, key=_ms)


def until_schedule_closes(ask: CallRequest) -> Limit:
    """Talk ends with the calling hours of the level that closes first, or later with an appointment."""
    closes = min(schedule_limits(ask), key=_ms, default=Limit(0, Cutoff.SCHEDULE))
    return _at_least_the_appointment(ask, closes)


def schedule_limits(ask: CallRequest) -> list[Limit]:
    """How long each level's hours go on; nothing where it is closed."""
    now = ask.at.astimezone(UTC)
    left = [((each.open_until(ask.at) or now) - now, each.level) for each in _schedules(ask)]
    return [Limit(int(span.total_seconds() * 1000), Cutoff.SCHEDULE, level) for span, level in left]


def _schedules(ask: CallRequest) -> Sequence[Schedule]:
    """The hours that hold for the call: for some hotlines the number's own alone, at intake the station's too."""
    if ask.hotline_kind in REACHABLE_ALWAYS:
        return [ALWAYS_OPEN, *(each for each in ask.schedules if each.level is Level.NUMBER)]
    if ask.intake is not None:
        own = (Level.STATION, Level.NUMBER)
        return [ALWAYS_OPEN, *(each for each in ask.schedules if each.level in own)]
    return ask.schedules


def until_longest_call(ask: CallRequest) -> Limit:
    """Talk ends at the shortest of the longest calls that any level sets for this type of call and this day.

    An appointment that goes on for longer is a longer call.
    """
    return _at_least_the_appointment(ask, min(longest_call_limits(ask), key=_ms))


def longest_call_limits(ask: CallRequest) -> list[Limit]:
    """The longest call of each level that sets one; of an untimed number the furthest that there is."""
    if is_untimed(ask):
        return [Limit(FURTHEST_LIMIT_MS, Cutoff.LONGEST_CALL)]
    rules = longest_calls(ask.limits, ask.call_type, ask.at.date(), ask.holidays)
    return [
        Limit(_stretched(ask, ask.longest_call_ms), Cutoff.LONGEST_CALL, Level.FACILITY),
        *(Limit(_stretched(ask, each.ms), Cutoff.LONGEST_CALL, each.level) for each in rules),
    ]


def is_untimed(ask: CallRequest) -> bool:
    """Whether neither a longest call nor a quota holds; only privileged numbers may be so."""
    return ask.privileged and ask.untimed


def _most_talk_ms(ask: CallRequest) -> int:
    """The facility's longest call, as it holds for this number."""
    return FURTHEST_LIMIT_MS if is_untimed(ask) else _stretched(ask, ask.longest_call_ms)


def _stretched(ask: CallRequest, ms: int) -> int:
    """A talk over a relay is typed or signed, and read out: the same words take several times as long."""
    return min(ms * ask.relay_limit_factor if ask.relay else ms, FURTHEST_LIMIT_MS)


def until_minutes_are_used(ask: CallRequest) -> Limit | None:
    """Talk ends when the minutes of the day, week or month are used; None where nothing limits them."""
    return min(allowance_limits(ask), key=_ms, default=None)


def allowance_limits(ask: CallRequest) -> list[Limit]:
    """What is left of each quota of minutes; none for a privileged number, nor by appointment."""
    quotas = [] if ask.privileged or until_appointment_ends(ask) else _set(ask, MinuteQuota)
    left = [(ms_left(ask.history, each, ask.at), each.level) for each in quotas]
    return [Limit(_stretched(ask, max(0, ms)), Cutoff.ALLOWANCE, level) for ms, level in left]


def _ms(limit: Limit) -> int:
    return limit.ms


def _longest_ms(ask: CallRequest) -> int:
    """How long a call to this number may last at this facility; by appointment, perhaps longer."""
    agreed = until_appointment_ends(ask)
    return max(_most_talk_ms(ask), agreed.ms if agreed else 0)


def until_max_cost(ask: CallRequest) -> Limit | None:
    """Talk ends at the most that the tariff lets one call cost, whoever pays; None where it sets no such end.

    Whenever the called party accepts: of two rates while it rings, the shorter talk counts.
    """
    if ask.price is None or not ask.price.timetable.disconnects:
        return None
    price, cap_ms = ask.price, _longest_ms(ask)
    return Limit(
        min(longest_at_any_cost_ms(price, start, cap_ms) for start in set(ask.starts)), Cutoff.MAX_COST
    )


def until_balance_is_spent(ask: CallRequest) -> Limit:
    """Talk ends when the prepaid balance could not pay for a moment more; found with the function that bills.

    Whenever the called party accepts: of two prices while it rings, the dearer counts.
    """
    if ask.price is None or ask.prepaid is None:
        return Limit(0, Cutoff.BALANCE)
    price, available, cap_ms = ask.price, ask.prepaid.available, _longest_ms(ask)
    affordable = min(longest_talk_ms(price, start, available, cap_ms) for start in set(ask.starts))
    return Limit(affordable, Cutoff.BALANCE)


def limit(ask: CallRequest, paid_by: Payer) -> Limit:
    """The shortest limit; of equal ones the first, so a balance is named only where it is the cause."""
    limits = [until_schedule_closes(ask), until_longest_call(ask)]
    if (minutes := until_minutes_are_used(ask)) is not None:
        limits.append(minutes)
    if ask.continues is not None and ask.continues.rest is not None:
        limits.append(ask.continues.rest)
    by_the_minute = paid_by is Payer.PREPAID or (
        paid_by is Payer.FREE and ask.agency_rule is not None and not ask.relay
    )
    if by_the_minute and (most := until_max_cost(ask)) is not None:
        limits.append(most)
    if paid_by is Payer.PREPAID:
        limits.append(until_balance_is_spent(ask))
    return min(limits, key=lambda each: each.ms)


def payment(ask: CallRequest, paid_by: Payer, talk_limit: Limit) -> Payment:
    """What is reserved, and where: the price of the longest talk, or one call of the subscription.

    An agency's share by law is of money: of a call that a subscription pays for it pays nothing. Calls to a relay are
    nobody's to pay (47 CFR 64.6040).
    """
    match paid_by:
        case Payer.FREE:
            return Payment(paid_by, price=ask.price if ask.agency_rule and not ask.relay else None)
        case Payer.SUBSCRIPTION if ask.continues is not None:
            last = ask.continues
            return Payment(paid_by, last.account_id, hold=0, renews_on=last.renews_on)
        case Payer.SUBSCRIPTION:
            assert ask.subscription is not None
            plan = ask.subscription
            return Payment(paid_by, plan.account_id, hold=1, renews_on=plan.renews_on)
        case Payer.PREPAID:
            assert ask.prepaid is not None
            assert ask.price is not None
            most = dearest(ask.price, ask.starts, talk_limit.ms)
            return Payment(paid_by, ask.prepaid.account_id, most, ask.price, not_covered(ask))


def dearest(price: Price, starts: Collection[datetime], talk_ms: int) -> Money:
    """The most that a talk so long costs its payer, whichever of these instants it begins at."""
    return max(charge(price, start, talk_ms).due for start in set(starts))


def needed(price: Price, starts: Collection[datetime]) -> Money:
    """What a payer must have at least for the call to be made."""
    return max(first_increment_price(price, start) for start in set(starts))


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
