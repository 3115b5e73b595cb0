"""Whose failure ended a talk: one changed fact for each word, and what is no failure."""

from dataclasses import replace
from importlib import resources

import pytest

from ivr.policy.dropped import (
    MISSED_MS,
    NETWORK_FAILURES,
    SILENT_LEG_SECONDS,
    DroppedBy,
    Fault,
    TalkEnd,
    dropped_by,
    heard_ms,
    missed_ms,
)

BY_CALLED_PARTY = TalkEnd(seen=True, by_rule=False, hung_up=True, by_inmate=False, cause=16)
BY_INMATE = replace(BY_CALLED_PARTY, by_inmate=True)
BY_NOBODY = replace(BY_CALLED_PARTY, hung_up=False)

DROPPED = {
    "the network is out of order": (replace(BY_CALLED_PARTY, cause=38), DroppedBy.NETWORK),
    "the audio stopped": (replace(BY_CALLED_PARTY, missed_ms=MISSED_MS), DroppedBy.MEDIA),
    "the audio stopped, and the inmate gave up": (replace(BY_INMATE, missed_ms=MISSED_MS), DroppedBy.MEDIA),
    "a leg fell silent": (replace(BY_INMATE, fault=Fault.SILENT_LEG), DroppedBy.MEDIA),
    "the called leg fell silent, and no event told it": (replace(BY_NOBODY, cause=44), DroppedBy.MEDIA),
    "Asterisk was stopped": (replace(BY_INMATE, fault=Fault.SHUTDOWN), DroppedBy.US),
    "nobody saw the end": (replace(BY_CALLED_PARTY, seen=False), DroppedBy.US),
    "nobody ended it, and no cause is known": (replace(BY_NOBODY, cause=None), DroppedBy.US),
    "nobody ended it, and Asterisk knows no cause": (replace(BY_NOBODY, cause=0), DroppedBy.US),
}
NOT_DROPPED = {
    "the called party hung up": BY_CALLED_PARTY,
    "the inmate hung up": BY_INMATE,
    "it is only not known who hung up": BY_NOBODY,
    "the cause is only not known": replace(BY_CALLED_PARTY, cause=None),
    "the called leg has the cause of the inmate's": replace(BY_INMATE, cause=38),
    "a pause": replace(BY_CALLED_PARTY, missed_ms=MISSED_MS - 1),
}


@pytest.mark.parametrize("what", DROPPED)
def test_a_failure_has_its_word(what: str) -> None:
    end, by = DROPPED[what]
    assert dropped_by(end) == by


@pytest.mark.parametrize("what", NOT_DROPPED)
def test_what_a_party_ended_was_not_dropped(what: str) -> None:
    assert dropped_by(NOT_DROPPED[what]) is None


@pytest.mark.parametrize("what", DROPPED)
def test_what_a_limit_an_hour_or_a_switch_ended_was_not_dropped(what: str) -> None:
    end, _ = DROPPED[what]
    assert dropped_by(replace(end, by_rule=True)) is None


def test_every_word_has_its_case() -> None:
    assert {by for _, by in DROPPED.values()} == set(DroppedBy)


@pytest.mark.parametrize("cause", [27, 38, 41, 42, 44, 47, 58, 63, 111, 127])
def test_causes_of_a_networks_failure(cause: int) -> None:
    assert cause in NETWORK_FAILURES
    assert dropped_by(replace(BY_CALLED_PARTY, cause=cause)) is DroppedBy.NETWORK


@pytest.mark.parametrize("cause", [1, 16, 17, 18, 19, 21, 22, 26, 28, 29, 30, 31, 50, 57, 65, 88])
def test_causes_that_are_no_failure_of_a_network(cause: int) -> None:
    assert cause not in NETWORK_FAILURES
    assert dropped_by(replace(BY_CALLED_PARTY, cause=cause)) is None


def test_audio_is_missed_by_the_packets_that_were_never_sent() -> None:
    assert missed_ms(30_000, packets_received=1_500, packets_lost=0) == 0
    assert missed_ms(30_000, packets_received=1_000, packets_lost=0) == 10_000
    assert missed_ms(30_000, packets_received=1_000, packets_lost=500) == 0
    assert missed_ms(30_000, packets_received=2_000, packets_lost=0) == 0  # a ringing tone came before


def test_a_talk_is_as_long_as_the_two_heard_each_other() -> None:
    assert heard_ms(90_000, BY_CALLED_PARTY) == 90_000
    assert heard_ms(90_000, replace(BY_CALLED_PARTY, missed_ms=40_000)) == 50_000
    assert heard_ms(90_000, replace(BY_CALLED_PARTY, missed_ms=MISSED_MS - 1)) == 90_000
    assert heard_ms(90_000, replace(BY_INMATE, fault=Fault.SILENT_LEG)) == 30_000
    assert heard_ms(20_000, replace(BY_INMATE, fault=Fault.SILENT_LEG)) == 0


def test_the_dialplan_gives_a_silent_leg_up_after_this_time() -> None:
    template = resources.files("dialplan") / "templates" / "pjsip.conf"
    assert f"\nrtp_timeout = {SILENT_LEG_SECONDS}\n" in template.read_text("utf-8")
