"""Who pays for a call to a number: found in one statement, opened by functions that a file may repeat."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from accounts import ledger, payers
from accounts.db import Database
from accounts.funds import Funds
from accounts.ledger import AccountConflict, TransferConflict
from accounts.payers import PayerConflict, PayerFacts
from accounts.tables import AccountKind, Unit, subscription
from rating.money import Money
from tests.ledger.books import AT, assert_book_is_right

BOSTON = "+16175550101"
WORCESTER = "+15085550102"
FACILITY = "demo"
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
PERIOD = "subscription/1/2026-11"
PREPAID = "prepaid/1001"


def open_prepaid(conn: Connection, amount: int = 25_000_000) -> None:
    payers.open_prepaid(conn, account_id=PREPAID, at=AT)
    payers.add_number(conn, account_id=PREPAID, number=BOSTON, at=AT)
    payers.deposit(conn, transfer_id="deposit/1", account_id=PREPAID, amount=Money(amount), at=AT)


def open_subscription(
    conn: Connection, number: str = BOSTON, facility_id: str = FACILITY, id_: str = "1"
) -> None:
    payers.open_subscription(
        conn,
        subscription_id=id_,
        facility_id=facility_id,
        number=number,
        state="US-MA",
        calls_each_period=100,
        at=AT,
    )


def open_period(
    conn: Connection,
    *,
    account_id: str = PERIOD,
    subscription_id: str = "1",
    first: date = FIRST,
    last: date = LAST,
    calls: int = 57,
) -> None:
    payers.open_period(
        conn,
        account_id=account_id,
        subscription_id=subscription_id,
        first_date=first,
        last_date=last,
        calls=calls,
        at=AT,
    )


def facts(
    database: Database, number: str = BOSTON, facility_id: str = FACILITY, on: date = FIRST
) -> PayerFacts:
    return database.read_now(payers.payer_facts, facility_id=facility_id, number=number, on=on)


def calls_left(database: Database, on: date = FIRST) -> int | None:
    """None on a day that no period has."""
    found = facts(database, on=on).subscription
    assert found is not None
    return found.period.calls_left if found.period else None


@pytest.fixture
def opened(database: Database) -> Database:
    """A prepaid account with 25.00 and a subscription with 57 calls in November, for one number in Boston."""
    database.transact_now(open_prepaid)
    database.transact_now(open_subscription)
    database.transact_now(open_period)
    return database


def test_both_payers_of_a_number_are_found_in_one_statement(opened: Database) -> None:
    before = opened.counts().statements
    found = facts(opened)
    assert opened.counts().statements - before == 1
    assert found.prepaid == Funds(PREPAID, Money(25_000_000))
    assert found.subscription is not None
    assert found.subscription.calls_each_period == 100
    assert found.subscription.period == payers.Period(PERIOD, FIRST, LAST, 57)


def test_a_number_without_payers_has_none(opened: Database) -> None:
    assert facts(opened, number=WORCESTER) == PayerFacts(None, {})


def test_a_subscription_is_for_one_facility_and_the_prepaid_account_for_all(opened: Database) -> None:
    found = facts(opened, facility_id="another")
    assert found.subscription is None
    assert found.prepaid is not None


def test_what_is_held_is_no_longer_available(opened: Database) -> None:
    def hold_both(conn: Connection) -> None:
        ledger.hold(conn, transfer_id="a", debit_id=PERIOD, credit_id=payers.CALLS_USED, amount=1, at=AT)
        ledger.hold(conn, transfer_id="b", debit_id=PREPAID, credit_id=payers.REVENUE, amount=900_000, at=AT)

    opened.transact_now(hold_both)
    found = facts(opened)
    assert found.prepaid == Funds(PREPAID, Money(24_100_000))
    assert found.subscription is not None
    assert found.subscription.period is not None
    assert found.subscription.period.calls_left == 56


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (FIRST - timedelta(days=1), None),
        (FIRST, 57),
        (LAST, 57),
        (LAST + timedelta(days=1), None),
    ],
)
def test_a_period_covers_its_first_and_its_last_day(opened: Database, on: date, expected: int | None) -> None:
    assert calls_left(opened, on=on) == expected


def test_each_day_has_the_calls_of_its_own_period(opened: Database) -> None:
    next_first = LAST + timedelta(days=1)
    opened.transact_now(
        open_period, account_id="subscription/1/2026-12", first=next_first, last=date(2026, 12, 31), calls=100
    )
    found = facts(opened, on=next_first).subscription
    assert found is not None
    assert found.period is not None
    assert found.period.calls_left == 100
    assert calls_left(opened, on=LAST) == 57


def test_a_subscription_without_calls_is_used_up(opened: Database) -> None:
    opened.transact_now(
        ledger.hold, transfer_id="a", debit_id=PERIOD, credit_id=payers.CALLS_USED, amount=57, at=AT
    )
    assert calls_left(opened) == 0


def test_loading_the_same_again_changes_nothing(opened: Database) -> None:
    before = facts(opened)
    for _ in range(2):
        opened.transact_now(open_prepaid)
        opened.transact_now(open_subscription)
        opened.transact_now(open_period)
    assert facts(opened) == before
    assert_book_is_right(opened)


def test_loading_contradictions_is_refused(opened: Database) -> None:
    with pytest.raises(TransferConflict):
        opened.transact_now(open_prepaid, 26_000_000)
    with pytest.raises(TransferConflict):
        opened.transact_now(open_period, calls=58)
    with pytest.raises(PayerConflict, match="other terms"):
        opened.transact_now(open_subscription, WORCESTER)
    with pytest.raises(PayerConflict, match="another subscription with demo"):
        opened.transact_now(open_subscription, BOSTON, FACILITY, "2")
    with pytest.raises(PayerConflict, match="overlaps"):
        opened.transact_now(open_period, last=LAST + timedelta(days=1))
    with pytest.raises(PayerConflict, match="overlaps"):
        opened.transact_now(open_period, account_id="another", first=LAST, last=LAST + timedelta(days=9))
    with pytest.raises(PayerConflict, match="there is no subscription"):
        opened.transact_now(open_period, subscription_id="nothing")
    opened.transact_now(open_subscription, WORCESTER, FACILITY, "2")
    with pytest.raises(PayerConflict, match="a period of another subscription"):
        opened.transact_now(open_period, subscription_id="2")
    with pytest.raises(IntegrityError):
        opened.transact_now(
            open_period, account_id="backwards", first=date(2027, 2, 2), last=date(2027, 2, 1)
        )
    assert facts(opened).subscription is not None
    assert_book_is_right(opened)


def test_a_prepaid_account_is_nothing_else(database: Database) -> None:
    database.transact_now(
        ledger.open_account, account_id=PREPAID, unit=Unit.CALLS, kind=AccountKind.SUBSCRIPTION_PERIOD, at=AT
    )
    with pytest.raises(AccountConflict):
        database.transact_now(open_prepaid)


def test_a_number_belongs_to_one_live_account(opened: Database) -> None:
    opened.transact_now(payers.open_prepaid, account_id="prepaid/2", at=AT)
    with pytest.raises(PayerConflict, match=PREPAID):
        opened.transact_now(payers.add_number, account_id="prepaid/2", number=BOSTON, at=AT)
    opened.transact_now(payers.add_number, account_id=PREPAID, number=WORCESTER, at=AT)
    assert facts(opened, number=WORCESTER).prepaid == facts(opened).prepaid


def test_a_number_that_was_given_up_can_come_back_or_go_elsewhere(opened: Database) -> None:
    opened.transact_now(payers.remove_number, account_id=PREPAID, number=BOSTON, at=AT)
    assert facts(opened).prepaid is None
    opened.transact_now(payers.add_number, account_id=PREPAID, number=BOSTON, at=AT)
    assert facts(opened).prepaid is not None
    opened.transact_now(payers.remove_number, account_id=PREPAID, number=BOSTON, at=AT)
    opened.transact_now(payers.open_prepaid, account_id="prepaid/2", at=AT)
    opened.transact_now(payers.add_number, account_id="prepaid/2", number=BOSTON, at=AT)
    assert facts(opened).prepaid == Funds("prepaid/2", Money(0))
    with pytest.raises(PayerConflict, match="prepaid/2"):
        opened.transact_now(payers.add_number, account_id=PREPAID, number=BOSTON, at=AT)


def test_a_closed_subscription_makes_room_for_a_new_one(opened: Database) -> None:
    opened.transact_now(
        lambda conn: conn.execute(update(subscription).where(subscription.c.id == "1").values(closed_at=AT))
    )
    assert facts(opened).subscription is None
    opened.transact_now(open_subscription, BOSTON, FACILITY, "2")
    assert calls_left(opened) is None
