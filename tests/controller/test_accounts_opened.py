"""Accounts are opened and edited by verbs, numbers move between them, and no later load of a file undoes any of it."""

import json
from datetime import date

import pytest
from sqlalchemy import insert, select

from accounts import billed, closing, direct_bill, ledger, payers
from accounts.holders import holder_of
from accounts.tables import BilledKind, account_holder, subscription
from accounts.verification import verify
from ivr.staff.desk import StaffError
from rating.money import Money
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.controller.test_staff import does, dumps_and_loads, loads
from tests.transcripts.play import World

FAMILY = steps.PREPAID
ANA = "prepaid/ana"
LAWYER = "direct/example-county-jail/defender"
NEW, OTHER = "+12175550160", "+12175550161"
LISTED = "+12175550102"
NOTE = ("--note", "The holder asked")
ALL = ("name=Ana Example", "language=es", "mobile=2175550170", "email=ana@example.org", "state=MA")


def owner_of(world: World, number: str) -> set[str]:
    """The prepaid accounts that pay for a number: one, or none."""
    found = world.database.read_now(payers.payer_facts, facility_id="x", number=number, on=date(2026, 11, 23))
    return {found.prepaid.account_id} if found.prepaid else set()


def is_right(world: World) -> None:
    assert world.database.read_now(verify).faults == ()


def options(*given: str) -> tuple[str, ...]:
    pairs = (each.partition("=") for each in given)
    return tuple(word for name, _, value in pairs for word in (f"--{name}", value))


def test_an_account_is_opened_with_its_holder_and_numbers(ivr: Ivr, world: World, on_database: str) -> None:
    more = options(*ALL, f"number={NEW}", "low-balance=5", "reload-below=2.50", "reload-amount=20")
    assert ivr("account", "open", ANA, *more, *NOTE).out == f"{ANA}: opened; it pays for {NEW}\n"
    holder = world.database.read_now(holder_of, ANA)
    assert holder is not None
    said = (holder.name, holder.language, holder.mobile, holder.email, holder.state)
    assert said == ("Ana Example", "es", "+12175550170", "ana@example.org", "US-MA")
    assert (holder.low_balance, holder.reload_below, holder.reload_amount) == (
        5_000_000,
        2_500_000,
        20_000_000,
    )
    assert owner_of(world, NEW) == {ANA}
    assert is_one_line(ivr("account", "open", ANA, *NOTE), "already: `ivr account edit` changes it")
    taken = ivr("account", "open", "prepaid/other", *options(f"number={NEW}"), *NOTE)
    assert is_one_line(taken, f"{NEW} belongs to {ANA}: `ivr account move-number` moves it")
    assert world.database.read_now(closing.closed_at, "prepaid/other") is None
    is_right(world)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("ana",), "account_id: expected prepaid/NAME, prepaid/FACILITY/NAME or direct/FACILITY/NAME"),
        (("prepaid/nowhere/ana",), "there is no facility nowhere"),
        ((ANA, "email=ana"), "email: expected an e-mail address such as ana@example.org"),
        ((ANA, "state=XX"), "state: 'XX' is not a US state"),
        ((ANA, "mobile=911"), "mobile: '911' is not a telephone number that can be called"),
        ((ANA, "language=fr"), "language: Input should be 'en' or 'es'"),
        ((ANA, "reload-below=5"), "ivr: reload_amount: expected with reload_below"),
        ((ANA, "name=Ana\nExample"), "ivr: name: expected one line, without control characters"),
        (
            (ANA, f"number={NEW}", "number=217 555 0160"),
            f"ivr: numbers: expected each number once, found {NEW}",
        ),
        ((ANA, "credit-limit=5"), "ivr: credit_limit: expected for direct/… accounts, and for no others"),
        ((LAWYER,), "ivr: credit_limit: expected for direct/… accounts, and for no others"),
    ],
)
def test_what_cant_be_opened_is_told_in_a_line(
    ivr: Ivr, world: World, on_database: str, words: tuple[str, ...], told: str
) -> None:
    assert is_one_line(ivr("account", "open", words[0], *options(*words[1:]), *NOTE), told)
    assert not world.database.read_now(lambda conn: conn.execute(select(account_holder)).all())


def test_what_is_edited_changes_and_the_rest_stays(ivr: Ivr, world: World, on_database: str) -> None:
    ivr("account", "open", ANA, *options(*ALL, "reload-below=2", "reload-amount=20"), *NOTE)
    told = ivr("account", "edit", ANA, *options("name=Ana Other", "forget=email", "forget=reload"), *NOTE).out
    assert told == f"{ANA}: email changed, name changed, reload changed\n"
    holder = world.database.read_now(holder_of, ANA)
    assert holder is not None
    assert (holder.name, holder.email, holder.reload_amount) == ("Ana Other", None, None)
    assert (holder.mobile, holder.language) == ("+12175550170", "es")
    assert is_one_line(ivr("account", "edit", ANA, *options("reload-amount=20"), *NOTE), "expected both")
    assert ivr("account", "edit", ANA, *NOTE).out == f"{ANA}: its holder was heard of\n"
    assert is_one_line(ivr("account", "edit", ANA, *options("credit-limit=9"), *NOTE), "has no credit limit")
    never = ivr("account", "edit", ANA, *options(f"without={NEW}"), *NOTE)
    assert is_one_line(never, f"does not pay for {NEW}")


def test_a_direct_bill_is_opened_with_its_limit_and_changes_it_down_to_what_is_owed(
    world: World, ivr: Ivr, on_database: str
) -> None:
    told = ivr("account", "open", LAWYER, *options("credit-limit=100", f"number={NEW}"), *NOTE).out
    assert told == f"{LAWYER}: opened with a limit of $100.00; it pays for {NEW}\n"
    assert world.database.read_now(direct_bill.numbers_of, account_id=LAWYER) == {NEW}
    world.database.transact_now(
        ledger.post,
        transfer_id="charge",
        debit_id=LAWYER,
        credit_id=payers.REVENUE,
        amount=30_000_000,
        at=world.at,
    )
    told = ivr("account", "edit", LAWYER, *options("credit-limit=40"), *NOTE).out
    assert told == f"{LAWYER}: credit limit $40.00, was $100.00\n"
    assert world.database.read_now(ledger.balance, LAWYER).available == 10_000_000
    low = ivr("account", "edit", LAWYER, *options("credit-limit=29"), *NOTE)
    assert is_one_line(low, "more than that is owed or reserved already")
    assert ivr("account", "edit", LAWYER, *options("credit-limit=50"), *NOTE).status == 0
    shown = json.loads(ivr("account", "show", LAWYER, "--json").out)
    assert (shown["owed"], shown["credit limit"], shown["available"]) == ("30.00", "50.00", "20.00")
    closed = ivr("account", "close", LAWYER, *NOTE, "--yes").out
    assert closed.startswith(f"{LAWYER}: closed, $30.00 owed; it pays no longer for {NEW}")
    assert world.database.read_now(direct_bill.numbers_of, account_id=LAWYER) == set()
    is_right(world)


def test_a_number_moves_and_the_file_that_names_it_leaves_it_there(world: World) -> None:
    does(world, "account open", account_id=ANA)
    told = does(world, "account move-number", account_id=ANA, number=LISTED)
    assert told == f"{LISTED}: moved from {FAMILY} to {ANA}"
    assert owner_of(world, LISTED) == {ANA}
    assert loads(world) == [f"{FAMILY}: does not pay for {LISTED}, as amy set it"]
    assert owner_of(world, LISTED) == {ANA}
    assert dumps_and_loads(world) == []
    with pytest.raises(StaffError, match=r"pays for .* already"):
        does(world, "account move-number", account_id=ANA, number=LISTED)
    with pytest.raises(StaffError, match="no account pays for"):
        does(world, "account move-number", account_id=ANA, number=OTHER)


def test_a_number_that_staff_gave_a_files_account_stays_its_own(world: World) -> None:
    does(world, "account edit", account_id=FAMILY, reference="r1", numbers=[NEW])
    assert loads(world) == [f"{FAMILY}: goes on paying for {NEW}, as amy set it"]
    assert owner_of(world, NEW) == {FAMILY}
    does(world, "account edit", account_id=FAMILY, reference="r2", without=[LISTED])
    assert loads(world) == [
        f"{FAMILY}: goes on paying for {NEW}, as amy set it",
        f"{FAMILY}: does not pay for {LISTED}, as amy set it",
    ]
    assert owner_of(world, LISTED) == set()


def test_a_closed_account_stays_closed_whatever_is_loaded(ivr: Ivr, world: World, on_database: str) -> None:
    ivr("account", "close", FAMILY, *NOTE, "--yes")
    assert loads(world) == [f"{FAMILY}: stays closed, as staff have closed it"]
    assert world.database.read_now(payers.numbers_of, account_id=FAMILY) == set()
    assert steps.available(world) == 0
    assert dumps_and_loads(world) == []
    refused = (
        ("deposit", FAMILY, "5"),
        ("edit", FAMILY),
        ("adjust", FAMILY, "--credit", "1"),
        ("move-number", LISTED, FAMILY),
    )
    for words in refused:
        assert is_one_line(ivr("account", *words, *NOTE), f"{FAMILY} was closed on 20")
    is_right(world)


def test_what_an_account_pays_for_is_named_before_it_is_closed(
    ivr: Ivr, world: World, on_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {
        "id": "subscription/elsewhere",
        "facility_id": "elsewhere",
        "number": LISTED,
        "state": "US-IL",
        "calls_each_period": 100,
        "opened_at": world.at,
        "account_id": FAMILY,
        "renewal": "auto",
        "time_zone": "America/Chicago",
    }
    world.database.transact_now(lambda conn: conn.execute(insert(subscription), row))
    monkeypatch.setattr("typer.confirm", lambda *_, **__: True)
    numbers = world.database.read_now(payers.numbers_of, account_id=FAMILY)
    told = ivr("account", "close", FAMILY, *NOTE).out
    before = told.splitlines()
    assert before[:2] == [f"{FAMILY} gives back: $5.00", f"{FAMILY} pays for:"]
    assert before[2] == "  its numbers: " + ", ".join(sorted(numbers))
    assert before[3] == f"  elsewhere: the subscription of {LISTED}"
    assert is_one_line(ivr("account", "close", "prepaid/nobody", *NOTE), "there is no account prepaid/nobody")
    assert f"the subscription of {LISTED} ends with its period" in told
    found = world.database.read_now(lambda conn: conn.execute(select(subscription)).all())
    cancelled = {each.id: (each.cancelled_at is not None, each.closed_at) for each in found}
    assert cancelled["subscription/elsewhere"] == (True, None)
    assert not any(done for each, (done, _) in cancelled.items() if each != "subscription/elsewhere")


def test_an_account_shows_on_eighty_columns_whose_it_is_and_where_it_stands(
    ivr: Ivr, world: World, on_database: str
) -> None:
    ivr("account", "edit", FAMILY, *options(*ALL, "low-balance=5"), *NOTE)
    page = ivr("account", "show", FAMILY).out.splitlines()
    assert page[0] == f"account             {FAMILY}"
    for line in ("holder              Ana Example", "available           5.00", "told below          $5.00"):
        assert line in page
    assert f"  {LISTED}" in page
    assert any(line.endswith(f"5.00  {FAMILY}/opening") for line in page)
    assert all(len(line) <= 80 for line in page)
    assert is_one_line(ivr("account", "show", "nobody"), "there is no account nobody")


def test_a_bill_that_is_opened_again_keeps_its_limit(world: World) -> None:
    does(world, "account open", account_id=LAWYER, credit_limit="10")
    again = world.database.transact_now(
        billed.open_billed,
        account_id=LAWYER,
        kind=BilledKind.DIRECT_BILL,
        facility_id="example-county-jail",
        credit_limit=Money(99_000_000),
        at=world.at,
    )
    assert again is False
    assert world.database.read_now(ledger.balance, LAWYER).available == 10_000_000
