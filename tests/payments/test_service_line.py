"""Money that moves by the card on file at the wish of whoever was called back, on the processor's real protocol."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from accounts import ledger
from accounts.holders import holder_of
from accounts.payment_tables import PaymentState, payment
from ivr.paying import Paying
from tests.payments.stripe_server import Books
from tests.transcripts.funding import CARDHOLDERS, NUMBER, put_card_on_file
from tests.transcripts.play import World
from tests.transcripts.test_own_account import TERMS, asks

EMPTY = """
        balance balance=0.00
        no_subscription
        deposit_offer
        start_offer
        link_offer
        account_back"""
FULL = """
        balance balance=25.00
        no_subscription
        deposit_offer
        start_offer
        refund_offer
        link_offer
        account_back"""
DEPOSITS = """
        > 1
        deposit_amount
        > 25
        deposit_confirm amount=25.00
        > 1
        one_moment"""


@pytest.fixture
def served(world: World, paying: Paying) -> World:
    """The facility, with a card processor and SMS."""
    world.node = replace(world.node, paying=paying, sends_sms=True)
    return world


def states(world: World) -> dict[str, str]:
    """How far each kind of payment has come."""
    rows = world.database.read_now(lambda conn: conn.execute(select(payment.c.kind, payment.c.state)).all())
    return {row.kind: row.state for row in rows}


def test_a_card_is_charged_while_its_holder_waits_and_takes_the_money_back(
    served: World, books: Books, paying: Paying
) -> None:
    put_card_on_file(served)
    nothing = "\n        > 1\n        deposit_amount\n        > 0"
    asks(
        served,
        NUMBER,
        f"""{EMPTY}{nothing}{EMPTY}{DEPOSITS}
        deposit_done{FULL}
        > 5
        refund_confirm amount=25.00
        > 6
        refund_done{EMPTY}
        > 2{TERMS}
        > 2
        plan_asked{EMPTY}
        > 7
        account_link_sent{EMPTY}""",
    )
    holder = served.database.read_now(holder_of, CARDHOLDERS)
    assert holder is not None
    assert holder.mobile == NUMBER
    asyncio.run(paying.work())
    assert states(served) == {
        "reload": PaymentState.SUCCEEDED,
        "refund": PaymentState.SUCCEEDED,
        "subscription": PaymentState.SUCCEEDED,
        "card": PaymentState.PENDING,
    }
    assert served.database.read_now(ledger.balance, CARDHOLDERS).available == 0


def test_a_declined_card_and_a_silent_processor_are_told(served: World, books: Books, paying: Paying) -> None:
    put_card_on_file(served, "pm_declined")
    asks(served, NUMBER, f"{EMPTY}{DEPOSITS}\n        deposit_declined{EMPTY}")
    put_card_on_file(served)
    books.next.append("500")
    asks(served, NUMBER, f"{EMPTY}{DEPOSITS}\n        deposit_under_way{EMPTY}")
    assert served.database.read_now(ledger.balance, CARDHOLDERS).available == 0
