"""Corrections and complaints: nobody's money is taken by a free hand, and what a call cost is given back once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from accounts import ledger, payers
from accounts.payment_tables import notice
from ivr.controls.settlement import Ending, settle
from ivr.policy.reasons import Outcome
from ivr.policy.talk import Evidence, Kind
from ivr.records import evidence
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_cli import is_one_line
from tests.transcripts.play import World

FAMILY = steps.PREPAID
NOTE = ("--note", "A mistake")


def talked(world: World, keys: str = steps.PAID, seconds: int = 60) -> str:
    """A call of so many seconds, over and paid."""
    call_id = asyncio.run(steps.accepted(world, keys))
    began = world.at + timedelta(seconds=5)
    seen = (Evidence(Kind.TALK_FROM, began), Evidence(Kind.TALK_TO, began + timedelta(seconds=seconds)))
    ended = Ending(Outcome.COMPLETED)
    at = began + timedelta(seconds=seconds)
    world.database.transact_now(
        settle, call_id, ended, at=at, version="test", seen=seen, source=evidence.EVENT
    )
    return call_id


def lost(world: World) -> int:
    return world.database.read_now(ledger.balance, payers.LOSS).debits


def test_a_credit_comes_from_the_provider_and_is_booked_once(
    ivr: Ivr, world: World, on_database: str
) -> None:
    before = lost(world)
    asked = ("account", "adjust", FAMILY, "--credit", "1.25", *NOTE, "--reference", "c1")
    assert ivr(*asked).out == f"{FAMILY}: credited: $1.25; available $6.25\n"
    assert ivr(*asked).out == f"{FAMILY}: was credited before: $1.25; available $6.25\n"
    other = ivr("account", "adjust", FAMILY, "--credit", "2", *NOTE, "--reference", "c1")
    assert is_one_line(other, "correction c1 was another one: nothing was booked")
    assert lost(world) - before == 1_250_000
    steps.assert_books_are_right(world)


def test_only_what_staff_have_credited_is_undone_whole_and_once(
    ivr: Ivr, world: World, on_database: str
) -> None:
    ivr("account", "deposit", FAMILY, "3", *NOTE, "--reference", "d1")
    undo = ("account", "adjust", FAMILY, "--reverse", "deposit/d1", *NOTE)
    assert ivr(*undo).out == f"{FAMILY}: reversed: deposit/d1 of $3.00; available $5.00\n"
    assert ivr(*undo).out == f"{FAMILY}: was reversed before: deposit/d1 of $3.00; available $5.00\n"
    opening = ivr("account", "adjust", FAMILY, "--reverse", f"{FAMILY}/opening", *NOTE)
    assert is_one_line(opening, "is no credit to", "that staff have booked")
    assert is_one_line(ivr("account", "adjust", FAMILY, "--reverse", "deposit/x", *NOTE), "there is no entry")
    ivr("account", "open", "prepaid/ana", *NOTE)
    ivr("account", "deposit", "prepaid/ana", "3", *NOTE, "--reference", "d2")
    others = ivr("account", "adjust", FAMILY, "--reverse", "deposit/d2", *NOTE)
    assert is_one_line(others, "deposit/d2 is no credit to")
    assert steps.available(world) == 5_000_000
    steps.assert_books_are_right(world)


def test_nothing_is_undone_that_has_been_spent(ivr: Ivr, world: World, on_database: str) -> None:
    ivr("account", "deposit", FAMILY, "3", *NOTE, "--reference", "d1")
    ivr("account", "refund", FAMILY, "--amount", "6", *NOTE)
    undone = ivr("account", "adjust", FAMILY, "--reverse", "deposit/d1", *NOTE)
    gone = f"{FAMILY}: $3.00 of deposit/d1 are no longer there: since then its balance has been $2.00"
    assert is_one_line(undone, gone)
    ivr("account", "deposit", FAMILY, "9", *NOTE, "--reference", "d2")  # other money
    assert is_one_line(ivr("account", "adjust", FAMILY, "--reverse", "deposit/d1", *NOTE), gone)
    ivr("account", "refund", FAMILY, "--amount", "2", *NOTE)
    assert ivr("account", "adjust", FAMILY, "--reverse", "deposit/d2", *NOTE).status == 0
    assert steps.available(world) == 0
    ivr("account", "deposit", FAMILY, "5", *NOTE, "--reference", "d3")
    asyncio.run(steps.offered(world))
    reserved = ivr("account", "adjust", FAMILY, "--reverse", "deposit/d3", *NOTE)
    assert is_one_line(reserved, f"{FAMILY} has less than $5.00 available")
    both = ivr("account", "adjust", FAMILY, "--reverse", "deposit/d1", "--credit", "1", *NOTE)
    assert is_one_line(both, "ivr: reverse: expected either an amount to credit or an entry to reverse")
    neither = ivr("account", "adjust", FAMILY, *NOTE)
    assert is_one_line(neither, "ivr: reverse: expected either an amount to credit or an entry to reverse")


@pytest.mark.parametrize("keys", [steps.PAID, steps.SUBSCRIBED])
def test_a_complaint_is_opened_listed_and_gives_back_what_the_call_cost_once(
    ivr: Ivr, world: World, on_database: str, keys: str
) -> None:
    ivr("account", "edit", FAMILY, "--mobile", "2175550170", *NOTE)
    call_id = talked(world, keys)
    row = steps.record(world, call_id)
    cost = row.charge or row.calls_charged
    account_id = row.account_id
    after = steps.available(world, account_id)
    assert cost > 0
    assert ivr("account", "dispute", call_id[:8], *NOTE).out == f"call {call_id}: the complaint is open\n"
    assert "as before" in ivr("account", "dispute", call_id, *NOTE).out
    assert call_id[:8] in ivr("account", "disputes").out
    told = ivr("account", "dispute", call_id, "--refund", *NOTE).out
    assert told.startswith(f"call {call_id}: given back: ")
    assert steps.available(world, account_id) == after + cost
    given = world.database.read_now(ledger.find_transfer, f"call/{call_id}/given_back")
    assert given is not None
    assert given.debit_id == (payers.REVENUE if row.charge else payers.CALLS_USED)
    assert is_one_line(
        ivr("account", "dispute", call_id, "--refund", *NOTE), "the complaint was given back on"
    )
    assert ivr("account", "disputes").out == "No complaints wait.\n"
    assert "given back" in ivr("account", "disputes", "--all").out
    of_money = select(notice.c.kind).where(notice.c.kind == "refunded")
    notices = world.database.read_now(lambda conn: list(conn.scalars(of_money)))
    assert notices == (["refunded"] if row.charge else [])
    steps.assert_books_are_right(world)


def test_a_call_that_was_given_back_before_is_not_given_back_again(
    ivr: Ivr, world: World, on_database: str
) -> None:
    call_id = talked(world)
    before = world.database.read_now(ledger.find_transfer, f"call/{call_id}/settlement")
    assert before is not None
    world.database.transact_now(
        ledger.post,
        transfer_id=f"call/{call_id}/given_back",
        debit_id=payers.REVENUE,
        credit_id=FAMILY,
        amount=before.amount,
        at=world.at,
    )
    there = steps.available(world)
    assert "was given back before" in ivr("account", "dispute", call_id, "--refund", *NOTE).out
    assert steps.available(world) == there


def test_a_refused_complaint_leaves_the_charge(ivr: Ivr, world: World, on_database: str) -> None:
    call_id = talked(world)
    after = steps.available(world)
    assert "the complaint is refused" in ivr("account", "dispute", call_id, "--refuse", *NOTE).out
    assert steps.available(world) == after
    assert is_one_line(ivr("account", "dispute", call_id, *NOTE), "the complaint was refused on")


def test_a_call_in_progress_is_not_complained_about_yet(ivr: Ivr, world: World, on_database: str) -> None:
    call_id = asyncio.run(steps.accepted(world))
    assert is_one_line(ivr("account", "dispute", call_id, *NOTE), "is not over")
