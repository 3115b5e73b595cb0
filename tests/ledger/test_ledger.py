"""Every rule of the ledger, on both databases, in money and in calls."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from accounts import ledger
from accounts.db import Database
from accounts.ledger import (
    AccountConflict,
    AccountUnknown,
    HoldClosed,
    InsufficientFunds,
    MoreThanHeld,
    TransferConflict,
)
from accounts.payers import CALLS_USED, CASH, REVENUE, SYSTEM_ACCOUNTS
from accounts.tables import AccountKind, TransferKind, Unit, account, transfer
from accounts.verification import verify
from tests.ledger.books import (
    ANA,
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


@pytest.fixture
def book(database: Database) -> Database:
    """Ana has 100 micros; a subscription's period has 2 calls."""
    database.transact_now(open_money, 100)
    database.transact_now(open_calls, 2)
    return database


def test_a_deposit_is_available_at_once(book: Database) -> None:
    assert standing(book) == (100, 0)
    assert book.read_now(ledger.balance, CASH).debits == 100


def test_a_hold_takes_from_what_is_available(book: Database) -> None:
    book.transact_now(hold, "1", 60)
    assert standing(book) == (40, 60)


def test_settling_charges_the_amount_and_gives_back_the_rest(book: Database) -> None:
    book.transact_now(hold, "1", 60)
    book.transact_now(settle, "1", 25)
    assert standing(book) == (75, 0)
    assert book.read_now(ledger.balance, REVENUE).credits == 25
    assert_book_is_right(book)


def test_a_released_hold_costs_nothing(book: Database) -> None:
    book.transact_now(hold, "1", 60)
    book.transact_now(release, "1")
    assert standing(book) == (100, 0)
    assert_book_is_right(book)


def test_a_subscription_call_is_held_and_used_by_the_same_code(book: Database) -> None:
    book.transact_now(hold, "1", 1, PERIOD)
    assert standing(book, PERIOD) == (1, 1)
    book.transact_now(settle, "1", 1)
    assert standing(book, PERIOD) == (1, 0)
    assert book.read_now(ledger.balance, CALLS_USED).credits == 1
    assert_book_is_right(book)


def test_two_calls_cannot_spend_the_same_money(book: Database) -> None:
    book.transact_now(hold, "1", 60)
    with pytest.raises(InsufficientFunds):
        book.transact_now(hold, "2", 41)
    book.transact_now(hold, "3", 40)
    assert standing(book) == (0, 100)


def test_work_goes_on_in_the_same_transaction_after_a_refusal(book: Database) -> None:
    def subscription_else_prepaid(conn: Connection) -> ledger.Transfer:
        with pytest.raises(InsufficientFunds):
            hold(conn, "1", 3, PERIOD)
        return hold(conn, "1", 60)

    assert book.transact_now(subscription_else_prepaid).debit_id == ANA
    assert standing(book) == (40, 60)
    assert standing(book, PERIOD) == (2, 0)
    assert_book_is_right(book)


@pytest.mark.parametrize(
    "steps",
    [
        [lambda conn: pay_in(conn, "d", 5)],
        [lambda conn: hold(conn, "1", 60)],
        [lambda conn: hold(conn, "1", 60), lambda conn: settle(conn, "1", 25)],
        [lambda conn: hold(conn, "1", 60), lambda conn: release(conn, "1")],
    ],
    ids=["payment", "hold", "settlement", "release"],
)
def test_each_step_done_three_times_changes_nothing(
    book: Database, steps: list[Callable[[Connection], ledger.Transfer]]
) -> None:
    first = [book.transact_now(step) for step in steps]
    before = standing(book)
    for _ in range(2):
        assert [book.transact_now(step) for step in steps] == first
    assert standing(book) == before
    assert_book_is_right(book)


def test_a_repetition_at_another_time_is_still_a_repetition(book: Database) -> None:
    first = book.transact_now(hold, "1", 60)
    again = book.transact_now(
        ledger.hold,
        transfer_id=first.id,
        debit_id=ANA,
        credit_id=REVENUE,
        amount=60,
        at=AT + timedelta(hours=1),
    )
    assert again.posted_at == AT


@pytest.mark.parametrize(
    "other",
    [
        lambda conn: hold(conn, "1", 61),
        lambda conn: hold(conn, "1", 1_000_000),
        lambda conn: hold(conn, "1", 60, PERIOD),
        lambda conn: pay_in(conn, "call/1/hold", 60),
        lambda conn: pay_in(conn, "call/1/settlement", 25),
        lambda conn: settle(conn, "1", 26),
        lambda conn: settle(conn, "1", 61),
        lambda conn: ledger.release(conn, transfer_id="call/1/settlement", hold_id="call/1/hold", at=AT),
        lambda conn: ledger.settle(
            conn, transfer_id="call/1/settlement", hold_id="call/2/hold", amount=25, at=AT
        ),
    ],
)
def test_the_same_id_with_other_contents_is_refused(
    book: Database, other: Callable[[Connection], ledger.Transfer]
) -> None:
    book.transact_now(hold, "1", 60)
    book.transact_now(settle, "1", 25)
    book.transact_now(hold, "2", 30)
    with pytest.raises(TransferConflict):
        book.transact_now(other)
    assert standing(book) == (45, 30)
    assert_book_is_right(book)


def test_a_hold_ends_once(book: Database) -> None:
    book.transact_now(hold, "1", 60)
    book.transact_now(settle, "1", 25)
    with pytest.raises(HoldClosed):
        book.transact_now(release, "1")
    with pytest.raises(HoldClosed):
        book.transact_now(ledger.settle, transfer_id="another", hold_id="call/1/hold", amount=1, at=AT)
    assert standing(book) == (75, 0)


@pytest.mark.parametrize("hold_id", ["nothing", f"deposit/{ANA}"])
def test_only_a_hold_can_be_settled(book: Database, hold_id: str) -> None:
    with pytest.raises(HoldClosed):
        book.transact_now(ledger.settle, transfer_id="x", hold_id=hold_id, amount=1, at=AT)


def test_a_settlement_is_never_more_than_its_hold(book: Database) -> None:
    book.transact_now(hold, "1", 60)
    with pytest.raises(MoreThanHeld):
        book.transact_now(settle, "1", 61)
    assert standing(book) == (40, 60)


def test_accounts_must_exist_and_count_the_same(book: Database) -> None:
    for operation in (ledger.hold, ledger.post):
        for debit_id, credit_id, error in [
            ("nobody", REVENUE, AccountUnknown),
            (ANA, "nobody", AccountUnknown),
            (ANA, CALLS_USED, AccountConflict),
            (PERIOD, REVENUE, AccountConflict),
        ]:
            with pytest.raises(error):
                book.transact_now(
                    operation, transfer_id="x", debit_id=debit_id, credit_id=credit_id, amount=1, at=AT
                )
    with pytest.raises(AccountUnknown):
        book.read_now(ledger.balance, "nobody")
    assert_book_is_right(book)


def test_an_account_keeps_its_unit_and_kind(book: Database) -> None:
    with pytest.raises(AccountConflict):
        book.transact_now(
            ledger.open_account, account_id=ANA, unit=Unit.CALLS, kind=AccountKind.PREPAID, at=AT
        )


def test_a_payment_out_of_a_payers_account_needs_funds(book: Database) -> None:
    with pytest.raises(InsufficientFunds):
        book.transact_now(ledger.post, transfer_id="refund", debit_id=ANA, credit_id=CASH, amount=101, at=AT)
    book.transact_now(ledger.post, transfer_id="refund", debit_id=ANA, credit_id=CASH, amount=100, at=AT)
    assert standing(book) == (0, 0)
    assert_book_is_right(book)


@pytest.mark.parametrize("amount", [-1, -100])
def test_no_amount_is_negative(book: Database, amount: int) -> None:
    with pytest.raises(ValueError, match="negative"):
        book.transact_now(hold, "1", amount)
    with pytest.raises(ValueError, match="negative"):
        book.transact_now(pay_in, "d", amount)


@pytest.mark.parametrize("amount", [1.0, True])
def test_no_amount_is_anything_but_a_whole_number(book: Database, amount: Any) -> None:
    with pytest.raises(Exception, match="whole number") as raised:
        book.transact_now(pay_in, "d", amount)
    assert isinstance(raised.value.__cause__ or raised.value, TypeError)


def test_amounts_are_exact_up_to_nine_trillion(book: Database) -> None:
    largest = 2**62
    book.transact_now(pay_in, "d", largest - 100)
    assert standing(book) == (largest, 0)


ROW = {"kind": "payment", "unit": "USD", "debit_id": CASH, "credit_id": ANA, "amount": 1, "posted_at": AT}


@pytest.mark.parametrize(
    "bad",
    [
        {"amount": -1},
        {"kind": "gift"},
        {"kind": "release", "amount": 1, "resolves_id": "call/1/hold"},
        {"kind": "release", "amount": 0},
        {"kind": "payment", "resolves_id": "call/1/hold"},
        {"credit_id": CASH},
        {"credit_id": "nobody"},
        {"credit_id": PERIOD},
        {"unit": "calls"},
        {"kind": "settlement", "resolves_id": "nothing"},
        {"kind": "settlement", "resolves_id": "call/2/hold"},
        {"id": "call/1/hold"},
    ],
    ids=str,
)
def test_the_database_itself_refuses_impossible_transfers(book: Database, bad: dict[str, Any]) -> None:
    book.transact_now(hold, "1", 10)
    book.transact_now(hold, "2", 10)
    book.transact_now(settle, "2", 5)
    with pytest.raises(IntegrityError):
        book.transact_now(lambda conn: conn.execute(insert(transfer).values({"id": "x", **ROW, **bad})))


@pytest.mark.parametrize(
    "sums", [{"debits": 101}, {"held": 101}, {"credits": -1}, {"held": -1}, {"unit": "EUR"}], ids=str
)
def test_the_database_itself_refuses_an_overdrawn_payer(book: Database, sums: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        book.transact_now(lambda conn: conn.execute(update(account).where(account.c.id == ANA).values(sums)))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE transfer SET amount = 1",
        "DELETE FROM transfer",
        "DELETE FROM transfer WHERE id = 'call/1/hold'",
    ],
)
def test_transfers_are_never_changed(book: Database, change: str) -> None:
    book.transact_now(hold, "1", 60)
    with pytest.raises(IntegrityError, match="transfers are never changed"):
        book.transact_now(lambda conn: conn.execute(text(change)))


def test_not_even_by_each_databases_own_ways(book: Database) -> None:
    change = (
        f"INSERT OR REPLACE INTO transfer SELECT id, kind, unit, debit_id, credit_id, 1, resolves_id, posted_at "
        f"FROM transfer WHERE id = 'deposit/{ANA}'"
        if book.backend == "sqlite"
        else "TRUNCATE transfer CASCADE"
    )
    with pytest.raises(DBAPIError, match="transfers are never changed"):
        book.transact_now(lambda conn: conn.execute(text(change)))


def test_the_systems_accounts_exist_after_the_migration(database: Database) -> None:
    for account_id, unit in SYSTEM_ACCOUNTS.items():
        database.transact_now(
            ledger.open_account, account_id=account_id, unit=unit, kind=AccountKind.SYSTEM, at=AT
        )
    assert database.read_now(verify).accounts == len(SYSTEM_ACCOUNTS)


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        (
            "UPDATE account SET credits = credits + 1 WHERE id = 'prepaid/ana'",
            "USD: credits exceed debits by 1",
        ),
        ("UPDATE account SET held = held - 1 WHERE id = 'prepaid/ana'", "prepaid/ana: stored"),
        (
            "INSERT INTO transfer (id, kind, unit, debit_id, credit_id, amount, resolves_id, posted_at) VALUES "
            "('x', 'settlement', 'USD', 'prepaid/ana', 'system/revenue', 11, 'call/1/hold', 0)",
            "x: does not fit call/1/hold",
        ),
        (
            "INSERT INTO transfer (id, kind, unit, debit_id, credit_id, amount, posted_at) VALUES "
            "('x', 'payment', 'calls', 'system/calls_sold', 'system/calls_used', 1, 0)",
            "system/calls_sold: stored",
        ),
    ],
)
def test_verification_finds_what_was_tampered_with(book: Database, tampering: str, fault: str) -> None:
    book.transact_now(hold, "1", 10)
    assert_book_is_right(book)
    book.transact_now(lambda conn: conn.execute(text(tampering)))
    assert any(found.startswith(fault) for found in book.read_now(verify).faults)


def test_verification_adds_up_what_no_databases_number_holds(database: Database) -> None:
    most = 5 * 10**18  # of two, the sum is more than 64 bits hold
    for name, system in (("a", CASH), ("b", REVENUE)):
        database.transact_now(open_money, 0, f"prepaid/{name}")
        database.transact_now(
            ledger.post,
            transfer_id=name,
            debit_id=system,
            credit_id=f"prepaid/{name}",
            amount=most,
            at=AT,
        )
    assert database.read_now(verify).faults == ()
    again = (
        "INSERT INTO transfer (id, kind, unit, debit_id, credit_id, amount, posted_at) VALUES "
        f"('c', 'payment', 'USD', '{REVENUE}', 'prepaid/a', {most}, 0)"
    )
    database.transact_now(lambda conn: conn.execute(text(again)))
    assert database.read_now(verify).faults == (
        f"prepaid/a: stored credits {most}, debits 0, held 0; its transfers say {2 * most}, 0, 0",
        f"{REVENUE}: stored credits 0, debits {most}, held 0; its transfers say 0, {2 * most}, 0",
    )


@pytest.mark.parametrize(
    ("operation", "statements"),
    [
        (lambda conn: hold(conn, "2", 1), 2),
        (lambda conn: settle(conn, "1", 1), 3),
        (lambda conn: release(conn, "1"), 3),
        (lambda conn: pay_in(conn, "d", 1), 4),
    ],
    ids=["hold", "settlement", "release", "payment"],
)
def test_each_operation_needs_few_statements(
    book: Database, operation: Callable[[Connection], ledger.Transfer], statements: int
) -> None:
    book.transact_now(hold, "1", 10)
    before = book.counts()
    book.transact_now(operation)
    assert book.counts().statements - before.statements == statements
    assert book.counts().commits - before.commits == 1


def test_a_transfer_reads_back_as_it_was_posted(book: Database) -> None:
    posted = book.transact_now(hold, "1", 60)
    assert book.read_now(ledger.find_transfer, "call/1/hold") == posted
    assert posted.kind is TransferKind.HOLD
    assert posted.posted_at == AT
    assert book.read_now(ledger.find_transfer, "nothing") is None
