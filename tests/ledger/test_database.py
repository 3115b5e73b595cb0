"""Work is done in transactions, told of after COMMIT, undone when it fails, and never waited for without end."""

import asyncio
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import Connection, make_url, select, text
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.exc import DBAPIError

from accounts import ledger, schema
from accounts.db import (
    Database,
    DatabaseBusy,
    DatabaseClosed,
    DatabaseError,
    DatabaseUnsuitable,
    Instant,
    LostRace,
    OutcomeUnknown,
    WriterLock,
    WriterLocked,
)
from accounts.db.engines import check_sqlite_version, driver_connection
from accounts.ledger import InsufficientFunds
from accounts.tables import account
from tests.database import connected, only_postgresql, only_sqlite
from tests.ledger.batches import KeptBusy, in_one_batch
from tests.ledger.books import ANA, AT, assert_book_is_right, hold, open_money, standing

ROOT = Path(__file__).parents[2]


class RefusedError(Exception):
    """What work in these tests raises."""


def open_and_refuse(conn: Connection) -> None:
    open_money(conn, 100)
    raise RefusedError


def open_named(name: str) -> Any:
    return lambda conn: open_money(conn, 100, f"prepaid/{name}")


def opened(database: Database) -> set[str]:
    def names(conn: Connection) -> set[str]:
        return {
            name.removeprefix("prepaid/") for name in conn.scalars(select(account.c.id)) if "prepaid/" in name
        }

    return database.read_now(names)


def test_work_returns_its_result(database: Database) -> None:
    assert database.transact_now(lambda conn: conn.scalar(text("SELECT 42"))) == 42
    assert asyncio.run(database.transact(lambda conn: conn.scalar(text("SELECT 42")))) == 42


def test_work_that_raises_keeps_nothing(database: Database) -> None:
    with pytest.raises(RefusedError):
        database.transact_now(open_and_refuse)
    with pytest.raises(RefusedError):
        asyncio.run(database.transact(open_and_refuse))
    assert opened(database) == set()


@only_sqlite
def test_what_waits_is_kept_by_one_commit(database: Database) -> None:
    before = database.counts().commits
    asyncio.run(in_one_batch(database, *(open_named(str(n)) for n in range(20))))
    assert database.counts().commits - before == 2  # one for the work that kept the writer busy
    assert opened(database) == {str(n) for n in range(20)}


@only_sqlite
def test_a_batch_has_an_end(database: Database) -> None:
    before = database.counts().commits
    asyncio.run(in_one_batch(database, *[lambda conn: None] * 130))
    assert database.counts().commits - before == 1 + 3


@only_sqlite
def test_failing_work_undoes_only_itself_in_its_batch(database: Database) -> None:
    outcomes = asyncio.run(
        in_one_batch(
            database,
            open_named("a"),
            open_and_refuse,
            lambda conn: hold(conn, "1", 100, "prepaid/a"),
            lambda conn: hold(conn, "2", 1, "prepaid/a"),
            lambda conn: conn.execute(text("NONSENSE")),
            open_named("c"),
        )
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds[1] is RefusedError
    assert kinds[3] is InsufficientFunds
    assert isinstance(outcomes[4], DBAPIError)
    assert opened(database) == {"a", "c"}
    assert standing(database, "prepaid/a") == (0, 100)
    assert_book_is_right(database)


@only_sqlite
def test_a_commit_that_fails_fails_its_whole_batch_and_no_other(database: Database) -> None:
    def break_at_commit(conn: Connection) -> None:
        conn.execute(text("PRAGMA defer_foreign_keys = ON"))
        conn.execute(text("INSERT INTO prepaid_number VALUES ('nobody', '+16175550101', 0, NULL)"))

    outcomes = asyncio.run(in_one_batch(database, open_named("a"), break_at_commit, open_named("b")))
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 3
    assert opened(database) == set()
    database.transact_now(open_named("c"))
    assert opened(database) == {"c"}


@only_sqlite
def test_a_transaction_that_sqlite_rolled_back_fails_its_whole_batch(database: Database) -> None:
    def lose_everything(conn: Connection) -> None:
        conn.exec_driver_sql("ROLLBACK")
        raise RefusedError

    outcomes = asyncio.run(in_one_batch(database, open_named("a"), lose_everything, open_named("b")))
    assert [type(outcome) for outcome in outcomes] == [DatabaseError] * 3
    assert opened(database) == set()
    database.transact_now(open_named("c"))
    assert opened(database) == {"c"}


@only_sqlite
def test_a_connection_that_is_lost_is_made_again(database: Database) -> None:
    def lose_the_connection(conn: Connection) -> None:
        driver_connection(conn).close()

    outcomes = asyncio.run(in_one_batch(database, open_named("a"), lose_the_connection))
    assert [type(outcome) for outcome in outcomes] == [DatabaseError] * 2
    database.transact_now(open_named("b"))
    assert opened(database) == {"b"}


@only_sqlite
def test_a_process_that_dies_keeps_what_it_told_of_and_nothing_of_the_batch(database_url: str) -> None:
    dead = subprocess.run(
        [sys.executable, "-m", "tests.ledger.dying", database_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (dead.returncode, dead.stdout, dead.stderr) == (-9, "kept\n", "")
    with Database.open(database_url) as database:
        assert opened(database) == {"kept"}
        assert_book_is_right(database)
        database.transact_now(open_named("after"))


@only_sqlite
def test_work_that_nobody_waits_for_any_more_is_not_begun(database: Database) -> None:
    async def give_up() -> None:
        async with KeptBusy(database):
            waiting = asyncio.create_task(database.transact(open_named("given-up")))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(give_up())
    assert opened(database) == set()


def test_work_that_has_begun_is_finished_whoever_waits(database: Database, database_url: str) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def open_slowly(conn: Connection) -> None:
        begun.set()
        go_on.wait()
        open_money(conn, 0, "prepaid/slow")

    async def give_up() -> None:
        waiting = asyncio.create_task(database.transact(open_slowly))
        await asyncio.to_thread(begun.wait)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go_on.set()

    asyncio.run(give_up())
    database.close()
    with Database.open(database_url) as again:
        assert opened(again) == {"slow"}


def test_closing_finishes_what_was_submitted(database: Database, database_url: str) -> None:
    async def submit_and_close() -> None:
        async with KeptBusy(database):
            waiting = asyncio.create_task(database.transact(open_named("last")))
            await asyncio.sleep(0)
            closing = asyncio.create_task(asyncio.to_thread(database.close))
            await asyncio.sleep(0)
        await asyncio.gather(waiting, closing)

    asyncio.run(submit_and_close())
    database.close()
    with pytest.raises(DatabaseClosed):
        database.transact_now(open_named("too-late"))
    with pytest.raises(DatabaseClosed):
        database.read_now(ledger.balance, ANA)
    with Database.open(database_url) as again:
        assert opened(again) == {"last"}


def test_reading_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        database.read_now(open_money, 0)
    assert opened(database) == set()


def test_reading_sees_one_moment(database: Database) -> None:
    def look_twice(conn: Connection) -> list[int | None]:
        count = text("SELECT count(*) FROM account WHERE kind = 'prepaid'")
        before = conn.scalar(count)
        database.transact_now(open_named("meanwhile"))
        return [before, conn.scalar(count)]

    assert database.read_now(look_twice) == [0, 0]
    assert opened(database) == {"meanwhile"}


@only_sqlite
def test_a_file_that_another_process_keeps_locked_is_busy(database: Database, database_url: str) -> None:
    other = sqlite.connect(str(make_url(database_url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy):
        database.transact_now(open_named("a"))
    assert opened(database) == set()
    with pytest.raises(DatabaseBusy):
        schema.current(database_url)
    other.execute("ROLLBACK")
    other.close()
    database.transact_now(open_named("b"))
    assert opened(database) == {"b"}


@only_postgresql
def test_a_row_that_another_session_keeps_locked_is_busy(database: Database, database_url: str) -> None:
    database.transact_now(open_money, 100)
    with connected(database_url) as other:
        other.execute("BEGIN")
        other.execute("UPDATE account SET held = held WHERE id = %s", [ANA])
        with pytest.raises(DatabaseBusy):
            database.transact_now(hold, "1", 10)
        other.execute("ROLLBACK")
    database.transact_now(hold, "1", 10)
    assert standing(database) == (90, 10)


@only_postgresql
def test_transactions_that_lock_each_other_are_run_again(database: Database) -> None:
    database.transact_now(open_named("a"))
    database.transact_now(open_named("b"))
    both_have_one = threading.Barrier(2)
    attempts: list[str] = []

    def lock_both(conn: Connection, first: str, second: str) -> None:
        attempts.append(first)
        lock = text("SELECT id FROM account WHERE id = 'prepaid/' || :name FOR UPDATE")
        conn.execute(lock, {"name": first})
        if len(attempts) <= 2:
            both_have_one.wait()
        conn.execute(lock, {"name": second})

    async def cross() -> None:
        await asyncio.gather(database.transact(lock_both, "a", "b"), database.transact(lock_both, "b", "a"))

    asyncio.run(cross())
    assert len(attempts) == 3


@only_postgresql
def test_work_that_loses_a_race_is_run_again_but_not_for_ever(database: Database) -> None:
    attempts: list[int] = []

    def lose(_conn: Connection, times: int) -> int:
        attempts.append(times)
        if len(attempts) <= times:
            raise LostRace
        return len(attempts)

    assert database.transact_now(lose, 3) == 4
    attempts.clear()
    with pytest.raises(DatabaseBusy):
        database.transact_now(lose, 1_000)


@only_postgresql
def test_work_whose_connection_broke_is_run_again(database: Database) -> None:
    attempts: list[int] = []

    def break_once(conn: Connection) -> None:
        open_money(conn, 100)
        attempts.append(1)
        if len(attempts) == 1:
            conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    database.transact_now(break_once)
    assert len(attempts) == 2
    assert standing(database) == (100, 0)


@only_postgresql
def test_a_connection_that_breaks_in_commit_leaves_the_outcome_unknown(
    database: Database, database_url: str
) -> None:
    def break_before_commit(conn: Connection) -> None:
        open_money(conn, 100)
        process = conn.scalar(text("SELECT pg_backend_pid()"))
        with connected(database_url) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])

    with pytest.raises(OutcomeUnknown):
        database.transact_now(break_before_commit)
    database.transact_now(open_money, 100)
    assert standing(database) == (100, 0)


@only_postgresql
@pytest.mark.parametrize("setting", ["synchronous_commit=off", "synchronous_commit=local"])
def test_a_server_that_may_lose_commits_is_refused(database_url: str, setting: str) -> None:
    url = make_url(database_url).update_query_dict({"options": f"-c {setting}"})
    with pytest.raises(DatabaseUnsuitable, match=setting):
        Database.open(url.render_as_string(hide_password=False))


@only_postgresql
def test_a_server_that_is_not_there_is_told_at_once(tmp_path: Path, backend: str) -> None:
    with pytest.raises(DatabaseError, match="cannot be opened"):
        Database.open(f"postgresql://ivr@/ivr?host={tmp_path}")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/ivr"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(DatabaseUnsuitable):
        Database.open(url)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnsuitable, match="cannot open the database file"):
        Database.open(f"sqlite:///{tmp_path}/missing/ivr.sqlite")


def test_an_sqlite_that_loses_commits_is_refused() -> None:
    check_sqlite_version((3, 51, 3))
    check_sqlite_version()
    with pytest.raises(DatabaseUnsuitable, match=r"3\.51\.2"):
        check_sqlite_version((3, 51, 2))


@only_sqlite
def test_an_sqlite_database_is_its_owners_alone_and_safe_against_power_cuts(
    database: Database, database_url: str
) -> None:
    database.transact_now(open_named("a"))
    folder = Path(str(make_url(database_url).database)).parent
    files = sorted(folder.glob("ivr.sqlite*"))
    assert [file.name for file in files] == ["ivr.sqlite", "ivr.sqlite-shm", "ivr.sqlite-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}

    def pragmas(conn: Connection) -> list[Any]:
        names = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "busy_timeout")
        return [conn.scalar(text(f"PRAGMA {name}")) for name in names]

    assert database.transact_now(pragmas) == ["wal", 2, 1, 1, 2000]


def test_one_process_writes(database_url: str) -> None:
    with WriterLock.take(database_url) as lock:
        with pytest.raises(WriterLocked):
            WriterLock.take(database_url)
        lock.release()
        WriterLock.take(database_url).release()


@only_sqlite
def test_a_writer_that_died_is_writer_no_more(database_url: str) -> None:
    program = (
        "import sys; from accounts.db import WriterLock; lock = WriterLock.take(sys.argv[1]);"
        "print(1, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, database_url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"1\n"
        with pytest.raises(WriterLocked, match=f"process {writer.pid} is the writer"):
            WriterLock.take(database_url)
        writer.kill()
        writer.wait()
        WriterLock.take(database_url).release()


@pytest.mark.parametrize(
    "moment",
    [
        AT,
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 11, 1, 1, 30, 0, 1, tzinfo=timezone(timedelta(hours=-4))),
    ],
)
def test_an_instant_is_kept_to_the_microsecond_in_utc(database: Database, moment: datetime) -> None:
    database.transact_now(
        ledger.post, transfer_id="x", debit_id="system/cash", credit_id="system/revenue", amount=1, at=moment
    )
    kept = database.read_now(ledger.find_transfer, "x")
    assert kept is not None
    assert kept.posted_at == moment
    assert kept.posted_at.tzinfo is UTC


def test_an_instant_knows_its_zone() -> None:
    with pytest.raises(TypeError, match="aware"):
        Instant().process_bind_param(datetime(2026, 11, 23), sqlite_dialect())  # noqa: DTZ001 - the mistake under test
