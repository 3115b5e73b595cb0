"""An account as a bank would print it."""

import pytest

from accounts import statement
from accounts.db import Database
from accounts.ledger import AccountUnknown
from tests.ledger.books import ANA, hold, open_money, pay_in, release, settle


def test_each_movement_has_the_balance_after_it_and_what_is_reserved_comes_last(database: Database) -> None:
    database.transact_now(open_money, 100)
    database.transact_now(hold, "1", 60)
    database.transact_now(settle, "1", 25)
    database.transact_now(hold, "2", 10)
    database.transact_now(release, "2")
    database.transact_now(pay_in, "more", 5)
    database.transact_now(hold, "3", 30)
    found = database.read_now(lambda conn: list(statement.lines(conn, ANA)))
    assert [(line.transfer_id, line.amount, line.balance, line.reserved) for line in found] == [
        ("call/1/settlement", -25, -25, False),
        (f"deposit/{ANA}", 100, 75, False),
        ("more", 5, 80, False),
        ("call/3/hold", -30, 80, True),
    ]
    account = database.read_now(statement.account_of, ANA)
    assert (account.balance, account.held, account.available) == (80, 30, 50)


def test_an_account_is_found_by_a_part_of_its_id(database: Database) -> None:
    database.transact_now(open_money, 0)
    assert database.read_now(statement.accounts_like, "ana") == [ANA]
    assert database.read_now(statement.accounts_like, "%") == []
    with pytest.raises(AccountUnknown):
        database.read_now(statement.account_of, "ana")
