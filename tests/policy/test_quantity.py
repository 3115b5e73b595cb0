"""Quotas, cooling-off and velocity: what they count, since when, and what they leave."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.policy.level import Level
from ivr.policy.quantity import (
    CallLimit,
    CallQuota,
    CoolingOff,
    Counted,
    DayKind,
    Each,
    From,
    LongestCall,
    MinuteQuota,
    PastCall,
    Velocity,
    calls_left,
    cool_at,
    longest_calls,
    looks_back_to,
    ms_left,
    next_attempt_at,
    whole_minutes,
)
from ivr.policy.reasons import Cutoff, Denial
from ivr.policy.request import Allow, Deny, Limit
from ivr.policy.rules import decide
from rating.call_type import CallType
from tests.policy.requests import CHICAGO, OK

AT = OK.at  # Monday noon
DAILY = CallQuota(Level.FACILITY, 3, Each.DAY, Counted.INMATE)
MINUTES = MinuteQuota(Level.FACILITY, 20, Each.DAY, Counted.INMATE)


def call(ago: timedelta, talk_ms: int = 60_000, **facts: bool) -> PastCall:
    """A call that was keyed so long ago and connected a minute later."""
    keyed_at = (AT - ago).astimezone(UTC)
    whose = {"by_inmate": True, "to_number": True, **facts}
    return PastCall(keyed_at=keyed_at, talk_from_at=keyed_at + timedelta(minutes=1), talk_ms=talk_ms, **whose)


def test_a_quota_starts_anew_at_local_midnight() -> None:
    history = [call(timedelta(hours=12)), call(timedelta(hours=12, microseconds=1))]
    assert calls_left(history, DAILY, AT) == 2
    assert ms_left(history, MINUTES, AT) == 19 * 60_000


def test_a_call_that_is_given_back_counts_for_nothing_but_attempts() -> None:
    lost = [call(timedelta(minutes=5), given_back=True)]
    assert calls_left(lost, DAILY, AT) == 3
    assert ms_left(lost, MINUTES, AT) == 20 * 60_000
    assert cool_at(lost, CoolingOff(Level.FACILITY, 30, From.END, Counted.INMATE), AT) == AT
    assert next_attempt_at(lost, Velocity(Level.FACILITY, 1, 30, Counted.INMATE), AT) > AT


@pytest.mark.parametrize(
    ("each", "day", "first", "following"),
    [
        (Each.DAY, date(2026, 12, 31), date(2026, 12, 31), date(2027, 1, 1)),
        (Each.WEEK, date(2026, 11, 29), date(2026, 11, 23), date(2026, 11, 30)),
        (Each.WEEK, date(2026, 11, 30), date(2026, 11, 30), date(2026, 12, 7)),
        (Each.MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        (Each.MONTH, date(2028, 2, 1), date(2028, 2, 1), date(2028, 3, 1)),
    ],
)
def test_days_weeks_and_months_begin_and_end(each: Each, day: date, first: date, following: date) -> None:
    assert (each.starts_on(day), each.next_starts_on(day)) == (first, following)


def test_only_connected_calls_count_and_those_in_progress() -> None:
    given_back = call(timedelta(hours=1), 999)
    never_answered = replace(given_back, talk_from_at=None, talk_ms=0)
    in_progress = replace(given_back, talk_from_at=None, talk_ms=900_000, in_progress=True)
    history = [given_back, never_answered, in_progress]
    assert calls_left(history, DAILY, AT) == 2
    assert ms_left(history, MINUTES, AT) == 5 * 60_000


def test_calls_to_privileged_numbers_and_those_of_other_facilities_count_for_nothing() -> None:
    hour = timedelta(hours=1)
    assert calls_left([call(hour, privileged=True), call(hour, elsewhere=True)], DAILY, AT) == 3


@pytest.mark.parametrize(("counted", "left"), [(Counted.INMATE, 1), (Counted.NUMBER, 1), (Counted.PAIR, 2)])
def test_calls_are_counted_of_an_inmate_to_a_number_or_both(counted: Counted, left: int) -> None:
    hour = timedelta(hours=1)
    history = [call(hour), call(hour, by_inmate=False), call(hour, to_number=False)]
    assert calls_left(history, replace(DAILY, counted=counted), AT) == left


@pytest.mark.parametrize(("measured_from", "minutes"), [(From.START, 15), (From.END, 25)])
def test_cooling_off_is_measured_from_the_start_or_end_of_the_last_talk(
    measured_from: From, minutes: int
) -> None:
    rule = CoolingOff(Level.FACILITY, 20, measured_from, Counted.INMATE)
    history = [call(timedelta(minutes=6), 600_000), call(timedelta(minutes=30))]
    assert whole_minutes(cool_at(history, rule, AT), AT) == minutes
    assert cool_at([call(timedelta(minutes=6), 999)], rule, AT) == AT


def test_a_wait_is_never_told_too_short() -> None:
    assert whole_minutes(AT + timedelta(seconds=61), AT) == 2
    assert whole_minutes(AT + timedelta(seconds=60), AT) == 1
    assert whole_minutes(AT, AT) == 0


def test_attempts_count_whether_they_were_answered_or_not() -> None:
    rule = Velocity(Level.FACILITY, 2, 10, Counted.PAIR)
    unanswered = replace(call(timedelta(minutes=4)), talk_from_at=None, talk_ms=0)
    assert next_attempt_at([unanswered], rule, AT) == AT
    history = [unanswered, call(timedelta(minutes=9)), call(timedelta(minutes=11))]
    assert whole_minutes(next_attempt_at(history, rule, AT), AT) == 1


def test_the_longest_call_depends_on_its_type_and_the_sort_of_day() -> None:
    limits = [
        LongestCall(Level.FACILITY, 5, CallType.INTERSTATE),
        LongestCall(Level.UNIT, 4, days=DayKind.WEEKEND),
        LongestCall(Level.UNIT, 3, days=DayKind.WEEKDAY),
        LongestCall(Level.UNIT, 9, days=DayKind.HOLIDAY),
        LongestCall(Level.STATION, 6, days=DayKind.WEEKDAY),
    ]

    def found(call_type: CallType, on: date, holidays: frozenset[date] = frozenset()) -> list[int]:
        return [each.ms for each in longest_calls(limits, call_type, on, holidays)]

    monday = date(2026, 11, 23)
    assert found(CallType.LOCAL, monday) == [3, 6]
    assert found(CallType.INTERSTATE, monday) == [5, 3, 6]
    assert found(CallType.LOCAL, date(2026, 11, 28)) == [4]
    assert found(CallType.LOCAL, monday, frozenset({monday})) == [9, 6]


def test_a_call_is_looked_for_no_further_back_than_a_limit_looks() -> None:
    local = datetime(2026, 11, 25, 12, tzinfo=CHICAGO)
    weekly = CallQuota(Level.FACILITY, 3, Each.WEEK, Counted.INMATE)
    limits: list[CallLimit] = [weekly, Velocity(Level.NUMBER, 2, 10, Counted.NUMBER)]
    assert looks_back_to(limits, {Counted.INMATE}, local) == datetime(2026, 11, 23, 6, tzinfo=UTC)
    assert looks_back_to(limits, {Counted.NUMBER}, local) == local - timedelta(minutes=10)
    assert looks_back_to(limits, {Counted.PAIR}, local) == local


def test_the_minutes_that_are_left_are_the_limit_of_the_next_call() -> None:
    ask = replace(OK, limits=[MINUTES], history=[call(timedelta(hours=1), 900_000)])
    decision = decide(ask)
    assert isinstance(decision, Allow)
    assert decision.limit == Limit(300_000, Cutoff.ALLOWANCE)


def test_of_several_quotas_that_are_used_up_the_latest_day_is_told() -> None:
    used = [replace(DAILY, calls=1), CallQuota(Level.INMATE, 1, Each.MONTH, Counted.INMATE)]
    ask = replace(OK, limits=used, history=[call(timedelta(hours=1))])
    assert decide(ask) == Deny(Denial.CALLS_USED, {"day": date(2026, 12, 1)})


def test_no_quota_stands_between_an_inmate_and_a_privileged_number() -> None:
    limits: list[CallLimit] = [
        replace(DAILY, calls=1),
        replace(MINUTES, minutes=1),
        CoolingOff(Level.FACILITY, 60, From.END, Counted.INMATE),
        Velocity(Level.FACILITY, 1, 60, Counted.INMATE),
    ]
    ask = replace(OK, limits=limits, history=[call(timedelta(minutes=5))])
    assert isinstance(decide(ask), Deny)
    assert decide(replace(ask, privileged=True)) == decide(replace(OK, privileged=True))


PAST = st.builds(
    lambda minutes, talk_ms, by_inmate, to_number: call(
        timedelta(minutes=minutes), talk_ms, by_inmate=by_inmate, to_number=to_number
    ),
    st.integers(0, 60 * 24 * 40),
    st.integers(0, 900_000),
    st.booleans(),
    st.booleans(),
)
FEW = st.integers(1, 30)
COUNTED, EACH = st.sampled_from(Counted), st.sampled_from(Each)
LIMITS = st.one_of(
    st.builds(LongestCall, st.sampled_from(Level), st.integers(60_000, 900_000)),
    st.builds(CallQuota, st.sampled_from(Level), FEW, EACH, COUNTED),
    st.builds(MinuteQuota, st.sampled_from(Level), FEW, EACH, COUNTED),
    st.builds(CoolingOff, st.sampled_from(Level), FEW, st.sampled_from(From), COUNTED),
    st.builds(Velocity, st.sampled_from(Level), FEW, FEW, COUNTED),
)


@given(st.lists(LIMITS, min_size=1, max_size=3), st.lists(PAST, max_size=12), PAST)
def test_one_more_call_in_the_past_never_allows_more(
    limits: list[CallLimit], history: list[PastCall], added: PastCall
) -> None:
    ask = replace(OK, limits=limits, history=history)
    first, second = decide(ask), decide(replace(ask, history=[*history, added]))
    if isinstance(first, Allow) and isinstance(second, Allow):
        assert second.limit.ms <= first.limit.ms
    else:
        assert isinstance(second, Deny)


@given(st.lists(LIMITS, max_size=3), st.lists(PAST, max_size=12))
def test_calls_further_back_than_the_limits_look_change_nothing(
    limits: list[CallLimit], history: list[PastCall]
) -> None:
    since = looks_back_to(limits, Counted, AT)
    seen = [past for past in history if past.keyed_at >= since]
    ask = replace(OK, limits=limits, history=history)
    assert decide(ask) == decide(replace(ask, history=seen))
