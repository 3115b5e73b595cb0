"""One more restriction, at whatever level, never allows more; so taking one away never denies more.

A request is drawn with any number of restrictions, and decided on with and without one more.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta

from hypothesis import example, given
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
)
from ivr.policy.request import (
    CHOSEN_BY_INMATE,
    ONLY_PAYERS,
    PAID_IN_MONEY,
    Allow,
    BlockCause,
    CallRequest,
    CardOnFile,
    CourtesyFacts,
    Deny,
    Funds,
    InmateState,
    PanMode,
    Payer,
)
from ivr.policy.rules import decide
from ivr.policy.schedule import Period, Schedule, Window
from rating.call_type import CallType
from rating.money import Money
from tests.policy.requests import CHICAGO, OK

Tightening = Callable[[CallRequest], CallRequest]
LEVELS = st.sampled_from(Level)
COUNTED = st.sampled_from(Counted)
MINUTES = st.integers(1, 240)
EACH = st.sampled_from(Each)
FROM = st.sampled_from(From)
LIMITS: st.SearchStrategy[CallLimit] = st.one_of(
    st.builds(
        LongestCall,
        LEVELS,
        st.integers(60_000, 1_800_000),
        st.none() | st.sampled_from(CallType),
        st.none() | st.sampled_from([DayKind.WEEKDAY, DayKind.WEEKEND]),
    ),
    st.builds(CallQuota, LEVELS, st.integers(1, 5), EACH, COUNTED),
    st.builds(MinuteQuota, LEVELS, MINUTES, EACH, COUNTED),
    st.builds(CoolingOff, LEVELS, MINUTES, FROM, COUNTED),
    st.builds(Velocity, LEVELS, st.integers(1, 5), MINUTES, COUNTED),
)
PAST = st.lists(
    st.builds(
        lambda by, to, ago, ms: PastCall(by, to, OK.at - ago, OK.at - ago + timedelta(seconds=20), ms),
        st.booleans(),
        st.booleans(),
        st.timedeltas(timedelta(minutes=2), timedelta(days=3)),
        st.integers(0, 900_000),
    ),
    max_size=6,
)


def _one_more_limit(limit: CallLimit) -> Tightening:
    return lambda ask: replace(ask, limits=[*ask.limits, limit])


def _hours(level: Level, opens: int, closes: int) -> Tightening:
    windows = [Window(day, time(opens), time(closes)) for day in range(7)]
    return lambda ask: replace(ask, schedules=[*ask.schedules, Schedule(windows, level)])


def _closed(level: Level, hours: int) -> Tightening:
    starts = OK.at + timedelta(hours=hours)
    closure = Period(starts, starts + timedelta(hours=1))
    return lambda ask: replace(ask, schedules=[*ask.schedules, Schedule(None, level, [closure])])


def _blocked(cause: BlockCause) -> Tightening:
    return lambda ask: replace(ask, blocked_by=ask.blocked_by | {cause})


def _given(**changed: object) -> Tightening:
    return lambda ask: replace(ask, **changed)  # type: ignore[arg-type]


def _poorer(dollars: int) -> Tightening:
    def change(ask: CallRequest) -> CallRequest:
        most = Money(dollars * 10_000)
        funds = {each: replace(has, available=min(has.available, most)) for each, has in ask.funds.items()}
        return replace(ask, funds=funds)

    return change


def _offers_less(payer: Payer) -> Tightening:
    return lambda ask: replace(ask, offered=ask.offered - {payer})


TIGHTENINGS: st.SearchStrategy[Tightening] = st.one_of(
    st.builds(_one_more_limit, LIMITS),
    st.builds(_hours, LEVELS, st.integers(0, 23), st.integers(0, 23)),
    st.builds(_closed, LEVELS, st.integers(-1, 2)),
    st.builds(_blocked, st.sampled_from(BlockCause)),
    st.builds(_poorer, st.integers(0, 100)),
    st.builds(lambda level: _given(switched_off=level), LEVELS),
    st.builds(lambda levels: _given(unrecorded_at=levels), st.frozensets(LEVELS, min_size=1)),
    st.sampled_from(
        [
            _given(inmate_state=InmateState.SUSPENDED),
            _given(inmate_state=InmateState.RELEASED),
            _given(has_recorded_name=False),
            _given(on_allowed_list=False),
            _given(on_allowed_list=False, list_is_full=True),
            _given(facility_records=False),
            _given(number_records=False),
            _given(price=None),
            *(_given(only_payer=each) for each in ONLY_PAYERS),
            _given(chosen=None),
            _given(courtesy=None),
            _given(card=None),
            _given(takes_cards=False),
            _given(sends_links=False),
            _given(link_is_due=False),
        ]
    ),
    st.builds(_offers_less, st.sampled_from(Payer)),
)
FUNDS = st.dictionaries(
    st.sampled_from(sorted(PAID_IN_MONEY)),
    st.builds(Funds, st.just("account"), st.integers(0, 2_000_000).map(Money)),
    min_size=1,
)
REQUESTS = st.builds(
    lambda past, minutes, mode, overridden, funds, chosen, courtesy, card: replace(
        OK,
        funds=funds,
        offered=frozenset(Payer),
        chosen=chosen,
        courtesy=CourtesyFacts("courtesy", 120_000) if courtesy else None,
        card=CardOnFile("prepaid/family") if card else None,
        takes_cards=True,
        sends_links=True,
        link_is_due=True,
        history=past,
        at=datetime(2026, 11, 23, 12, tzinfo=CHICAGO) + timedelta(minutes=minutes),
        pan_mode=mode,
        block_overridden=overridden,
    ),
    PAST,
    st.integers(0, 3 * 24 * 60),
    st.sampled_from(PanMode),
    st.booleans(),
    FUNDS,
    st.none() | st.sampled_from(CHOSEN_BY_INMATE),
    st.booleans(),
    st.booleans(),
)


@given(REQUESTS, st.lists(TIGHTENINGS, max_size=5), TIGHTENINGS)
@example(OK, [], _given(number_records=False))
def test_one_more_restriction_never_allows_more(
    ask: CallRequest, set_before: list[Tightening], one_more: Tightening
) -> None:
    for tighten in set_before:
        ask = tighten(ask)
    before, after = decide(ask), decide(one_more(ask))
    if isinstance(before, Deny):
        assert isinstance(after, Deny)
        assert after.link is None or before.link is not None
        return
    if isinstance(after, Allow):
        tried = list(Payer)
        assert tried.index(after.payment.payer) >= tried.index(before.payment.payer)
        if after.payment.payer is before.payment.payer:  # another's account may hold more
            assert after.limit.ms <= before.limit.ms
        assert after.not_recorded is not None or before.not_recorded is None
