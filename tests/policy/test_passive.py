"""Whose answer is an acceptance, what relays are let through, and what `untimed` lifts."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.policy.level import Level
from ivr.policy.privilege import is_too_short
from ivr.policy.quantity import (
    FURTHEST_LIMIT_MS,
    CallQuota,
    Counted,
    Each,
    LongestCall,
    MinuteQuota,
)
from ivr.policy.reasons import Cutoff, Denial, NotRecorded
from ivr.policy.request import Allow, BlockCause, CallClass, Deny, InmateState, Limit, PanMode, Payer
from ivr.policy.rules import decide
from tests.policy.requests import CHICAGO, OK

FLAGS = (
    *("privileged", "free", "office", "hotline", "passive", "relay", "untimed", "on_allowed_list"),
    *("facility_records", "number_records", "block_overridden", "has_recorded_name"),
)


@given(st.fixed_dictionaries({name: st.booleans() for name in FLAGS}), st.sampled_from(PanMode))
def test_every_number_needs_the_key_but_relays_and_the_chosen_hotlines_and_privileged_offices(
    flags: dict[str, bool], mode: PanMode
) -> None:
    decision = decide(replace(OK, pan_mode=mode, **flags))  # type: ignore[arg-type]
    if isinstance(decision, Allow) and decision.passive:
        assert decision.payment.payer is Payer.FREE
        assert decision.not_recorded is not None
        is_office = flags["privileged"] and flags["office"]
        assert flags["relay"] or (flags["passive"] and (flags["hotline"] or is_office))
    if isinstance(decision, Allow) and flags["privileged"]:
        assert decision.not_recorded is NotRecorded.PRIVILEGED


def test_no_block_list_or_missing_rate_holds_against_a_relay() -> None:
    ask = replace(
        OK,
        relay=True,
        relay_limit_factor=3,
        blocked_by=frozenset(BlockCause),
        on_allowed_list=False,
        price=None,
    )
    decision = decide(ask)
    assert isinstance(decision, Allow)
    assert decision.limit == Limit(2_700_000, Cutoff.LONGEST_CALL)
    assert (decision.payment.payer, decision.payment.price) == (Payer.FREE, None)
    assert (decision.call_class, decision.passive) == (CallClass.TRS, True)
    assert decide(replace(ask, inmate_state=InmateState.SUSPENDED)) == Deny(Denial.INMATE_SUSPENDED)


def test_nobody_pays_for_a_relay_even_where_the_agency_pays_for_all_calls() -> None:
    decision = decide(replace(OK, free=True, agency_rule="ma-2023", relay=True))
    assert isinstance(decision, Allow)
    assert decision.payment.price is None


LIMITED = replace(
    OK,
    free=True,
    limits=[
        LongestCall(Level.UNIT, 300_000),
        CallQuota(Level.INMATE, 1, Each.DAY, Counted.INMATE),
        MinuteQuota(Level.INMATE, 2, Each.DAY, Counted.INMATE),
    ],
)


@pytest.mark.parametrize(
    ("changed", "limit"),
    [
        ({"untimed": True}, Limit(120_000, Cutoff.ALLOWANCE)),  # without privilege it means nothing
        ({"privileged": True}, Limit(300_000, Cutoff.LONGEST_CALL)),
        ({"privileged": True, "untimed": True}, Limit(36_000_000, Cutoff.SCHEDULE)),
        ({"privileged": True, "untimed": True, "schedules": []}, None),
    ],
)
def test_untimed_leaves_the_calling_hours(changed: dict[str, object], limit: Limit | None) -> None:
    decision = decide(replace(LIMITED, **changed))  # type: ignore[arg-type]
    if limit is None:
        assert decision == Deny(Denial.OUTSIDE_SCHEDULE)
    else:
        assert isinstance(decision, Allow)
        assert decision.limit == limit


def test_the_furthest_limit_is_one_that_the_dialplan_takes() -> None:
    assert len(str(FURTHEST_LIMIT_MS)) == 8


def test_outside_calling_hours_not_even_an_untimed_number_or_a_relay_is_called() -> None:
    night = replace(LIMITED, at=datetime(2026, 11, 23, 23, tzinfo=CHICAGO), privileged=True, untimed=True)
    for ask in (night, replace(night, relay=True)):
        assert decide(ask) == Deny(Denial.OUTSIDE_SCHEDULE)


def test_a_list_may_lose_one_in_a_hundred() -> None:
    assert [is_too_short(200, missing) for missing in (0, 2, 3)] == [False, False, True]
    assert is_too_short(5, 1)
    assert not is_too_short(0, 0)
