"""One changed fact for each reason, and what a tighter setting may never do."""

from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.policy.hotline import ANONYMOUS_KINDS, HotlineKind
from ivr.policy.intake import Entitled, Intake
from ivr.policy.level import Level
from ivr.policy.quantity import (
    CallQuota,
    CoolingOff,
    Counted,
    Each,
    From,
    MinuteQuota,
    PastCall,
    Velocity,
)
from ivr.policy.reasons import Cutoff, Denial, NotRecorded
from ivr.policy.request import (
    Allow,
    BlockCause,
    CallRequest,
    Deny,
    Funds,
    InmateState,
    Limit,
    NotCovered,
    Payer,
    SubscriptionFacts,
)
from ivr.policy.rules import decide
from ivr.policy.schedule import Schedule, Window
from rating.call_type import CallType
from rating.money import Money
from rating.numbers import NumberRefusal, Unusable
from rating.price import Price, charge
from rating.tariff import simple_rate
from rating.timetable import always
from tests.policy.requests import CHICAGO, EVERY_DAY, OK

AN_HOUR_AGO = PastCall(True, True, OK.at - timedelta(hours=1), OK.at - timedelta(hours=1), 541_000)
JUST_NOW = PastCall(True, True, OK.at - timedelta(minutes=2), OK.at - timedelta(minutes=1), 30_000)
BOOKED = Intake(Entitled(3, OK.at + timedelta(days=1)), had=2)

CASES: dict[Denial, CallRequest] = {
    Denial.SWITCHED_OFF: replace(OK, switched_off=Level.FACILITY),
    Denial.INMATE_RELEASED: replace(OK, inmate_state=InmateState.RELEASED),
    Denial.INMATE_TRANSFERRED: replace(OK, inmate_state=InmateState.TRANSFERRED),
    Denial.INMATE_SUSPENDED: replace(OK, inmate_state=InmateState.SUSPENDED),
    Denial.NAME_NOT_RECORDED: replace(OK, has_recorded_name=False),
    Denial.EMERGENCY_NUMBER: replace(OK, dialled=Unusable(NumberRefusal.EMERGENCY_NUMBER)),
    Denial.SERVICE_CODE: replace(OK, dialled=Unusable(NumberRefusal.SERVICE_CODE)),
    Denial.NUMBER_INVALID: replace(OK, dialled=Unusable(NumberRefusal.NUMBER_INVALID)),
    Denial.NUMBER_TYPE_BLOCKED: replace(OK, dialled=Unusable(NumberRefusal.NUMBER_TYPE_BLOCKED)),
    Denial.NUMBER_BLOCKED: replace(OK, blocked_by=frozenset({BlockCause.FACILITY})),
    Denial.BLOCKED_BY_CALLED_PARTY: replace(OK, blocked_by=frozenset({BlockCause.CALLED_PARTY})),
    Denial.NUMBER_NOT_ALLOWED: replace(OK, on_allowed_list=False),
    Denial.INTAKE_LOCAL_ONLY: replace(OK, intake=BOOKED, call_type=CallType.INTRASTATE),
    Denial.INTAKE_TIME_OVER: replace(OK, intake=replace(BOOKED, entitled=Entitled(3, OK.at))),
    Denial.INTAKE_CALLS_USED: replace(OK, intake=replace(BOOKED, had=3)),
    Denial.OUTSIDE_SCHEDULE: replace(OK, at=datetime(2026, 11, 23, 22, tzinfo=CHICAGO)),
    Denial.INMATE_ON_A_CALL: replace(OK, history=[replace(JUST_NOW, in_progress=True, to_number=False)]),
    Denial.NUMBER_ON_A_CALL: replace(OK, history=[replace(JUST_NOW, in_progress=True, by_inmate=False)]),
    Denial.TOO_MANY_ATTEMPTS: replace(
        OK, limits=[Velocity(Level.FACILITY, 1, 10, Counted.PAIR)], history=[AN_HOUR_AGO, JUST_NOW]
    ),
    Denial.COOLING_OFF: replace(
        OK, limits=[CoolingOff(Level.FACILITY, 10, From.END, Counted.PAIR)], history=[AN_HOUR_AGO, JUST_NOW]
    ),
    Denial.CALLS_USED: replace(
        OK, limits=[CallQuota(Level.FACILITY, 1, Each.DAY, Counted.INMATE)], history=[AN_HOUR_AGO]
    ),
    Denial.MINUTES_USED: replace(
        OK, limits=[MinuteQuota(Level.FACILITY, 10, Each.DAY, Counted.INMATE)], history=[AN_HOUR_AGO]
    ),
    Denial.NO_RATE: replace(OK, price=None),
    Denial.FUNDS_TOO_LOW: replace(OK, funds={Payer.PREPAID: Funds("prepaid/family", Money(59_999))}),
}
BEFORE_ANY_RULE = {Denial.STATION_UNKNOWN, Denial.PIN_INVALID, Denial.BOOKING_UNKNOWN}
#: Levels that say so in a table of their own.
SILENT = (Level.AGENCY, Level.UNIT, Level.STATION, Level.INMATE, Level.NUMBER)
PLAN = SubscriptionFacts("s", "s/1", calls_left=57, renews_on=date(2026, 12, 23))


@pytest.mark.parametrize(("reason", "ask"), CASES.items(), ids=[str(each) for each in CASES])
def test_each_reason_follows_from_one_fact(reason: Denial, ask: CallRequest) -> None:
    decision = decide(ask)
    assert isinstance(decision, Deny)
    assert decision.reason is reason


def test_a_refusal_by_what_a_level_sets_names_the_level() -> None:
    denied = {reason: decide(ask) for reason, ask in CASES.items()}
    named = {reason for reason, each in denied.items() if isinstance(each, Deny) and each.set_at is not None}
    quantity = {Denial.TOO_MANY_ATTEMPTS, Denial.COOLING_OFF, Denial.CALLS_USED, Denial.MINUTES_USED}
    assert named == {Denial.SWITCHED_OFF, Denial.OUTSIDE_SCHEDULE, *quantity}


def test_no_reason_is_without_a_case() -> None:
    assert set(CASES) | BEFORE_ANY_RULE == set(Denial)


def test_of_two_objections_the_one_declared_first_wins() -> None:
    for first, second in combinations(CASES, 2):
        changed = [_changed(CASES[first]), _changed(CASES[second])]
        if changed[0].keys().isdisjoint(changed[1]):
            decision = decide(replace(OK, **changed[0], **changed[1]))  # type: ignore[arg-type]
            assert isinstance(decision, Deny)
            assert decision.reason is first
    assert list(CASES) == [denial for denial in Denial if denial not in BEFORE_ANY_RULE]


def test_after_an_arrest_privileged_numbers_are_neither_counted_nor_refused() -> None:
    for reason in (Denial.INTAKE_LOCAL_ONLY, Denial.INTAKE_TIME_OVER, Denial.INTAKE_CALLS_USED):
        assert isinstance(decide(replace(CASES[reason], privileged=True)), Allow)


@given(
    kind=st.sampled_from(sorted(ANONYMOUS_KINDS)),
    facts=st.fixed_dictionaries(
        {
            name: st.booleans()
            for name in ("privileged", "facility_records", "number_records", "office", "on_allowed_list")
        }
    ),
    longest=st.integers(60_000, 7_200_000),
    hour=st.integers(0, 23),
)
def test_a_call_to_an_anonymous_hotline_is_never_recorded_and_never_charged(
    kind: HotlineKind, facts: dict[str, bool], longest: int, hour: int
) -> None:
    ask = replace(OK, at=OK.at.replace(hour=hour), hotline=True, hotline_kind=kind, free=True, **facts)  # type: ignore[arg-type]
    decision = decide(replace(ask, longest_call_ms=longest))
    if isinstance(decision, Allow):
        assert decision.not_recorded is not None
        assert (decision.payment.payer, decision.payment.hold, decision.payment.price) == (
            Payer.FREE,
            0,
            None,
        )
    else:
        assert kind is HotlineKind.CRIME_TIPS
        assert decision.reason is Denial.OUTSIDE_SCHEDULE


def test_reports_of_abuse_are_made_outside_calling_hours_but_not_outside_the_numbers_own() -> None:
    ask = replace(CASES[Denial.OUTSIDE_SCHEDULE], free=True, hotline=True, hotline_kind=HotlineKind.PREA)
    assert isinstance(decide(ask), Allow)
    own = Schedule([Window(day, time(7), time(22)) for day in range(7)], Level.NUMBER)
    assert decide(replace(ask, schedules=[EVERY_DAY, own])) == Deny(Denial.OUTSIDE_SCHEDULE)


def test_several_objections_give_the_first() -> None:
    ask = replace(
        OK, inmate_state=InmateState.RELEASED, has_recorded_name=False, on_allowed_list=False, price=None
    )
    assert decide(ask) == Deny(Denial.INMATE_RELEASED)


def test_funds_too_low_tells_the_price_of_the_first_increment() -> None:
    assert decide(CASES[Denial.FUNDS_TOO_LOW]) == Deny(Denial.FUNDS_TOO_LOW, {"needed": Money(60_000)})


def test_suspension_leaves_privileged_numbers_reachable() -> None:
    ask = replace(CASES[Denial.INMATE_SUSPENDED], privileged=True, on_allowed_list=False)
    assert isinstance(decide(ask), Allow)


def test_the_shortest_limit_holds_and_says_what_set_it() -> None:
    assert _allowed(OK).limit == Limit(900_000, Cutoff.LONGEST_CALL)
    late = replace(OK, at=datetime(2026, 11, 23, 21, 58, tzinfo=CHICAGO))
    assert _allowed(late).limit == Limit(120_000, Cutoff.SCHEDULE)
    poor = replace(OK, funds={Payer.PREPAID: Funds("prepaid/family", Money(120_000))})
    assert _allowed(poor).limit == Limit(120_000, Cutoff.BALANCE)


def test_a_tariffs_highest_cost_is_a_limit_of_its_own_where_money_is_owed() -> None:
    rate = replace(simple_rate(Money(60_000), 60, 1), max_cost=Money(300_000))
    ask = replace(OK, price=Price(always(rate)))
    assert _allowed(ask).limit == Limit(300_000, Cutoff.MAX_COST)
    assert _allowed(replace(ask, free=True, agency_rule="ma-2023")).limit == Limit(300_000, Cutoff.MAX_COST)
    for unlimited in (replace(ask, free=True), replace(ask, subscription=PLAN)):
        assert _allowed(unlimited).limit == Limit(900_000, Cutoff.LONGEST_CALL)
    goes_on = replace(ask, price=Price(always(replace(rate, max_cost_then="free"))))
    assert _allowed(goes_on).limit == Limit(900_000, Cutoff.LONGEST_CALL)
    poorer = replace(ask, funds={Payer.PREPAID: Funds("prepaid/family", Money(299_999))})
    assert _allowed(poorer).limit == Limit(299_000, Cutoff.BALANCE)


def test_offices_and_privileged_numbers_take_several_calls_at_the_same_time() -> None:
    number, inmate = CASES[Denial.NUMBER_ON_A_CALL], CASES[Denial.INMATE_ON_A_CALL]
    for ask in (number, inmate):
        for several in (replace(ask, office=True), replace(ask, privileged=True)):
            assert isinstance(decide(several), Allow if ask is number else Deny)


def test_a_subscription_pays_before_prepaid_and_holds_one_call() -> None:
    payment = _allowed(replace(OK, subscription=PLAN)).payment
    assert (payment.payer, payment.account_id, payment.hold) == (Payer.SUBSCRIPTION, "s/1", 1)


def test_a_subscription_call_is_not_limited_by_a_balance() -> None:
    ask = replace(OK, subscription=PLAN, funds={})
    assert _allowed(ask).limit == Limit(900_000, Cutoff.LONGEST_CALL)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"subscription": replace(PLAN, account_id=None, calls_left=0)}, NotCovered.LAPSED),
        ({"subscription": PLAN, "call_type": CallType.INTERSTATE}, NotCovered.OUT_OF_STATE),
        ({"subscription": replace(PLAN, calls_left=0)}, NotCovered.USED_UP),
    ],
)
def test_a_subscription_that_does_not_cover_falls_back_to_prepaid_and_says_why(
    changed: dict[str, object], why: NotCovered
) -> None:
    payment = _allowed(replace(OK, **changed)).payment  # type: ignore[arg-type]
    assert (payment.payer, payment.not_covered) == (Payer.PREPAID, why)


def test_a_free_call_holds_nothing_and_needs_no_rate() -> None:
    payment = _allowed(replace(OK, free=True, price=None, subscription=PLAN)).payment
    assert (payment.payer, payment.account_id, payment.hold) == (Payer.FREE, None, 0)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"privileged": True}, NotRecorded.PRIVILEGED),
        ({"facility_records": False}, NotRecorded.FACILITY),
        ({"number_records": False}, NotRecorded.NUMBER),
        *(({"unrecorded_at": frozenset({level})}, NotRecorded(level)) for level in SILENT),
        ({"unrecorded_at": frozenset(SILENT), "facility_records": False}, NotRecorded.AGENCY),
        ({"privileged": True, "facility_records": False}, NotRecorded.PRIVILEGED),
        ({"relay": True}, NotRecorded.RELAY),
        ({"passive": True, "hotline": True}, NotRecorded.PASSIVE),
        ({"passive": True, "hotline": True, "privileged": True, "relay": True}, NotRecorded.PRIVILEGED),
        ({}, None),
    ],
)
def test_any_do_not_record_wins(changed: dict[str, object], why: NotRecorded | None) -> None:
    assert _allowed(replace(OK, **changed)).not_recorded is why  # type: ignore[arg-type]


@given(balance=st.integers(0, 2_000_000), longest=st.integers(1_000, 7_200_000))
def test_what_is_held_pays_for_the_longest_talk_and_is_there(balance: int, longest: int) -> None:
    ask = replace(OK, funds={Payer.PREPAID: Funds("p", Money(balance))}, longest_call_ms=longest)
    decision = decide(ask)
    if isinstance(decision, Deny):
        assert decision.reason is Denial.FUNDS_TOO_LOW
        assert balance < 60_000
        return
    assert ask.price is not None
    assert decision.payment.hold == charge(ask.price, ask.at, decision.limit.ms).due <= balance


def test_a_limit_never_reaches_past_the_end_of_calling_hours() -> None:
    for minute in range(0, 24 * 60, 7):
        ask = replace(OK, at=datetime(2026, 11, 23, tzinfo=CHICAGO) + timedelta(minutes=minute))
        decision = decide(ask)
        closes = datetime(2026, 11, 23, 22, tzinfo=CHICAGO)
        if isinstance(decision, Allow):
            assert ask.at + timedelta(milliseconds=decision.limit.ms) <= closes


def test_the_level_that_closes_first_sets_the_limit() -> None:
    unit = Schedule([Window(0, time(8), time(12, 5))], Level.UNIT)
    limit = _allowed(replace(OK, schedules=[EVERY_DAY, unit])).limit
    assert (limit.ms, limit.cutoff, limit.set_at) == (300_000, Cutoff.SCHEDULE, Level.UNIT)


def _changed(ask: CallRequest) -> dict[str, object]:
    """The facts in which a case differs from the request that is allowed."""
    names = [field.name for field in fields(CallRequest)]
    return {name: getattr(ask, name) for name in names if getattr(ask, name) != getattr(OK, name)}


def _allowed(ask: CallRequest) -> Allow:
    decision = decide(ask)
    assert isinstance(decision, Allow), decision
    return decision
