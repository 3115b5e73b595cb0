"""A prepared statement does what SQLAlchemy's own execution of it does, on both databases."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, event, insert, select, update
from sqlalchemy.exc import IntegrityError

from accounts.db import Database, Prepared
from accounts.db.engines import database_url as named
from accounts.db.engines import writing_engine
from accounts.tables import Unit, account
from ivr.facility.tables import facility, inmate
from ivr.records.tables import session
from tests.database import only_sqlite
from tests.ledger.books import ANA, AT, open_money

_this = account.c.id == bindparam("account_id")
READ = Prepared(select(account).where(_this))
SET = Prepared(update(account).where(_this))
OPEN = Prepared(insert(session))
SESSIONS = select(session).order_by(session.c.id)
SITE = {
    "id": "jail",
    "name": "Jail",
    "agency_id": None,
    "kind": "jail",
    "operator": "county",
    "average_daily_population": None,
    "state": "IL",
    "time_zone": "America/Chicago",
    "caller_id": "+17305550100",
    "inmate_id_digits": 4,
    "identify_by": "id_and_pin",
    "pin_least": 4,
    "pin_most": 12,
    "pin_change_by_phone": True,
    "intake_calls": 3,
    "intake_calls_for_parents": 2,
    "intake_within_minutes": 180,
    "longest_call_ms": 900_000,
    "ring_seconds": 30,
    "records": False,
    "taxes": "",
    "localities": "",
    "toll_free": False,
    "pan_mode": "enforced",
    "pan_maximum": 20,
    "requests_by_phone": False,
    "requests_waiting_maximum": 5,
    "relay_limit_factor": 3,
    "accept_key": 1,
    "block_key": 9,
    "block_confirm_key": 6,
    "overlay_seconds": None,
    "payers": "prepaid",
    "collect_limit": 0,
    "courtesy_seconds": 120,
    "dropped_within_seconds": 60,
    "continues_within_seconds": 0,
    "recordings_kept_days": 365,
    "when_unrecorded": "end",
}


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    """A connection to a database with an account in it."""
    engine = writing_engine(named(database_url), 1)
    with engine.connect() as connection:
        with connection.begin():
            open_money(connection, 100)
        yield connection
        connection.rollback()
    engine.dispose()


def visit(**more: object) -> dict[str, object]:
    return {"id": "one", "station_id": "a1", "language": "en", "started_at": AT, **more}


def test_rows_are_those_of_sqlalchemy(conn: Connection) -> None:
    accounts = select(account).order_by(account.c.id)
    plain, ours = conn.execute(accounts).all(), Prepared(accounts).rows(conn, {})
    assert len(ours) > 2
    assert [tuple(row) for row in ours] == [tuple(row) for row in plain]
    assert [row._mapping for row in ours] == [row._mapping for row in plain]
    for name in [column.name for column in account.c]:
        assert [getattr(row, name) for row in ours] == [getattr(row, name) for row in plain]


def test_one_row_one_value_or_none(conn: Connection) -> None:
    row = READ.row(conn, {"account_id": ANA})
    assert row is not None
    assert (row.id, row.credits, row.opened_at) == (ANA, 100, AT)
    assert READ.value(conn, {"account_id": ANA}) == ANA
    assert READ.row(conn, {"account_id": "nobody"}) is None
    assert READ.value(conn, {"account_id": "nobody"}) is None


def test_values_of_every_type_come_back_as_they_went_in(conn: Connection) -> None:
    later = AT + timedelta(microseconds=1)
    Prepared(insert(facility)).change(conn, SITE)
    assert Prepared(select(facility)).row(conn, {}) == tuple(SITE.values())
    OPEN.change(conn, visit(facility_id="jail", started_at=later))
    assert Prepared(SESSIONS).row(conn, {}) == tuple(conn.execute(SESSIONS).one())
    assert Prepared(SESSIONS).rows(conn, {})[0].started_at == later
    born = select(inmate.c.recorded_name)
    known = {"facility_id": "jail", "inmate_id": "1001", "name": "A", "state": "active"}
    Prepared(insert(inmate)).change(
        conn, {**known, "pin_hash": "x", "pin_key_id": "k", "recorded_name": b"\0\xff"}
    )
    assert bytes(Prepared(born).value(conn, {})) == b"\0\xff"


def test_an_update_sets_what_is_given_and_tells_how_many_it_changed(conn: Connection) -> None:
    assert SET.change(conn, {"account_id": ANA, "credits": 7}) == 1
    assert SET.change(conn, {"account_id": ANA, "debits": 2, "credits": 9}) == 1
    assert SET.change(conn, {"account_id": "nobody", "credits": 8}) == 0
    row = READ.row(conn, {"account_id": ANA})
    assert row is not None
    assert (row.credits, row.debits) == (9, 2)


def test_an_update_returns_rows_too(conn: Connection) -> None:
    returning = Prepared(update(account).where(_this, account.c.unit == Unit.USD).returning(account))
    row = returning.row(conn, {"account_id": ANA, "credits": 3})
    assert row is not None
    assert (row.id, row.credits, row.opened_at) == (ANA, 3, AT)


@pytest.mark.parametrize(
    "work",
    [
        lambda conn: OPEN.change(conn, visit(facility_id="nowhere")),
        lambda conn: OPEN.change(conn, visit(station_id=None)),
        lambda conn: SET.change(conn, {"account_id": ANA, "debits": 101}),
    ],
)
def test_errors_are_those_of_sqlalchemy_and_hide_the_parameters(
    conn: Connection, work: Callable[[Connection], object]
) -> None:
    with pytest.raises(IntegrityError, match="parameters hidden"):
        work(conn)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"account_id": ANA, "credits": 1.0}, "a whole number"),
        ({"account_id": ANA, "opened_at": datetime(2026, 1, 1)}, "an aware datetime"),  # noqa: DTZ001
    ],
)
def test_no_value_that_a_column_refuses_comes_past_its_type(
    conn: Connection, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(Exception, match=said):
        SET.change(conn, values)


def test_listeners_hear_of_each_statement(conn: Connection) -> None:
    heard: list[str] = []
    event.listen(conn.engine, "before_cursor_execute", lambda *what: heard.append(what[2]))
    READ.row(conn, {"account_id": ANA})
    assert len(heard) == 1
    assert heard[0].startswith("SELECT")


def test_what_was_not_committed_is_not_kept(conn: Connection) -> None:
    SET.change(conn, {"account_id": ANA, "credits": 1})
    assert conn.in_transaction()
    conn.rollback()
    row = READ.row(conn, {"account_id": ANA})
    assert row is not None
    assert row.credits == 100


def test_the_number_of_statements_is_counted(database: Database) -> None:
    before = database.counts().statements
    database.read_now(READ.row, {"account_id": ANA})
    assert database.counts().statements == before + 1


def test_a_value_is_never_left_out_unseen(conn: Connection) -> None:
    with pytest.raises(Exception, match="account_id"):
        SET.change(conn, {"credits": 1})
    assert READ.value(conn, {"account_id": ANA}) == ANA


@only_sqlite
def test_a_statement_that_is_made_anew_each_time_is_refused(conn: Connection) -> None:
    several = Prepared(select(account).where(account.c.id.in_(bindparam("ids", expanding=True))))
    with pytest.raises(TypeError, match="cannot be prepared"):
        several.rows(conn, {"ids": [ANA]})
