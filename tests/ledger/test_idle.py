"""When an account counts as idle: 180 days or a state's longer time, with warnings before its end."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.idle import Due, StatePeriod, Step, days_of, due, notice_days, notice_due, parse, shipped
from rating.dated_table import Period, TableError

ACTIVE = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOTHING, GIVE_BACK = Due(Step.NOTHING), Due(Step.GIVE_BACK)
ROW = '[[unclaimed]]\nid = "il"\nstate = "IL"\nfrom = 2024-01-01\ndays = 1096\nsource = "a law"\n'


def after(
    days: float, *, told_days_ago: float | None = None, period: int = 180, reachable: bool = True
) -> Due:
    at = ACTIVE + timedelta(days=days)
    told_at = None if told_days_ago is None else at - timedelta(days=told_days_ago)
    return due(ACTIVE, at, period, reachable=reachable, told_at=told_at)


def test_a_holder_is_told_after_90_150_and_170_days() -> None:
    assert notice_days(180) == (90, 150, 170)
    assert after(89.99) == NOTHING
    for days in (90, 150, 170):
        assert after(days) == Due(Step.TELL, days)
        assert after(days + 9, told_days_ago=9) == NOTHING
    assert after(149.99, told_days_ago=59) == NOTHING


def test_in_a_states_longer_time_a_holder_is_warned_before_its_end_too() -> None:
    assert notice_days(1096) == (90, 150, 170, 1066, 1086)
    assert after(180, period=1096, told_days_ago=10) == NOTHING
    assert after(1086, period=1096) == Due(Step.TELL, 1086)
    assert after(1095.99, period=1096, told_days_ago=9.99) == NOTHING
    assert after(1096, period=1096, told_days_ago=10) == GIVE_BACK


def test_money_is_given_back_after_180_days_not_a_moment_before() -> None:
    assert after(179.99, told_days_ago=9.99) == NOTHING
    assert after(180, told_days_ago=10) == GIVE_BACK
    assert after(180, reachable=False) == GIVE_BACK
    assert after(179.99, reachable=False) == NOTHING


def test_who_was_not_warned_in_time_is_warned_first() -> None:
    assert after(400) == Due(Step.TELL, 170)
    assert after(401, told_days_ago=1) == NOTHING
    assert after(410, told_days_ago=10) == GIVE_BACK


def test_one_notice_is_due_at_a_time() -> None:
    assert notice_due(ACTIVE, ACTIVE + timedelta(days=160), 180) == 150
    assert notice_due(ACTIVE, ACTIVE, 180) == 0


def test_a_states_time_holds_where_it_is_longer() -> None:
    (row,) = parse(ROW, "test")
    rows = (row, StatePeriod("ma", "MA", 180, Period(date(2024, 1, 1), None), "a law", None))
    assert days_of("US-IL", date(2026, 1, 1), rows=rows) == 1096
    assert days_of("US-IL", date(2023, 12, 31), rows=rows) == 180
    assert days_of("US-MA", date(2026, 1, 1), rows=rows) == 180
    assert days_of("", date(2026, 1, 1), rows=rows) == 180


def test_the_shipped_table_has_every_state_with_its_source() -> None:
    states = {row.state for row in shipped()}
    assert len(states) == len(shipped()) == 51
    assert {row.days for row in shipped()} == {1096, 1827}
    assert all(row.source and row.doubt for row in shipped())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ROW + ROW.replace('"il"', '"il-2"'), "overlaps il"),
        (ROW.replace("1096", "179"), "days: must be a whole number from 180"),
        (ROW.replace('"IL"', '"XX"'), "state: must be a state"),
        (ROW + 'more = "x"\n', "more: is no field"),
    ],
)
def test_a_wrong_row_is_told(text: str, told: str) -> None:
    with pytest.raises(TableError, match=told):
        parse(text, "test")
