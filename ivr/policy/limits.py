"""How long a call may last, whoever pays: hours, longest calls and quotas of each level, the most that it may cost."""

from collections.abc import Sequence
from datetime import UTC

from ivr.policy.hotline import REACHABLE_ALWAYS
from ivr.policy.level import Level
from ivr.policy.quantity import FURTHEST_LIMIT_MS, MinuteQuota, longest_calls, ms_left
from ivr.policy.reasons import Cutoff
from ivr.policy.request import CallRequest, Limit
from ivr.policy.schedule import Schedule
from rating.price import longest_at_any_cost_ms

ALWAYS_OPEN = Schedule(None)


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
    quotas = [] if ask.privileged or until_appointment_ends(ask) else _quotas(ask)
    left = [(ms_left(ask.history, each, ask.at), each.level) for each in quotas]
    return [Limit(_stretched(ask, max(0, ms)), Cutoff.ALLOWANCE, level) for ms, level in left]


def _quotas(ask: CallRequest) -> list[MinuteQuota]:
    return [each for each in ask.limits if isinstance(each, MinuteQuota)]


def _ms(limit: Limit) -> int:
    return limit.ms


def longest_ms(ask: CallRequest) -> int:
    """How long a call to this number may last at this facility; by appointment, perhaps longer."""
    agreed = until_appointment_ends(ask)
    return max(_most_talk_ms(ask), agreed.ms if agreed else 0)


def until_max_cost(ask: CallRequest) -> Limit | None:
    """Talk ends at the most that the tariff lets one call cost, whoever pays; None where it sets no such end.

    Whenever the called party accepts: of two rates while it rings, the shorter talk counts.
    """
    if ask.price is None or not ask.price.timetable.disconnects:
        return None
    price, cap_ms = ask.price, longest_ms(ask)
    return Limit(
        min(longest_at_any_cost_ms(price, start, cap_ms) for start in set(ask.starts)), Cutoff.MAX_COST
    )
