"""The chain over the book: whatever is changed, taken out or put in order anew behind its back is named."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text, update
from sqlalchemy.exc import DBAPIError

from accounts.chain import LEDGER
from accounts.db import Database, chained, engines
from accounts.tables import ledger_link
from tests.ledger.books import AT, hold, open_calls, open_money, pay_in, release, settle


@pytest.fixture
def book(database: Database) -> Database:
    """Two accounts and six entries of every kind, all linked."""
    database.transact_now(open_money, 100)
    database.transact_now(open_calls, 2)
    database.transact_now(hold, "1", 60)
    database.transact_now(settle, "1", 25)
    database.transact_now(hold, "2", 10)
    database.transact_now(release, "2")
    assert database.transact_now(LEDGER.extend) == 6
    return database


def faults(book: Database) -> list[str]:
    return book.read_now(lambda conn: list(LEDGER.faults(conn)))


Tamper = Callable[..., None]


@pytest.fixture
def behind_its_back(database_url: str) -> Tamper:
    """Somebody with the database in their hands, whom no trigger and no key stops."""
    engine = engines.migrating_engine(engines.database_url(database_url))

    def tamper(*statements: str) -> None:
        with engine.begin() as conn:
            if conn.dialect.name == "postgresql":
                conn.execute(text("SET LOCAL session_replication_role = replica"))
            else:
                for name in conn.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                    conn.execute(text(f"DROP TRIGGER {name}"))
            for statement in statements:
                conn.execute(text(statement))
        engine.dispose()

    return tamper


def test_a_book_that_nobody_touched_has_no_fault_and_is_linked_once(book: Database) -> None:
    assert faults(book) == []
    assert book.transact_now(LEDGER.extend) == 0
    assert book.read_now(LEDGER.unlinked) == 0
    assert book.read_now(LEDGER.head).position == 6


def test_an_entry_that_comes_later_is_linked_after_the_others(book: Database) -> None:
    before = book.read_now(LEDGER.head)
    book.transact_now(pay_in, "later", 5)
    assert book.read_now(LEDGER.unlinked) == 1
    since = book.read_now(LEDGER.newest)
    assert since == AT - chained.LATE
    assert book.transact_now(LEDGER.extend, since=since) == 1
    assert book.transact_now(LEDGER.extend, since=AT + timedelta(hours=1)) == 0
    assert faults(book) == []
    assert book.read_now(LEDGER.proves, before)
    assert book.read_now(LEDGER.head).position == 7


@pytest.mark.parametrize(
    "change",
    [
        "amount = 26",
        "credit_id = 'system/loss'",
        "posted_at = posted_at + 1",
        "kind = 'payment', resolves_id = NULL",
    ],
)
def test_a_changed_entry_is_named_and_no_other(book: Database, behind_its_back: Tamper, change: str) -> None:
    behind_its_back(f"UPDATE transfer SET {change} WHERE id = 'call/1/settlement'")
    [fault] = faults(book)
    assert fault.endswith("call/1/settlement is not what was linked")


def test_an_entry_that_was_taken_out_is_named(book: Database, behind_its_back: Tamper) -> None:
    behind_its_back("DELETE FROM transfer WHERE id = 'call/2/release'")
    [fault] = faults(book)
    assert fault.endswith("call/2/release is missing")


def test_a_link_that_was_taken_out_is_told(book: Database, behind_its_back: Tamper) -> None:
    behind_its_back("DELETE FROM ledger_link WHERE position = 3")
    assert "the chain has no entry 3" in faults(book)


def test_entries_in_another_order_are_told(book: Database, behind_its_back: Tamper) -> None:
    behind_its_back(
        "UPDATE ledger_link SET position = 100 WHERE position = 2",
        "UPDATE ledger_link SET position = 2 WHERE position = 3",
        "UPDATE ledger_link SET position = 3 WHERE position = 100",
    )
    assert len(faults(book)) >= 2


def test_a_chain_that_was_made_anew_does_not_have_a_hash_that_was_kept_elsewhere(
    book: Database, behind_its_back: Tamper
) -> None:
    kept = book.read_now(LEDGER.head)
    behind_its_back(
        "UPDATE transfer SET amount = 24 WHERE id = 'call/1/settlement'",
        "DELETE FROM ledger_link",
    )
    assert book.transact_now(LEDGER.extend) == 6
    assert faults(book) == []
    assert not book.read_now(LEDGER.proves, kept)
    assert book.read_now(LEDGER.proves, chained.Head(0, chained.START))


def test_a_head_is_read_as_it_is_printed(book: Database) -> None:
    head = book.read_now(LEDGER.head)
    assert chained.read_head(f" {head}\n") == head
    for wrong in ("", "6", f"x:{head.hash}", f"6:{head.hash[1:]}", f"6:{head.hash.upper()}"):
        with pytest.raises(ValueError, match="expected a head"):
            chained.read_head(wrong)


def test_the_database_itself_refuses_to_change_a_link(book: Database) -> None:
    for change in (update(ledger_link).values(hash="0" * 64), ledger_link.delete()):
        with pytest.raises(DBAPIError, match="never changed"):
            book.transact_now(_execute, change)


def _execute(conn: Connection, change: Any) -> None:
    conn.execute(change)


def test_a_hash_covers_where_one_field_ends_and_the_next_begins() -> None:
    assert chained.link_hash(chained.START, ["ab", "c"]) != chained.link_hash(chained.START, ["a", "bc"])
    assert chained.link_hash(chained.START, ["1", None]) != chained.link_hash(chained.START, ["1"])
