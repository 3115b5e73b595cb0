"""What whoever was called back hears of their account and subscription, and what they change there."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from accounts import ledger, payers
from accounts.db import Database
from accounts.payment_tables import payment
from accounts.tables import prepaid_number
from ivr.facility.audit import audit
from ivr.staff.service import service_shown
from rating.money import Money
from tests.transcripts.calling_in import calls_in
from tests.transcripts.play import World

ACCOUNT = "prepaid/example-county-jail/family-one"
TWO, STRANGER = "+12175550102", "+12175550177"  # of that account, and of none
NOTHING_BOUGHT = """
        balance balance=5.00
        no_subscription
        start_offer
        refund_offer
        account_back"""
TERMS = """
        plan_offer calls=100 price=20.00 first=11-23 last=12-22
        plan_pays_from calls=23 time=15
        plan_rules
        plan_agree price=20.00"""


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def asks(world: World, number: str, text: str) -> None:
    """Somebody at the number is called back and chooses their account; then they hear and press what the text says."""
    calls_in(
        world,
        f"""
    caller:
        service_welcome facility=example-county-jail
        service_menu
        accept_menu_language
        > 1
        call_back_offer number={number.removeprefix("+1")}
        > 1
        call_back_coming
        goodbye
    called back:
        provider_greeting
        call_back_greeting facility=example-county-jail
        call_back_menu
        accept_menu_language
        > 1
        verified_menu
        accept_menu_language
        > 1{text}
        > hangs up
    """,
        number,
    )


def test_a_subscription_is_bought_renewed_switched_and_cancelled(world: World) -> None:
    asks(
        world,
        TWO,
        f"""{NOTHING_BOUGHT}
        > 2{TERMS}
        > 1
        plan_not_paid{NOTHING_BOUGHT}
        > 2{TERMS}
        > silence{NOTHING_BOUGHT}""",
    )
    world.database.transact_now(_pay_in, world, 50)
    asks(
        world,
        TWO,
        f"""
        balance balance=55.00
        no_subscription
        start_offer
        refund_offer
        account_back
        > 2{TERMS}
        > 1
        plan_done
        balance balance=35.00
        calls_remaining calls=100
        plan_renews on=12-23
        renew_offer
        cancel_offer
        manual_offer
        refund_offer
        account_back
        > 4
        plan_done
        balance balance=35.00
        calls_remaining calls=100
        plan_ends until=12-22
        renew_offer
        cancel_offer
        auto_offer
        refund_offer
        account_back
        > 4
        auto_agree price=20.00
        > 1
        plan_done
        balance balance=35.00
        calls_remaining calls=100
        plan_renews on=12-23
        renew_offer
        cancel_offer
        manual_offer
        refund_offer
        account_back
        > 2
        plan_offer calls=100 price=20.00 first=12-23 last=01-22
        plan_pays_from calls=23 time=15
        plan_rules
        plan_agree_renewal
        > 1
        plan_done
        balance balance=15.00
        calls_remaining calls=100
        plan_renews on=01-23
        cancel_offer
        manual_offer
        refund_offer
        account_back
        > 3
        cancel_confirm
        > 6
        plan_done
        balance balance=35.00
        calls_remaining calls=100
        plan_ends until=12-22
        keep_offer
        refund_offer
        account_back
        > 3
        plan_done
        balance balance=35.00
        calls_remaining calls=100
        plan_renews on=12-23
        renew_offer
        cancel_offer
        manual_offer
        refund_offer
        account_back""",
    )
    logged = world.database.read_now(lambda conn: conn.execute(select(audit)).all())
    assert [row.verb.removeprefix("subscription ") for row in logged] == [
        *("start", "change", "change", "renew", "cancel", "cancel")
    ]
    assert {row.author for row in logged} == {f"called party {TWO}"}


def test_money_that_no_card_has_paid_is_given_back_by_a_person(world: World) -> None:
    asks(
        world,
        TWO,
        f"""{NOTHING_BOUGHT}
        > 5
        refund_confirm amount=5.00
        > silence{NOTHING_BOUGHT}
        > 5
        refund_confirm amount=5.00
        > 6
        refund_asked receipt=N until=11-26{NOTHING_BOUGHT}""",
    )
    [asked] = world.database.read_now(service_shown, None, decided=False)
    assert (asked["wants"], asked["number"], asked["verified"]) == ("refund", TWO, "yes")
    assert world.database.read_now(ledger.balance, ACCOUNT).available == 5_000_000


def test_an_account_is_opened_by_telephone(world: World) -> None:
    asks(
        world,
        STRANGER,
        """
        no_account
        no_subscription
        sign_up_offer
        account_back
        > 6
        account_opened
        balance balance=0.00
        no_subscription
        start_offer
        account_back""",
    )
    belongs = select(prepaid_number.c.account_id).where(prepaid_number.c.number == STRANGER)
    [account_id] = world.database.read_now(lambda conn: conn.scalars(belongs).all())
    assert account_id.startswith("prepaid/tel-12175550177-")
    assert world.database.read_now(lambda conn: conn.execute(select(payment)).all()) == []


def test_a_number_of_another_state_is_offered_no_subscription(world: World) -> None:
    abroad = """
        balance balance=5.00
        no_subscription
        start_offer
        refund_offer
        account_back"""
    world.database.transact_now(_add_number, world, "+16175550199")
    asks(world, "+16175550199", f"{abroad}\n        > 2\n        no_plans{abroad}")


def _pay_in(conn: Connection, world: World, dollars: int) -> None:
    amount = Money(dollars * 1_000_000)
    payers.deposit(conn, transfer_id="deposit/1", account_id=ACCOUNT, amount=amount, at=world.at)


def _add_number(conn: Connection, world: World, number: str) -> None:
    payers.add_number(conn, account_id=ACCOUNT, number=number, at=world.at)
