"""Money of prepaid accounts, by the commands: booked once, given back in full, never more than there is."""

import asyncio

import pytest
from sqlalchemy import select

from accounts import ledger, payers
from accounts.verification import verify
from ivr.facility.audit import audit
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.transcripts.play import World

FAMILY = steps.PREPAID
NOTE = ("--note", "The holder asked")


def is_booked(world: World, available: int) -> None:
    assert steps.available(world) == available
    assert world.database.read_now(verify).faults == ()


def test_a_deposit_is_booked_once_whatever_its_amount(ivr: Ivr, world: World, on_database: str) -> None:
    paid = ("account", "deposit", FAMILY, "0.01", *NOTE, "--reference", "check-17")
    assert ivr(*paid).out == f"{FAMILY}: paid in: $0.01; available $5.01\n"
    assert ivr(*paid).out == f"{FAMILY}: was booked before: $0.01; available $5.01\n"
    other = ivr("account", "deposit", FAMILY, "0.02", *NOTE, "--reference", "check-17")
    assert (other.status, other.err) == (1, "ivr: deposit check-17 was another one: nothing was booked\n")
    is_booked(world, 5_010_000)
    logged = world.database.read_now(lambda conn: conn.execute(select(audit)).all())
    assert [(row.verb, row.about, row.note) for row in logged] == [
        ("account deposit", f"account {FAMILY}", "The holder asked")
    ] * 2


def test_no_amount_is_more_than_a_million_dollars(ivr: Ivr, world: World, on_database: str) -> None:
    account = ("account", "open", "direct/example-county-jail/ana", *NOTE)
    for words, field in (
        (("account", "deposit", FAMILY, "1000000.01", *NOTE), "amount"),
        (("account", "adjust", FAMILY, "--credit", "999999999999", *NOTE), "credit"),
        ((*account, "--credit-limit", "1000001"), "credit_limit"),
    ):
        said = ivr(*words)
        assert (said.status, said.err) == (1, f"ivr: {field}: expected at most $1,000,000.00\n")
    assert ivr("account", "deposit", FAMILY, "1000000", *NOTE).status == 0
    is_booked(world, 1_000_005_000_000)


def test_a_refund_is_of_all_that_is_available_and_booked_once(
    ivr: Ivr, world: World, on_database: str
) -> None:
    asked = ("account", "refund", FAMILY, *NOTE, "--reference", "letter-3")
    assert ivr(*asked).out == f"{FAMILY}: given back: $5.00; available $0.00\n"
    assert ivr(*asked).out == f"{FAMILY}: was booked before: $5.00; available $0.00\n"
    is_booked(world, 0)
    nothing = ivr("account", "refund", FAMILY, *NOTE)
    assert (nothing.status, nothing.err) == (
        1,
        f"ivr: {FAMILY}: $0.00 is available to be given back, no more\n",
    )


def test_a_reference_is_of_one_refund_and_amounts_are_whole_cents(
    ivr: Ivr, world: World, on_database: str
) -> None:
    part = ivr("account", "refund", FAMILY, "--amount", "1.005", *NOTE)
    assert (part.status, "expected whole cents" in part.err) == (1, True)
    assert ivr("account", "refund", FAMILY, "--amount", "1.00", *NOTE, "--reference", "letter-4").status == 0
    other = ivr("account", "refund", FAMILY, "--amount", "2.00", *NOTE, "--reference", "letter-4")
    assert (other.status, other.err) == (1, "ivr: refund letter-4 was another one: nothing was booked\n")
    again = ivr("account", "close", FAMILY, *NOTE, "--yes", "--reference", "letter-4")
    assert (again.status, "name another reference" in again.err) == (1, True)
    for verb in (("deposit", FAMILY, "1"), ("refund", FAMILY), ("adjust", FAMILY, "--credit", "1")):
        for reference in ("", "a b"):
            said = ivr("account", *verb, *NOTE, "--reference", reference)
            assert (said.status, said.err[:36]) == (1, "ivr: reference: expected 1 to 64 let")
    is_booked(world, 4_000_000)


def test_what_a_call_has_reserved_stays_until_it_is_settled(ivr: Ivr, world: World, on_database: str) -> None:
    asyncio.run(steps.offered(world))
    told = ivr("account", "refund", FAMILY, *NOTE).out
    assert told == f"{FAMILY}: given back: $4.10; available $0.00, $0.90 reserved\n"
    refused = ivr("account", "close", FAMILY, *NOTE, "--yes")
    assert "a call that it pays for is in progress" in refused.err
    is_booked(world, 0)


def test_a_part_of_a_cent_is_rounded_up_for_the_holder(ivr: Ivr, world: World, on_database: str) -> None:
    lost = world.database.read_now(ledger.balance, payers.LOSS).debits
    ivr("account", "deposit", FAMILY, "0.001", *NOTE)
    assert ivr("account", "refund", FAMILY, *NOTE).out == f"{FAMILY}: given back: $5.01; available $0.00\n"
    assert world.database.read_now(ledger.balance, payers.LOSS).debits - lost == 9_000
    is_booked(world, 0)


def test_closing_gives_everything_back_and_pays_for_no_number_any_more(
    ivr: Ivr, world: World, on_database: str
) -> None:
    told = ivr("account", "close", FAMILY, *NOTE, "--yes").out
    assert told.startswith(f"{FAMILY}: closed, given back: $5.00; it pays no longer for +12175550101, ")
    assert world.database.read_now(payers.numbers_of, account_id=FAMILY) == set()
    is_booked(world, 0)
    assert ivr("account", "close", FAMILY, *NOTE, "--yes").out.startswith(
        f"{FAMILY}: closed, given back: $0.00;"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("deposit", FAMILY, "0"), "amount: Input should be greater than 0"),
        (("deposit", FAMILY, "five"), "amount: not an amount of money: 'five'"),
        (("deposit", "nobody", "5"), "there is no account nobody"),
        (("deposit", "system/revenue", "5"), "system/revenue is no prepaid or debit account"),
        (("refund", FAMILY, "--amount", "5.01"), "$5.00 is available to be given back, no more"),
        (("refund", FAMILY, "--reference", "a b"), "reference: expected 1 to 64 letters"),
    ],
)
def test_what_cant_be_booked_is_told_in_a_line(
    ivr: Ivr, world: World, on_database: str, words: tuple[str, ...], told: str
) -> None:
    said = ivr("account", *words, *NOTE)
    assert said.status == 1
    assert told in said.err
    assert said.err.count("\n") == 1
    is_booked(world, 5_000_000)
