"""An appointment opens hours and quotas for one inmate and number, nothing else; an entry may name its payer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ivr.policy.explain import explanation
from ivr.policy.level import Level
from ivr.policy.quantity import LongestCall
from ivr.policy.reasons import Cutoff, Denial
from ivr.policy.request import Allow, CallRequest, Deny, Funds, Limit, Payer
from ivr.policy.rules import decide
from ivr.policy.schedule import Period, Schedule
from rating.money import Money
from tests.policy.requests import CHICAGO, OK
from tests.policy.test_rules import CASES, PLAN

#: What an appointment opens; everything else holds as ever.
OPENED = {
    Denial.NUMBER_NOT_ALLOWED,
    Denial.OUTSIDE_SCHEDULE,
    Denial.COOLING_OFF,
    Denial.CALLS_USED,
    Denial.MINUTES_USED,
}


def agreed(ask: CallRequest, minutes: int = 60) -> CallRequest:
    """The same call within an appointment that goes on for so long."""
    at = ask.at.astimezone(UTC)
    return replace(ask, appointments=[Period(at - timedelta(minutes=5), at + timedelta(minutes=minutes))])


def limit(ask: CallRequest) -> Limit:
    decision = decide(ask)
    assert isinstance(decision, Allow)
    return decision.limit


@pytest.mark.parametrize(("reason", "ask"), CASES.items(), ids=[str(each) for each in CASES])
def test_it_opens_hours_quotas_and_the_list_and_nothing_else(reason: Denial, ask: CallRequest) -> None:
    decision = decide(agreed(ask))
    if reason in OPENED:
        assert isinstance(decision, Allow)
    else:
        assert isinstance(decision, Deny)
        assert decision.reason is reason


def test_it_opens_closures_too() -> None:
    closed = Schedule(None, Level.UNIT, closures=[Period(OK.at, OK.at + timedelta(hours=9))])
    ask = replace(OK, schedules=[*OK.schedules, closed])
    assert isinstance(decide(ask), Deny)
    assert limit(agreed(ask)) == Limit(3_600_000, Cutoff.SCHEDULE)


def test_a_call_by_appointment_may_last_until_its_end() -> None:
    rich = replace(OK, funds={Payer.PREPAID: Funds("prepaid/family", Money(100_000_000))})
    assert limit(agreed(rich)) == Limit(3_600_000, Cutoff.SCHEDULE)
    shorter = replace(rich, limits=[LongestCall(Level.INMATE, 300_000)])
    assert limit(agreed(shorter)) == Limit(3_600_000, Cutoff.SCHEDULE)
    assert limit(agreed(OK)) == Limit(3_600_000, Cutoff.SCHEDULE)  # 60 minutes cost 3.60 of the 5.00
    poor = replace(OK, funds={Payer.PREPAID: Funds("prepaid/family", Money(1_200_000))})
    assert limit(agreed(poor)) == Limit(1_200_000, Cutoff.BALANCE)
    assert limit(agreed(replace(OK, free=True))) == Limit(3_600_000, Cutoff.SCHEDULE)


def test_it_never_shortens_a_call_that_would_last_longer_without_it() -> None:
    assert limit(agreed(OK, minutes=2)) == limit(OK) == Limit(900_000, Cutoff.LONGEST_CALL)
    late = replace(OK, at=datetime(2026, 11, 23, 21, 50, tzinfo=CHICAGO))
    assert limit(agreed(late, minutes=2)) == limit(late) == Limit(600_000, Cutoff.SCHEDULE)


def test_it_is_over_at_its_end_and_has_not_begun_before() -> None:
    night = CASES[Denial.OUTSIDE_SCHEDULE]
    ended = Period(night.at - timedelta(hours=1), night.at)
    begins = Period(night.at + timedelta(seconds=1), night.at + timedelta(hours=1))
    for period in (ended, begins):
        assert isinstance(decide(replace(night, appointments=[period])), Deny)
    assert isinstance(decide(agreed(night, minutes=1)), Allow)
    short = replace(night, appointments=[Period(night.at, night.at + timedelta(seconds=59))])
    assert isinstance(decide(short), Deny)


def test_an_explanation_tells_its_end_as_a_limit_of_the_entry() -> None:
    found = explanation(agreed(CASES[Denial.OUTSIDE_SCHEDULE]))
    assert {(each.ms, each.set_at) for each in found.limits if each.cutoff is Cutoff.SCHEDULE} == {
        (0, Level.FACILITY),
        (3_600_000, Level.ENTRY),
    }


def test_a_lists_entry_may_name_who_alone_pays() -> None:
    both = replace(OK, subscription=PLAN)
    for only, payer in (
        (None, Payer.SUBSCRIPTION),
        (Payer.SUBSCRIPTION, Payer.SUBSCRIPTION),
        (Payer.PREPAID, Payer.PREPAID),
    ):
        decision = decide(replace(both, only_payer=only))
        assert isinstance(decision, Allow)
        assert decision.payment.payer is payer
    assert isinstance(decide(replace(OK, only_payer=Payer.SUBSCRIPTION)), Deny)
    free = decide(replace(both, free=True, only_payer=Payer.PREPAID))
    assert isinstance(free, Allow)
    assert free.payment.payer is Payer.FREE
