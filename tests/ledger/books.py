"""What the tests of the ledger share: an instant, and accounts with something in them."""

from datetime import UTC, datetime

from sqlalchemy import Connection

from accounts import ledger
from accounts.db import Database
from accounts.payers import CALLS_SOLD, CALLS_USED, CASH, REVENUE
from accounts.tables import AccountKind, Unit
from accounts.verification import verify

AT = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
ANA = "prepaid/ana"
PERIOD = "subscription/1/2026-11"


def open_money(conn: Connection, amount: int, account_id: str = ANA) -> None:
    """A prepaid account with an amount in it."""
    ledger.open_account(conn, account_id=account_id, unit=Unit.USD, kind=AccountKind.PREPAID, at=AT)
    if amount:
        pay_in(conn, f"deposit/{account_id}", amount, account_id)


def open_calls(conn: Connection, calls: int) -> None:
    """A subscription's period with a number of calls."""
    ledger.open_account(conn, account_id=PERIOD, unit=Unit.CALLS, kind=AccountKind.SUBSCRIPTION_PERIOD, at=AT)
    ledger.post(
        conn, transfer_id=f"{PERIOD}/credit", debit_id=CALLS_SOLD, credit_id=PERIOD, amount=calls, at=AT
    )


def pay_in(conn: Connection, transfer_id: str, amount: int, account_id: str = ANA) -> ledger.Transfer:
    """A deposit."""
    return ledger.post(
        conn, transfer_id=transfer_id, debit_id=CASH, credit_id=account_id, amount=amount, at=AT
    )


def hold(conn: Connection, call: str, amount: int, account_id: str = ANA) -> ledger.Transfer:
    """A hold for a call, on money or on calls."""
    return ledger.hold(
        conn,
        transfer_id=f"call/{call}/hold",
        debit_id=account_id,
        credit_id=CALLS_USED if account_id == PERIOD else REVENUE,
        amount=amount,
        at=AT,
    )


def settle(conn: Connection, call: str, amount: int) -> ledger.Transfer:
    """The charge of a call."""
    return ledger.settle(
        conn, transfer_id=f"call/{call}/settlement", hold_id=f"call/{call}/hold", amount=amount, at=AT
    )


def release(conn: Connection, call: str) -> ledger.Transfer:
    """The end of a call that costs nothing."""
    return ledger.release(conn, transfer_id=f"call/{call}/release", hold_id=f"call/{call}/hold", at=AT)


def standing(database: Database, account_id: str = ANA) -> tuple[int, int]:
    """What is available on an account, and what is held."""
    balance = database.read_now(ledger.balance, account_id)
    return balance.available, balance.held


def assert_book_is_right(database: Database) -> None:
    """The book adds up to what is stored."""
    assert database.read_now(verify).faults == ()
