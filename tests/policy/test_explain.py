"""An explanation says what the decision says, and every rule's view of it."""

from dataclasses import replace
from datetime import datetime

import pytest

from ivr.policy.explain import explanation, sentence
from ivr.policy.level import Level
from ivr.policy.quantity import LongestCall
from ivr.policy.reasons import Cutoff, Denial
from ivr.policy.request import CallRequest, Deny, Limit
from ivr.policy.rules import RULES, decide
from tests.policy.requests import CHICAGO, OK
from tests.policy.test_rules import CASES


@pytest.mark.parametrize("ask", [OK, *CASES.values()], ids=["allowed", *CASES])
def test_the_first_objection_is_the_decision(ask: CallRequest) -> None:
    explained = explanation(ask)
    assert explained.decision == decide(ask)
    objections = [view.objection for view in explained.views if view.objection]
    assert objections[:1] == ([explained.decision] if isinstance(explained.decision, Deny) else [])
    assert [view.rule for view in explained.views] == [rule.__name__ for rule in RULES]


def test_every_rule_says_in_a_sentence_what_it_is_for() -> None:
    for rule in RULES:
        assert 20 < len(sentence(rule)) < 120


def test_every_rule_that_objects_is_named_not_only_the_first() -> None:
    late = replace(
        CASES[Denial.NUMBER_NOT_ALLOWED], at=datetime(2026, 11, 23, 22, tzinfo=CHICAGO), price=None
    )
    views = {view.rule: view for view in explanation(late).views}
    objecting = [name for name, view in views.items() if view.objection]
    assert objecting == ["number_is_allowed", "within_schedule", "rate_is_known"]
    assert not views["somebody_pays"].looked_at


def test_every_limit_is_told_with_its_level() -> None:
    ask = replace(OK, limits=[LongestCall(Level.UNIT, 600_000)])
    limits = {(each.cutoff, each.set_at): each.ms for each in explanation(ask).limits}
    assert limits[Cutoff.LONGEST_CALL, Level.UNIT] == 600_000
    assert limits[Cutoff.LONGEST_CALL, Level.FACILITY] == 900_000
    assert limits[Cutoff.SCHEDULE, Level.FACILITY] == 36_000_000
    assert (Cutoff.BALANCE, None) in limits
    assert explanation(ask).decision == decide(ask)
    assert Limit(600_000, Cutoff.LONGEST_CALL) in explanation(ask).limits
