"""What is unused is given back: by days or by calls, whichever is more, never more than was paid, and once."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from accounts import ledger, payers
from accounts.db import Database
from accounts.subscribed import Terms
from accounts.subscription_ends import (
    EndedBecause,
    cancel,
    end_early,
    facility_leaves,
    share_to_give_back,
    undo_cancel,
)
from accounts.subscriptions import buy
from rating.money import MICROS_PER_CENT, Money
from tests.ledger import sales
from tests.ledger.sales import NOON, PLAN, local, run
from tests.ledger.test_races import at_once

RELEASED = EndedBecause.RELEASED
shares = st.fractions(0, 1, max_denominator=100)


@given(st.integers(0, 10**9), shares, shares)
def test_nobody_gets_less_than_either_share_or_more_than_was_paid(
    price: int, days: Fraction, calls: Fraction
) -> None:
    back = share_to_give_back(Money(price), days=days, calls=calls)
    assert max(price * days, price * calls) <= back <= price
    assert back == price or back % MICROS_PER_CENT == 0
    assert back < max(price * days, price * calls) + MICROS_PER_CENT


@pytest.mark.parametrize(
    ("day", "used", "cents"),
    [
        ("2026-11-23", 0, 2_000),  # no call was made
        ("2026-11-23", 100, 1_934),  # all calls on the first of 30 days: 29/30 of 20.00, rounded up
        ("2026-12-07", 60, 1_000),  # 15 of 30 days, 40 of 100 calls
        ("2026-12-07", 20, 1_600),
        ("2026-12-22", 100, 0),  # the last day, all used
        ("2026-12-22", 99, 20),
    ],
)
def test_the_greater_share_of_days_and_calls_is_given_back(
    database: Database, day: str, used: int, cents: int
) -> None:
    run(database, sales.open_family, 2_000)
    held = run(database, sales.begin)
    period = run(database, sales.newest_period, held.id)
    run(database, sales.use, period, used)
    back = run(database, end_early, held.id, RELEASED, local(day))
    assert back == cents * MICROS_PER_CENT
    assert run(database, sales.left) == cents
    assert run(database, sales.left, period.account_id) == 0
    assert run(database, sales.stands, held.id).close_reason == "released"
    assert [kind for kind, _ in run(database, sales.told)] == ["renewed", *["refunded"][: int(cents > 0)]]
    sales.assert_proved(database)


def test_ending_again_gives_nothing_more(database: Database) -> None:
    run(database, sales.open_family, 2_000)
    held = run(database, sales.begin)
    assert run(database, end_early, held.id, RELEASED, NOON) == PLAN.price
    assert run(database, end_early, held.id, EndedBecause.TRANSFERRED, NOON) == 0
    assert run(database, sales.left) == 2_000
    sales.assert_proved(database)


def test_a_period_bought_ahead_is_given_back_whole(database: Database) -> None:
    run(database, sales.open_family, 4_000)
    held = run(database, sales.begin)
    first = run(database, sales.newest_period, held.id)
    run(database, sales.use, first, 100)
    run(database, buy, held.id, local("2026-12-22"))
    assert run(database, end_early, held.id, RELEASED, local("2026-12-22")) == PLAN.price
    sales.assert_proved(database)


def test_a_call_in_progress_counts_as_used_and_is_settled_as_usual(database: Database) -> None:
    run(database, sales.open_family, 2_000)
    held = run(database, sales.begin)
    period = run(database, sales.newest_period, held.id)
    run(database, sales.use, period, 98)
    run(database, sales.hold_call, period, "talking")
    assert run(database, end_early, held.id, RELEASED, local("2026-12-22")) == 20 * MICROS_PER_CENT
    run(database, sales.settle_call, period, "talking")
    assert run(database, ledger.balance, period.account_id).available == 0
    sales.assert_proved(database)


def test_a_subscription_that_ended_can_be_started_again_on_the_same_day(database: Database) -> None:
    run(database, sales.open_family, 2_000)
    held = run(database, sales.begin)
    run(database, end_early, held.id, RELEASED, NOON)
    again = run(database, sales.begin)
    assert (again.id, run(database, sales.left)) == (f"{held.id}/2", 0)
    period = run(database, sales.newest_period, again.id)
    assert period.account_id.endswith("/2026-11-23/2")
    assert run(database, sales.left, period.account_id) == 100
    sales.assert_proved(database)


def test_cancelled_it_goes_on_to_its_end_and_until_then_that_is_undone(database: Database) -> None:
    run(database, sales.open_family, 2_000)
    held = run(database, sales.begin)
    assert run(database, cancel, held.id, NOON) == 0
    cancelled = run(database, sales.stands, held.id)
    assert (cancelled.cancelled_at, cancelled.closed_at) == (NOON, None)
    assert run(database, sales.left, run(database, sales.newest_period, held.id).account_id) == 100
    run(database, undo_cancel, cancelled.id)
    assert run(database, sales.stands, held.id).cancelled_at is None


def test_cancelled_on_the_last_day_the_next_period_costs_nothing(database: Database) -> None:
    run(database, sales.open_family, 4_000)
    held = run(database, sales.begin)
    run(database, buy, held.id, local("2026-12-21"))
    given = [run(database, cancel, held.id, local("2026-12-22")) for _ in "ab"]
    assert given == [PLAN.price, 0]
    assert run(database, sales.left) == 2_000
    assert run(database, sales.days, held.id) == [("2026-11-23", "2026-12-22")]
    run(database, undo_cancel, held.id)
    run(database, buy, held.id, local("2026-12-22"))
    assert run(database, sales.days, held.id)[1] == ("2026-12-23", "2027-01-22")
    assert run(database, sales.left, run(database, sales.newest_period, held.id).account_id) == 100
    assert run(database, sales.left) == 0
    sales.assert_proved(database)


def test_a_facility_that_leaves_gives_back_everybodys(database: Database) -> None:
    run(database, sales.open_family, 2_000)
    held = run(database, sales.begin)
    given = {"subscription_id": "given", "facility_id": sales.JAIL, "number": "+12175550103"}
    run(database, payers.open_subscription, **given, state="US-IL", calls_each_period=7, at=NOON)
    days = {"first_date": NOON.date(), "last_date": NOON.date()}
    run(database, payers.open_period, account_id="p", subscription_id="given", **days, calls=7, at=NOON)
    assert run(database, facility_leaves, sales.JAIL, NOON) == 2
    assert run(database, facility_leaves, sales.JAIL, NOON) == 0
    assert run(database, sales.left) == 2_000
    assert run(database, sales.left, "p") == 0
    assert run(database, sales.stands, held.id).close_reason == "facility_left"
    sales.assert_proved(database)


def test_ended_before_its_first_payment_it_costs_nothing(database: Database) -> None:
    run(database, sales.open_family, card=True)
    held = run(database, sales.begin)
    assert run(database, end_early, held.id, RELEASED, NOON) == 0
    (payment_id,) = run(database, sales.asked)
    assert run(database, sales.succeed, payment_id, NOON) is False
    assert run(database, sales.left) == 2_000
    sales.assert_proved(database)


def renewing(database: Database, subscription_id: str) -> Callable[[], str]:
    """Buys the next period as soon as it is called."""

    def renew(conn: Connection) -> None:
        buy(conn, subscription_id, local("2026-12-21"))

    def outcome() -> str:
        try:
            run(database, renew)
        except payers.PayerConflict:
            return "refused"
        return "bought"

    return outcome


def cancelling(database: Database, subscription_id: str) -> Callable[[], str]:
    """Cancels as soon as it is called."""

    def stop(conn: Connection) -> None:
        cancel(conn, subscription_id, local("2026-12-21"))

    def outcome() -> str:
        run(database, stop)
        return "cancelled"

    return outcome


@pytest.mark.parametrize("people", [2, 4])
def test_those_who_renew_at_once_buy_one_period(database: Database, people: int) -> None:
    run(database, sales.open_family, 9_000)
    held = run(database, sales.begin)
    outcomes = at_once([renewing(database, held.id) for _ in range(people)])
    assert sorted(map(str, outcomes)) == ["bought", *["refused"] * (people - 1)]
    assert run(database, sales.left) == 5_000
    sales.assert_proved(database)


def test_who_renews_and_who_cancels_at_once_leave_no_period_paid_and_not_had(database: Database) -> None:
    for round_ in range(4):
        run(database, sales.pay_in if round_ else sales.open_family, 4_000, *[f"{round_}"][: bool(round_)])
        before = run(database, sales.left)
        held = run(database, sales.begin)
        at_once([renewing(database, held.id), cancelling(database, held.id)])
        periods = run(database, sales.days, held.id)
        assert len(periods) == 1  # what was renewed first was given back
        assert before - run(database, sales.left) == 2_000
        assert run(database, sales.stands, held.id).cancelled_at is not None
        run(database, end_early, held.id, RELEASED, NOON)
    sales.assert_proved(database)


def test_a_payment_that_is_told_at_once_by_many_buys_one_period(database: Database) -> None:
    run(database, sales.open_family, card=True)
    held = run(database, sales.begin, terms=Terms("family-25", Money(6_000_000), 25))
    (payment_id,) = run(database, sales.asked)
    outcomes = at_once([partial(run, database, sales.succeed, payment_id, NOON)] * 4)
    assert outcomes.count(True) == 1
    assert len(run(database, sales.days, held.id)) == 1
    assert run(database, sales.left) == 0
    sales.assert_proved(database)


def test_a_call_and_an_early_end_at_once_take_no_call_twice(database: Database) -> None:
    run(database, sales.open_family, 20_000)
    for round_ in range(3):
        held = run(database, sales.begin)
        period = run(database, sales.newest_period, held.id)
        ending = partial(run, database, end_early, held.id, RELEASED, NOON)
        at_once([partial(run, database, sales.hold_call, period, "racing"), ending])
        stood = run(database, ledger.balance, period.account_id)
        assert stood.available == 0
        assert stood.held in (0, 1), round_
    sales.assert_proved(database)
