"""Whom an inmate may call: blocks with their causes, the modes of lists, suspensions with their dates."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations

import pytest

from ivr.policy.reasons import Denial
from ivr.policy.request import Allow, BlockCause, CallRequest, Deny, InmateState, PanMode
from ivr.policy.rules import block_cause, decide
from tests.policy.requests import OK


def refusal(ask: CallRequest) -> Denial | None:
    decision = decide(ask)
    return decision.reason if isinstance(decision, Deny) else None


@pytest.mark.parametrize("cause", BlockCause)
def test_only_a_called_partys_own_block_is_told_as_theirs(cause: BlockCause) -> None:
    theirs = cause is BlockCause.CALLED_PARTY
    told = Denial.BLOCKED_BY_CALLED_PARTY if theirs else Denial.NUMBER_BLOCKED
    assert refusal(replace(OK, blocked_by=frozenset({cause}))) is told


@pytest.mark.parametrize("cause", BlockCause)
def test_who_wants_no_calls_is_not_overruled(cause: BlockCause) -> None:
    final = cause in (BlockCause.NO_CONTACT, BlockCause.CALLED_PARTY)
    ask = replace(OK, blocked_by=frozenset({cause}), block_overridden=True)
    assert isinstance(decide(ask), Deny if final else Allow)


def test_of_several_causes_the_first_is_kept() -> None:
    for first, second in combinations(BlockCause, 2):
        assert block_cause(replace(OK, blocked_by=frozenset({second, first}))) is first


def test_not_even_a_privileged_number_of_a_protected_person_is_called() -> None:
    ask = replace(OK, blocked_by=frozenset({BlockCause.NO_CONTACT}), privileged=True, block_overridden=True)
    assert refusal(ask) is Denial.NUMBER_BLOCKED


@pytest.mark.parametrize(
    ("mode", "full", "reason"),
    [
        (PanMode.ENFORCED, False, Denial.NUMBER_NOT_ALLOWED),
        (PanMode.SELF_LEARNING, False, None),
        (PanMode.SELF_LEARNING, True, Denial.NUMBER_NOT_ALLOWED),
        (PanMode.OPEN, True, None),
    ],
)
def test_a_number_that_is_not_listed_depends_on_the_mode(
    mode: PanMode, full: bool, reason: Denial | None
) -> None:
    ask = replace(OK, on_allowed_list=False, pan_mode=mode, list_is_full=full)
    assert refusal(ask) is reason
    assert refusal(replace(ask, on_allowed_list=True)) is None
    assert refusal(replace(ask, hotline=True)) is None


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("begins", "ends", "suspended"),
    [
        (None, None, True),
        (OK.at, OK.at + HOUR, True),
        (OK.at + HOUR, None, False),
        (None, OK.at, False),
        (OK.at - HOUR, None, True),
    ],
)
def test_a_suspension_holds_from_its_first_instant_until_before_its_last(
    begins: datetime | None, ends: datetime | None, suspended: bool
) -> None:
    ask = replace(OK, inmate_state=InmateState.SUSPENDED, suspended_from=begins, suspended_to=ends)
    assert refusal(ask) is (Denial.INMATE_SUSPENDED if suspended else None)
    for reachable in (replace(ask, privileged=True), replace(ask, hotline=True)):
        assert refusal(reachable) is None
