"""Talk time from evidence: doubled, missing, late, or contradicting itself."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ivr.policy.talk import NO_TALK, Evidence, Kind, talk

START = datetime(2026, 11, 23, 18, tzinfo=UTC)
LIMIT_MS = 900_000


def start(ms: int = 0, monotonic_ms: int | None = None, clock: str = "a") -> Evidence:
    return Evidence(Kind.TALK_FROM, START + timedelta(milliseconds=ms), monotonic_ms, clock)


def end(ms: int, monotonic_ms: int | None = None, clock: str = "a") -> Evidence:
    return Evidence(Kind.TALK_TO, START + timedelta(milliseconds=ms), monotonic_ms, clock)


def test_without_a_start_there_was_no_talk() -> None:
    assert talk([end(5_000)], limit_ms=LIMIT_MS, last_seen_at=START) == NO_TALK


def test_the_stamps_give_the_span() -> None:
    assert talk([start(), end(83_000)], limit_ms=LIMIT_MS, last_seen_at=None).ms == 83_000


def test_a_span_never_exceeds_the_limit() -> None:
    assert talk([start(), end(900_004)], limit_ms=LIMIT_MS, last_seen_at=None).ms == LIMIT_MS


def test_the_smaller_clock_counts_and_a_second_apart_is_flagged() -> None:
    stepped = talk([start(0, 1_000), end(3_660_000, 61_000)], limit_ms=LIMIT_MS, last_seen_at=None)
    assert (stepped.ms, stepped.flagged) == (60_000, True)
    agreeing = talk([start(0, 1_000), end(60_000, 61_002)], limit_ms=LIMIT_MS, last_seen_at=None)
    assert (agreeing.ms, agreeing.flagged) == (60_000, False)


def test_monotonic_clocks_of_two_processes_are_not_compared() -> None:
    span = talk([start(0, 9_000_000, "a"), end(60_000, 5, "b")], limit_ms=LIMIT_MS, last_seen_at=None)
    assert (span.ms, span.flagged) == (60_000, False)


def test_without_an_end_the_talk_ran_until_it_was_last_seen() -> None:
    span = talk([start()], limit_ms=LIMIT_MS, last_seen_at=START + timedelta(seconds=25))
    assert (span.ms, span.flagged) == (25_000, True)


def test_nobody_saw_it_so_nobody_pays() -> None:
    assert talk([start()], limit_ms=LIMIT_MS, last_seen_at=None).ms == 0


def test_a_clock_that_went_backwards_is_the_payers_gain() -> None:
    span = talk([start(), end(-3_000)], limit_ms=LIMIT_MS, last_seen_at=None)
    assert (span.ms, span.flagged) == (0, True)


@given(st.permutations([start(0, 0), start(0), start(0, 0), end(7_000, 7_000), end(7_000), end(7_050)]))
def test_order_and_repetition_of_evidence_change_nothing(seen: list[Evidence]) -> None:
    assert talk(seen, limit_ms=LIMIT_MS, last_seen_at=None).ms == 7_000
