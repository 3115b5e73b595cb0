"""What the end of a call, a low balance and a card's last days tell the holder of an account."""

import asyncio
import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, update

from accounts import ledger, payers
from accounts.expiring_cards import tell_of_expiring_cards
from accounts.holders import put_holder
from accounts.payment_tables import notice
from accounts.tables import account_holder
from ivr.controls.settlement import Ending, settle
from ivr.policy.reasons import Outcome
from ivr.records import calls, evidence
from rating.money import Money
from tests.controller import steps
from tests.notices.conftest import TEXTS
from tests.transcripts.play import World

FAMILY = steps.PREPAID
MOBILE = "+12175550150"
FACILITY = "Example County Jail"
DOLLAR = 1_000_000


def holder(world: World, **known: Any) -> None:
    kept = {"mobile": MOBILE, **known}
    world.database.transact_now(lambda conn: put_holder(conn, FAMILY, world.at, **kept))


def talked(world: World, seconds: int, keys: str = steps.PAID) -> str:
    call_id = asyncio.run(steps.accepted(world, keys))
    ended = world.at + timedelta(seconds=seconds)
    note = f"{world.at.timestamp():.6f} {ended.timestamp():.6f} 16"
    world.database.transact_now(
        settle, call_id, Ending(Outcome.SYSTEM_FAULT), at=ended, version="test", seen=evidence.note(note)
    )
    return call_id


def not_talked(world: World, outcome: Outcome, keys: str = steps.PAID) -> str:
    call_id = asyncio.run(steps.offered(world, keys)).call_id
    if outcome in (Outcome.REFUSED, Outcome.BLOCKED_BY_KEY):
        world.database.transact_now(calls.decline, call_id, outcome, "en")
    world.database.transact_now(settle, call_id, Ending(outcome), at=world.at, version="test")
    return call_id


def told(world: World) -> list[tuple[str, str, dict[str, object]]]:
    """Everything written to the outbox: channel, kind, variables; each can be put into words."""
    rows = world.database.read_now(lambda conn: conn.execute(select(notice).order_by(notice.c.id)).all())
    for row in rows:
        assert TEXTS.sms(row.kind, row.language, json.loads(row.told), sender="S")
        assert row.account_id == FAMILY
    return [(row.channel, row.kind, json.loads(row.told)) for row in rows]


def kinds(world: World) -> list[str]:
    return [kind for _, kind, _ in told(world)]


def test_a_call_that_was_paid_for_is_told_of_with_a_receipt(world: World) -> None:
    holder(world)
    call_id = talked(world, 95)
    row = steps.record(world, call_id)
    assert told(world) == [
        ("sms", "incoming_call", {"facility": FACILITY, "number": row.number}),
        ("sms", "receipt", {"number": row.number, "minutes": 2, "cost": "0.095", "balance": "4.90"}),
    ]
    assert (row.charge, row.balance_after) == (95_000, 4_905_000)


def test_both_channels_and_the_holders_language(world: World) -> None:
    holder(world, email="family@example.com", language="es")
    talked(world, 61)
    assert [(channel, kind) for channel, kind, _ in told(world)] == [
        ("sms", "incoming_call"),
        ("email", "incoming_call"),
        ("sms", "receipt"),
        ("email", "receipt"),
    ]


def test_whoever_held_the_telephone_themselves_is_told_the_cost_alone(world: World) -> None:
    holder(world, mobile="+12175550102")
    talked(world, 61, "2")
    not_talked(world, Outcome.REFUSED, "2")
    assert kinds(world) == ["receipt"]
    not_talked(world, Outcome.NO_ANSWER, "2")
    assert kinds(world) == ["receipt", "missed_call"]


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.REFUSED,
        Outcome.BLOCKED_BY_KEY,
        Outcome.BUSY,
        Outcome.NO_ANSWER,
        Outcome.CONGESTION,
        Outcome.UNAVAILABLE,
        Outcome.CALLER_HUNG_UP,
        Outcome.SYSTEM_FAULT,
    ],
)
def test_a_missed_call_is_told_with_its_reason(world: World, outcome: Outcome) -> None:
    holder(world)
    call_id = not_talked(world, outcome)
    row = steps.record(world, call_id)
    expected = {"facility": FACILITY, "number": row.number, "reason": str(outcome)}
    assert told(world) == [("sms", "missed_call", expected)]
    assert TEXTS.reasons["es"][outcome]


def test_a_settlement_that_is_repeated_tells_nothing_again(world: World) -> None:
    holder(world)
    call_id = talked(world, 61)
    world.database.transact_now(settle, call_id, Ending(Outcome.BUSY), at=world.at, version="test")
    assert kinds(world) == ["incoming_call", "receipt"]


def test_a_call_for_which_there_is_no_money_is_told_once_a_day(world: World) -> None:
    holder(world)
    world.database.transact_now(
        ledger.post,
        transfer_id="refund/all",
        debit_id=FAMILY,
        credit_id=payers.CASH,
        amount=5 * DOLLAR,
        at=world.at,
    )
    for _ in range(3):
        asyncio.run(steps.decided(world, "2"))
    expected = {"facility": FACILITY, "number": "+12175550102", "reason": "funds_too_low"}
    assert told(world) == [("sms", "missed_call", expected)]
    world.at += timedelta(days=1)
    asyncio.run(steps.decided(world, "2"))
    assert kinds(world) == ["missed_call", "missed_call"]


def test_privileged_calls_and_those_that_others_pay_for_tell_nothing(world: World) -> None:
    holder(world)
    talked(world, 61, steps.PRIVILEGED)
    talked(world, 61, steps.SUBSCRIBED)
    not_talked(world, Outcome.NO_ANSWER, steps.SUBSCRIBED)
    assert told(world) == []


def test_a_low_balance_is_told_once_until_it_has_risen_again(world: World) -> None:
    holder(world, low_balance=Money(4_900_000))
    talked(world, 60)
    assert kinds(world).count("low_balance") == 0
    talked(world, 60)
    low = [what for _, kind, what in told(world) if kind == "low_balance"]
    assert low == [{"balance": "4.88"}]
    talked(world, 60)
    assert kinds(world).count("low_balance") == 1
    steps.deposit(world, 1, "more")
    for _ in range(20):
        talked(world, 60)
    assert kinds(world).count("low_balance") == 2


def test_what_another_call_holds_is_not_a_low_balance_and_hides_none(world: World) -> None:
    holder(world, low_balance=Money(4_950_000))
    steps.crowd(world, 1)
    other = asyncio.run(steps.accepted(world, "2", who="20002468", station="demo-a2"))
    talked(world, 30)  # 0.06 at least: the other call's 0.90 is held meanwhile
    assert kinds(world).count("low_balance") == 1
    world.database.transact_now(settle, other, Ending(Outcome.BUSY), at=world.at, version="test")
    talked(world, 30)
    assert kinds(world).count("low_balance") == 1


def statements(world: World, call_id: str) -> int:
    """How many a settlement takes."""
    count = 0

    def one(*_what: object) -> None:
        nonlocal count
        count += 1

    def counted(conn: Connection) -> None:
        event.listen(conn.engine, "before_cursor_execute", one)
        try:
            settle(
                conn,
                call_id,
                Ending(Outcome.SYSTEM_FAULT),
                at=world.at + timedelta(seconds=60),
                version="test",
                seen=evidence.note(
                    f"{world.at.timestamp():.6f} {(world.at + timedelta(seconds=60)).timestamp():.6f} 16"
                ),
            )
        finally:
            event.remove(conn.engine, "before_cursor_execute", one)

    world.database.transact_now(counted)
    return count


def test_an_account_of_whose_holder_nothing_is_known_costs_one_statement(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_it = statements(world, asyncio.run(steps.accepted(world)))
    monkeypatch.setattr("ivr.controls.settlement.notices_of_call", lambda *_what: None)
    assert with_it == statements(world, asyncio.run(steps.accepted(world))) + 1
    assert told(world) == []


def expiring(world: World, day: datetime) -> int:
    return world.database.transact_now(tell_of_expiring_cards, day)


def test_a_cards_end_is_told_thirty_and_seven_days_before_each_once(world: World) -> None:
    holder(world, card_id="pm_1", card_label="Visa 4242", card_expires_on=date(2027, 1, 31))
    last = datetime(2027, 1, 31, 12, tzinfo=world.at.tzinfo)
    days = {31: 0, 30: 1, 29: 0, 8: 0, 7: 1, 6: 0, 0: 0, -1: 0}
    for before, new in days.items():
        assert expiring(world, last - timedelta(days=before)) == new, before
        assert expiring(world, last - timedelta(days=before)) == 0
    assert told(world) == [("sms", "card_expiring", {"card": "Visa 4242", "date": "2027-01-31"})] * 2


def test_a_new_card_has_notices_of_its_own_and_no_card_none(world: World) -> None:
    soon = world.at.date() + timedelta(days=5)
    holder(world, card_id="pm_1", card_label="Visa 4242", card_expires_on=soon)
    assert expiring(world, world.at) == 1
    holder(world, card_id="pm_2", card_label="Visa 1111", card_expires_on=soon + timedelta(days=20))
    assert expiring(world, world.at) == 1
    holder(world, card_id=None, card_label=None, card_expires_on=soon + timedelta(days=1))
    assert expiring(world, world.at) == 0
    gone = update(account_holder).values(card_id="pm_3", closed_at=world.at)
    world.database.transact_now(lambda conn: conn.execute(gone))
    assert expiring(world, world.at) == 0
