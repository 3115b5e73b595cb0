"""What is said in a talk, and whose keys pass."""

from dataclasses import replace

import pytest

from ivr.policy.in_talk import ANNOUNCEMENT_MS, in_talk
from ivr.policy.request import Allow
from ivr.policy.rules import decide
from tests.policy.requests import OK

LIMIT_MS = 900_000
EVERY_FIVE = replace(OK, overlay_seconds=300)


def test_a_facility_without_announcements_has_none() -> None:
    assert in_talk(OK, LIMIT_MS).overlay_seconds is None


def test_a_number_may_be_spared() -> None:
    assert in_talk(EVERY_FIVE, LIMIT_MS).overlay_seconds is not None
    assert in_talk(replace(EVERY_FIVE, number_overlay=False), LIMIT_MS).overlay_seconds is None


def test_nothing_is_said_in_a_privileged_talk() -> None:
    assert in_talk(replace(EVERY_FIVE, privileged=True), LIMIT_MS).overlay_seconds is None


def test_nothing_is_said_over_a_relay_or_where_the_answer_is_the_acceptance() -> None:
    assert in_talk(replace(EVERY_FIVE, relay=True), LIMIT_MS).overlay_seconds is None
    assert in_talk(replace(EVERY_FIVE, passive=True), LIMIT_MS).overlay_seconds is None


@pytest.mark.parametrize("limit_ms", range(61_000, 1_800_000, 7_000))
def test_an_announcement_is_not_heard_together_with_the_warning_or_the_end(limit_ms: int) -> None:
    seconds = in_talk(EVERY_FIVE, limit_ms).overlay_seconds
    assert seconds is not None
    assert 225 < seconds <= 300
    for said_ms in (limit_ms - 60_000, limit_ms):
        for announced_ms in range(seconds * 1000, limit_ms + 10_000, seconds * 1000):
            assert abs(said_ms - announced_ms) >= ANNOUNCEMENT_MS


def test_an_interval_that_always_meets_them_is_kept() -> None:
    assert in_talk(replace(OK, overlay_seconds=8), LIMIT_MS).overlay_seconds == 8


@pytest.mark.parametrize(
    ("privileged", "office", "pass_"),
    [(False, False, False), (True, False, True), (False, True, True)],
)
def test_keys_reach_privileged_numbers_and_offices(privileged: bool, office: bool, pass_: bool) -> None:
    assert in_talk(replace(OK, privileged=privileged, office=office), LIMIT_MS).keys_pass is pass_


def test_the_decision_says_it() -> None:
    decision = decide(replace(EVERY_FIVE, office=True))
    assert isinstance(decision, Allow)
    assert decision.in_talk == in_talk(replace(EVERY_FIVE, office=True), decision.limit.ms)
