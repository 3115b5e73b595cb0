"""When whoever is on call is told of alerts."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ivr.policy.paging import AGAIN, QUIET, Open, due

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


def test_what_is_new_is_told_at_once_and_alone() -> None:
    told = Open(1, AT - AGAIN - QUIET)
    assert due([Open(1, None)], None, AT) == [1]
    assert due([told, Open(2, None), Open(3, None)], told.told_at, AT) == [2, 3]


def test_what_follows_soon_after_something_told_waits() -> None:
    assert due([Open(2, None)], AT - QUIET + INSTANT, AT) == []
    assert due([Open(2, None)], AT - QUIET, AT) == [2]


def test_what_nobody_has_done_with_is_told_again_with_all_that_is_open() -> None:
    old, newer = Open(1, AT - AGAIN), Open(2, AT - QUIET)
    assert due([old, newer], newer.told_at, AT) == [1, 2]
    assert due([Open(1, AT - AGAIN + INSTANT)], AT - AGAIN + INSTANT, AT) == []


@given(st.lists(st.integers(0, 14 * 60), max_size=60), st.lists(st.integers(1, 20), max_size=14))
def test_a_storm_is_a_few_messages_and_no_alert_is_forgotten(minutes: list[int], beats: list[int]) -> None:
    told: dict[int, datetime | None] = {}
    last: datetime | None = None
    messages, at = 0, AT
    for beat in [*beats, *range(60, 800, 60)]:
        at += timedelta(minutes=beat)
        told |= {n: told.get(n) for n, each in enumerate(minutes) if AT + timedelta(minutes=each) <= at}
        if ids := due([Open(n, when) for n, when in told.items()], last, at):
            told |= dict.fromkeys(ids, at)
            messages, last = messages + 1, at
    assert None not in told.values()
    assert messages <= (at - AT) / QUIET + 1
