"""Callers at the same moment on one balance, and on the last call of a subscription: as many winners as funds allow."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from accounts import ledger
from accounts.db import Database
from accounts.ledger import HoldClosed, InsufficientFunds, Transfer
from tests.ledger.books import (
    AT,
    PERIOD,
    assert_book_is_right,
    hold,
    open_calls,
    open_money,
    pay_in,
    release,
    settle,
    standing,
)

T = TypeVar("T")

ROUNDS = 5
CALLERS = [2, 3, 8, 16]


def at_once(contenders: list[Callable[[], T]]) -> list[T | ledger.LedgerError]:
    """What came of each, started at the same moment from threads of their own."""
    start = threading.Barrier(len(contenders))

    def run(contender: Callable[[], T]) -> T | ledger.LedgerError:
        start.wait()
        try:
            return contender()
        except ledger.LedgerError as refusal:
            return refusal

    with ThreadPoolExecutor(len(contenders)) as threads:
        return list(threads.map(run, contenders))


def winners(outcomes: list[Transfer | ledger.LedgerError]) -> list[Transfer]:
    return [outcome for outcome in outcomes if isinstance(outcome, Transfer)]


def holding(database: Database, call: str, amount: int, account_id: str) -> Callable[[], Transfer]:
    return lambda: database.transact_now(hold, call, amount, account_id)


def settling(database: Database, call: str, attempt: int) -> Callable[[], Transfer]:
    return lambda: database.transact_now(
        ledger.settle, transfer_id=f"{call}/{attempt}", hold_id=f"call/{call}/hold", amount=5, at=AT
    )


def releasing(database: Database, call: str) -> Callable[[], Transfer]:
    return lambda: database.transact_now(release, call)


@pytest.mark.parametrize("callers", CALLERS)
def test_callers_on_one_balance_win_as_often_as_it_allows(database: Database, callers: int) -> None:
    for round_ in range(ROUNDS):
        account_id = f"prepaid/{round_}"
        affordable = 1 + round_ * callers // ROUNDS
        database.transact_now(open_money, affordable * 10 + 9, account_id)
        outcomes = at_once([holding(database, f"{round_}-{n}", 10, account_id) for n in range(callers)])
        assert len(winners(outcomes)) == min(affordable, callers)
        assert all(isinstance(lost, InsufficientFunds) for lost in outcomes if not isinstance(lost, Transfer))
        available, held = standing(database, account_id)
        assert available + held == affordable * 10 + 9
        assert held == 10 * len(winners(outcomes))
    assert_book_is_right(database)


@pytest.mark.parametrize("callers", CALLERS)
def test_the_last_call_of_a_subscription_is_had_once(database: Database, callers: int) -> None:
    database.transact_now(open_calls, 1)
    for round_ in range(ROUNDS):
        outcomes = at_once([holding(database, f"{round_}-{n}", 1, PERIOD) for n in range(callers)])
        won = winners(outcomes)
        assert len(won) == 1
        assert standing(database, PERIOD) == (0, 1)
        database.transact_now(release, won[0].id.split("/")[1])
    assert standing(database, PERIOD) == (1, 0)
    assert_book_is_right(database)


@pytest.mark.parametrize("callers", CALLERS)
def test_one_event_that_arrives_many_times_at_once_counts_once(database: Database, callers: int) -> None:
    database.transact_now(open_money, 100)
    for step in (
        lambda: database.transact_now(pay_in, "again", 50),
        lambda: database.transact_now(hold, "1", 60),
        lambda: database.transact_now(settle, "1", 25),
    ):
        outcomes = at_once([step] * callers)
        assert outcomes == [outcomes[0]] * callers
        assert isinstance(outcomes[0], Transfer)
    assert standing(database) == (125, 0)
    assert_book_is_right(database)


@pytest.mark.parametrize("callers", CALLERS)
def test_a_hold_that_many_end_at_once_ends_once(database: Database, callers: int) -> None:
    database.transact_now(open_money, 100)
    database.transact_now(hold, "other", 40)
    for round_ in range(ROUNDS):
        database.transact_now(hold, str(round_), 10)
        ends = [settling(database, str(round_), n) for n in range(callers - 1)]
        ends.append(releasing(database, str(round_)))
        outcomes = at_once(ends)
        assert len(winners(outcomes)) == 1
        assert all(isinstance(lost, HoldClosed) for lost in outcomes if not isinstance(lost, Transfer))
        assert standing(database)[1] == 40
    assert_book_is_right(database)


def test_whole_calls_on_few_accounts_at_once_leave_the_book_right(database: Database) -> None:
    accounts = [f"prepaid/{n}" for n in range(3)]
    for account_id in accounts:
        database.transact_now(open_money, 1_000, account_id)

    def many_calls(caller: int) -> None:
        for n in range(10):
            call = f"{caller}-{n}"
            database.transact_now(hold, call, 30, accounts[(caller + n) % 3])
            if n % 3:
                database.transact_now(settle, call, 7 * (n % 4))
            else:
                database.transact_now(release, call)

    def cross(conn: Connection, name: str, giver: str, taker: str) -> None:
        ledger.post(conn, transfer_id=name, debit_id=giver, credit_id=taker, amount=1, at=AT)

    def move_about(caller: int) -> None:
        for n in range(10):
            giver, taker = accounts[(caller + n) % 3], accounts[(caller + n + 1 + n % 2) % 3]
            database.transact_now(cross, f"move/{caller}-{n}", giver, taker)

    with ThreadPoolExecutor(16) as threads:
        done = [threads.submit(work, caller) for caller in range(8) for work in (many_calls, move_about)]
        for one in done:
            one.result()
    assert_book_is_right(database)
    assert sum(standing(database, account_id)[1] for account_id in accounts) == 0
