"""A month's statement says every movement with its call; a bill is made once and adds up to its calls."""

import asyncio
import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from accounts import holders, ledger, payers
from accounts.payment_tables import invoice, notice
from accounts.tables import AccountKind, Unit, billed_account
from accounts.verification import verify
from ivr.controls.settlement import Ending, settle
from ivr.facility.daily import number_request
from ivr.facility.tables import allowed_number, facility
from ivr.papers.invoice import bill_of, make_invoices, pay
from ivr.papers.monthly import tell_statements
from ivr.papers.paper import statement_paper
from ivr.papers.printing import as_text
from ivr.papers.statement import statement_of, zone_of
from ivr.policy.reasons import Outcome
from ivr.records import evidence
from rating.money import Money
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.transcripts.play import World

FAMILY = steps.PREPAID
JAIL = "example-county-jail"
NOTE = ("--note", "The holder asked")


def talk(world: World, keys: str, seconds: int) -> str:
    """A call that was talked on so long, settled."""
    call_id = asyncio.run(steps.accepted(world, keys))
    start = world.at.timestamp()
    note = evidence.note(f"{start:.6f} {start + seconds:.6f} 16")
    world.at += timedelta(seconds=seconds)
    world.database.transact_now(
        settle, call_id, Ending(Outcome.SYSTEM_FAULT), at=world.at, version="test", seen=note
    )
    world.at += timedelta(minutes=5)
    return call_id


@pytest.fixture
def printing(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Where statements are asked for, it is as late as in the world."""
    monkeypatch.setattr("ivr.cli.papers.utc_now", lambda: world.at)
    return world


def test_a_statement_has_every_movement_and_the_calls_of_the_subscription(world: World) -> None:
    before = world.at
    talk(world, steps.PAID, 90)
    world.database.transact_now(payers_buy_the_subscription)
    talk(world, steps.SUBSCRIBED, 60)
    steps.deposit(world, 10, "deposit/7")
    found = world.database.read_now(statement_of, FAMILY, before.date())
    told = [(line.what, line.number, line.talk_ms, line.amount, line.balance) for line in found.lines]
    assert told == [
        ("deposit", None, None, 5_000_000, 5_000_000),
        ("call", "+12175550102", 90_000, -90_000, 4_910_000),
        ("call_of_subscription", "+12175550101", 60_000, None, None),
        ("deposit", None, None, 10_000_000, 14_910_000),
    ]
    assert (found.before, found.after, found.reserved) == (0, 14_910_000, 0)
    assert {line.at.utcoffset() for line in found.lines} == {timedelta(hours=-6)}  # the facility's, in winter


def test_an_account_of_no_facility_has_the_times_of_the_one_from_which_it_first_paid(world: World) -> None:
    call_id = talk(world, steps.PAID, 30)

    def elsewhere(conn: Connection) -> None:
        row = conn.execute(select(facility).where(facility.c.id == JAIL)).one()._asdict()
        conn.execute(insert(facility).values({**row, "id": "far-jail", "time_zone": "America/New_York"}))
        payers.open_prepaid(conn, account_id="prepaid/ana", at=world.at)
        paid_in = {"transfer_id": "deposit/9", "account_id": "prepaid/ana", "amount": Money(1_000_000)}
        payers.deposit(conn, at=world.at, **paid_in)  # type: ignore[arg-type]

    world.database.transact_now(elsewhere)
    assert str(world.database.read_now(zone_of, "prepaid/ana")) == "UTC"
    world.database.transact_now(charge, "prepaid/ana", call_id, 60_000, world.at)
    assert str(world.database.read_now(zone_of, "prepaid/ana")) == "America/Chicago"


def payers_buy_the_subscription(conn: Connection) -> None:
    conn.exec_driver_sql(f"UPDATE subscription SET account_id = '{FAMILY}'")


def test_the_month_after_begins_with_the_balance_that_the_month_before_ended_with(world: World) -> None:
    talk(world, steps.PAID, 90)
    month = world.at.date().replace(day=1)
    after = (month + timedelta(days=32)).replace(day=1)
    first, second = (world.database.read_now(statement_of, FAMILY, each) for each in (month, after))
    assert (second.before, second.after, second.lines) == (first.after, first.after, ())


def test_a_statement_is_printed_in_the_holders_language(
    ivr: Ivr, printing: World, on_database: str, tmp_path: Path
) -> None:
    world = printing
    talk(world, steps.PAID, 90)
    world.database.transact_now(
        lambda conn: holders.put_holder(conn, FAMILY, world.at, name="Ana Ejemplo", language="es")
    )
    month = ("--month", f"{world.at:%Y-%m}")
    told = ivr("account", "statement", FAMILY, *month).out
    assert told.startswith(f"Estado de cuenta\nCuenta: {FAMILY}\nTitular: Ana Ejemplo\nPeríodo: ")
    assert "Horas: hora central\n" in told
    assert re.search(r"\d+ nov 2026 \d\d:\d\d +Llamada +\+12175550102 +1:30 +-\$0\.09 +\$4\.91\n", told)
    assert "Saldo final: $4.91\n" in told
    assert max(map(len, told.splitlines()[5:])) <= 80
    rows = list(
        csv.DictReader(io.StringIO(ivr("account", "statement", FAMILY, *month, "--format", "csv").out))
    )
    told_in = ("Concepto", "Número", "Duración", "Impuestos (USD)", "Importe (USD)", "Saldo (USD)")
    assert [tuple(row[each] for each in told_in) for row in rows] == [
        ("Depósito", "", "", "", "5.00", "5.00"),
        ("Llamada", "+12175550102", "0:01:30", "0.00", "-0.09", "4.91"),
    ]
    for row in rows:
        assert datetime.fromisoformat(row["Fecha"]).year == world.at.year
        assert row["Zona horaria"] == "UTC-06:00"
    page = tmp_path / "statement.pdf"
    assert ivr("account", "statement", FAMILY, *month, "--format", "pdf", "--output", str(page)).status == 0
    assert page.read_bytes().startswith(b"%PDF-")
    assert page.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("account", "statement", "nobody"), "there is no account nobody"),
        (
            ("account", "statement", FAMILY, "--format", "pdf"),
            "--output: expected a file to write the PDF to",
        ),
        (("account", "statement", "system/calls_used"), "system/calls_used is the system's own and has no"),
        (("account", "statement", "system/cash"), "system/cash is the system's own and has no statement"),
        (
            ("account", "statement", FAMILY, "--month", "2026-12"),
            f"--month: expected one from 2026-11, when {FAMILY} was opened, to 2026-11",
        ),
        (("account", "statement", FAMILY, "--month", "2026-10"), "--month: expected one from 2026-11, when"),
        (("invoice", "show", "none"), "there is no invoice none"),
        (("invoice", "paid", "none", *NOTE), "there is no invoice none"),
    ],
)
def test_what_cant_be_printed_is_told_in_a_line(
    ivr: Ivr, printing: World, on_database: str, words: tuple[str, ...], told: str
) -> None:
    said = ivr(*words)
    assert (said.status, said.err.count("\n")) == (1, 1)
    assert told in said.err


AGENCY = payers.agency_account(JAIL)
OFFICE = f"direct/{JAIL}/office"
THEIRS = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)  # still November in Chicago
LATER = datetime(2026, 12, 1, 7, 0, tzinfo=UTC)  # December there


def charge(conn: Connection, account_id: str, call_id: str, micros: int, at: datetime) -> None:
    """What a call costs an account that pays later."""
    ledger.post(
        conn,
        transfer_id=f"call/{call_id}/agency",
        debit_id=account_id,
        credit_id=payers.REVENUE,
        amount=micros,
        at=at,
    )


def open_office(conn: Connection, at: datetime) -> None:
    """A direct-bill account with a limit of $20."""
    ledger.open_account(conn, account_id=OFFICE, unit=Unit.USD, kind=AccountKind.BILLED, at=at)
    row = {
        "account_id": OFFICE,
        "kind": "direct_bill",
        "facility_id": JAIL,
        "credit_limit": Money(20_000_000),
    }
    conn.execute(insert(billed_account).values(**row, opened_at=at))
    ledger.post(
        conn,
        transfer_id=f"{OFFICE}/limit",
        debit_id=payers.CREDIT_GRANTED,
        credit_id=OFFICE,
        amount=20_000_000,
        at=at,
    )


def test_a_month_is_billed_once_by_the_facilitys_calendar(world: World) -> None:
    world.database.transact_now(open_office, THEIRS)
    for account_id, call_id, micros, at in (
        (AGENCY, "a", 900_000, THEIRS),
        (AGENCY, "b", 60_000, LATER),
        (OFFICE, "c", 1_500_000, THEIRS),
    ):
        world.database.transact_now(charge, account_id, call_id, micros, at)
    assert world.database.transact_now(make_invoices, LATER) == 2
    assert world.database.transact_now(make_invoices, LATER + timedelta(days=3)) == 0
    bills = world.database.read_now(lambda conn: conn.execute(select(invoice).order_by(invoice.c.id)).all())
    assert [(row.id, row.amount, row.calls) for row in bills] == [
        (f"{OFFICE}/2026-11", 1_500_000, 1),
        (f"{AGENCY}/2026-11", 900_000, 1),
    ]
    bill = world.database.read_now(bill_of, f"{AGENCY}/2026-11")
    assert (bill.first, bill.last) == (date(2026, 11, 1), date(2026, 11, 30))
    assert sum(line.amount or 0 for line in bill.lines) == bill.amount


def test_a_paid_bill_gives_the_limit_back_and_is_booked_once(
    ivr: Ivr, world: World, on_database: str
) -> None:
    world.database.transact_now(open_office, THEIRS)
    world.database.transact_now(charge, OFFICE, "c", 1_500_000, THEIRS)
    world.database.transact_now(make_invoices, LATER)
    stands = world.database.read_now(statement_of, OFFICE, date(2026, 11, 30))
    assert (stands.after, stands.owed) == (18_500_000, 1_500_000)
    told = as_text(statement_paper(stands))
    assert "Can still be billed: $18.50\nOwed: $1.50\n" in told
    bill = f"{OFFICE}/2026-11"
    assert ivr("invoice", "paid", bill, *NOTE).out == f"{bill}: paid: $1.50\n"
    assert ivr("invoice", "paid", bill, *NOTE).out == f"{bill}: was paid before: $1.50\n"
    assert steps.available(world, OFFICE) == 20_000_000
    assert world.database.read_now(verify).faults == ()
    assert bill in ivr("invoice", "list").out
    assert ivr("invoice", "list", "--unpaid").out == "No bills.\n"
    assert "To pay: $1.50\n" in ivr("invoice", "show", bill).out


def test_two_who_book_a_payment_at_once_book_it_once(world: World) -> None:
    world.database.transact_now(open_office, THEIRS)
    world.database.transact_now(charge, OFFICE, "c", 1_500_000, THEIRS)
    world.database.transact_now(make_invoices, LATER)

    def paying() -> bool:
        return world.database.transact_now(pay, f"{OFFICE}/2026-11", LATER)

    assert sorted(steps.at_once([paying] * 4)) == [False, False, False, True]
    assert steps.available(world, OFFICE) == 20_000_000


def test_a_holder_is_told_of_each_months_statement_once(world: World) -> None:
    world.database.transact_now(
        lambda conn: holders.put_holder(conn, FAMILY, world.at, mobile="+12175550101")
    )
    at = world.at + timedelta(days=35)
    for _ in range(2):
        world.database.transact_now(tell_statements, at)
    rows = world.database.read_now(lambda conn: conn.execute(select(notice)).all())
    assert [(row.kind, row.recipient) for row in rows] == [("statement_ready", "+12175550101")]


def test_a_holders_numbers_become_requests_with_their_speed_dials(
    ivr: Ivr, world: World, on_database: str
) -> None:
    ask = ("account", "propose", FAMILY, "1001", *NOTE)
    told = ivr(*ask, "--number", "+1 217 555 0199", "--label", "Grandmother", "--speed-dial", "9").out
    assert told == "inmate 1001: proposed +12175550199\n"
    assert ivr(*ask).out.startswith("inmate 1001: proposed nothing; in the list already: +12175550101, ")
    waiting = world.database.read_now(lambda conn: conn.execute(select(number_request)).all())
    assert [(row.number, row.state) for row in waiting] == [("+12175550199", "waiting")]
    ivr("requests", "approve", str(waiting[0].id), *NOTE)
    entry = select(allowed_number.c.speed_dial).where(allowed_number.c.number == "+12175550199")
    assert world.database.read_now(lambda conn: conn.scalar(entry)) == "9"
    taken = ivr(*ask, "--speed-dial", "9")
    assert (taken.status, "expected with one number only" in taken.err) == (1, True)
