"""What both hear of who pays, payer by payer, and how an inmate chooses."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from accounts import payments
from accounts.db import Database
from accounts.payment_tables import PaymentState
from ivr.paying import Paying
from ivr.processor.interface import OnFile
from rating.money import Money
from tests.transcripts import funding
from tests.transcripts.play import LOG_IN, World

HOLD = """
        call_recorded
        please_hold
    called party:
        accept_menu_language
        provider_greeting
        > silence
        call_from facility=example-county-jail
        notice_recorded"""
MENU = """
        cost_key.3
        accept_key.1
        block_key.9
        accept_menu_language"""
AFTERWARDS = """
        connecting
    talks 83 s
    inmate:
        ending.completed
        another_call
        > silence
        goodbye
    record:"""


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """Every payer is offered."""
    return funding.funded(database, tmp_path, *funding.EVERYBODY)


def test_an_inmate_pays_from_their_own_account(world: World) -> None:
    funding.open_debit(world, "3.00")
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        pay_by_own_account
        pay_by_card
        pay_otherwise
        > 1
        price_and_time price=0.06 time=15
        own_account_pays balance=3.00{HOLD}
        paid_by_caller{MENU}
        > 3
        paid_by_caller{MENU}
        > 1{AFTERWARDS}
        completed debit 83 s 0.083
    """)


def test_an_inmate_pays_with_a_calling_card_after_a_wrong_pin(world: World) -> None:
    _, pin = funding.make_card(world, "0.12")
    wrong = pin[:-1] + ("0" if pin[-1] != "0" else "1")
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        pay_by_card
        pay_otherwise
        > 2
        enter_card
        > {wrong}
        wrong_card
        enter_card
        > {pin}
        price_and_time price=0.06 time=2
        card_pays balance=0.12{HOLD}
        paid_by_caller{MENU}
        > 1{AFTERWARDS}
        completed card 83 s 0.083
    """)


def test_after_three_wrong_pins_of_cards_somebody_else_pays(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        pay_by_card
        pay_otherwise
        > 2
        enter_card
        > 111111111111
        wrong_card
        enter_card
        > 222222222222
        wrong_card
        enter_card
        > silence
        no_card
        price_and_time price=0.06 time=15
        called_party_is_billed{HOLD}
        paid_by_collect{MENU}
        > 2
        refused
    inmate:
        ending.refused
        another_call
        > silence
        goodbye
    record:
        refused collect 0 s 0.00
    """)


@pytest.mark.parametrize("key", ["silence", "0", "5", "1"])
def test_whoever_chooses_nothing_that_there_is_leaves_it_to_the_called_party(world: World, key: str) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > 2
        pay_by_card
        pay_otherwise
        > {key}
        price_and_time price=0.06 time=15{HOLD}
        paid_by_prepaid{MENU}
        > 1
        balance balance=5.00{AFTERWARDS}
        completed prepaid 83 s 0.083
    """)


def test_nothing_is_asked_where_a_subscription_pays(world: World) -> None:
    funding.open_debit(world, "3.00")
    world.plays(f"""
    inmate:{LOG_IN}
        > 1
        covered_by_subscription time=15{HOLD}
        paid_by_subscription{MENU}
        > 1
        calls_remaining calls=56{AFTERWARDS}
        completed subscription 83 s 1 call
    """)


def test_nothing_is_asked_where_the_inmates_list_names_who_pays(database: Database, tmp_path: Path) -> None:
    world = funding.funded(database, tmp_path, *funding.EVERYBODY, payer="debit")
    funding.open_debit(world, "3.00")
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        price_and_time price=0.06 time=15
        own_account_pays balance=3.00{HOLD}
        paid_by_caller{MENU}
        > 1{AFTERWARDS}
        completed debit 83 s 0.083
    """)


def test_an_inmate_who_hangs_up_at_the_choice_has_a_record_of_it(world: World) -> None:
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        pay_by_card
        pay_otherwise
        > hangs up
    record:
        caller_hung_up nobody 0 s 0.00
    """)


def test_a_call_that_was_paid_before(database: Database, tmp_path: Path) -> None:
    world = funding.funded(database, tmp_path, "prepaid", "paid_call", "collect")
    funding.pay_for_a_call(world, "1.00")
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        price_and_time price=0.06 time=15
        called_party_has_paid{HOLD}
        paid_before{MENU}
        > 3
        cost_by_prepaid minute=0.06 time=15 total=0.90
        charged_offer{MENU}
        > 1
        paid_before_left left=1.00{AFTERWARDS}
        completed paid_call 83 s 0.083
    """)


def test_a_call_on_the_called_partys_bill(database: Database, tmp_path: Path) -> None:
    world = funding.funded(database, tmp_path, "prepaid", "direct_bill", "collect")
    funding.open_bill(world, "50.00")
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        price_and_time price=0.06 time=15
        called_party_is_billed{HOLD}
        paid_by_bill{MENU}
        > 3
        cost_by_prepaid minute=0.06 time=15 total=0.90
        charged_offer{MENU}
        > 1
        bill_left left=50.00{AFTERWARDS}
        completed direct_bill 83 s 0.083
    """)


COLLECT = f"""
        price_and_time price=0.06 time=15
        called_party_is_billed{HOLD}
        paid_by_collect{MENU}
        > 3
        cost_by_prepaid minute=0.06 time=15 total=0.90
        charged_offer{MENU}
        > 1
        bill_left left=2.00{AFTERWARDS}
        completed collect 83 s 0.083
"""


def test_a_collect_call_needs_no_account(database: Database, tmp_path: Path) -> None:
    world = funding.funded(database, tmp_path, "prepaid", "collect")
    world.plays(f"""
    inmate:{LOG_IN}
        > 3{COLLECT}
    """)


def test_a_collect_call_beyond_the_limit_is_refused_and_says_how_else_to_pay(
    database: Database, tmp_path: Path
) -> None:
    world = funding.funded(database, tmp_path, "prepaid", "collect")
    funding.use_up_collect(world)
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        ending.funds_too_low needed=0.06
        collect_limit_reached
        another_call
        > silence
        goodbye
    record:
        funds_too_low nobody 0 s 0.00
    """)


def test_a_courtesy_call_tells_how_to_get_more_and_is_had_once(database: Database, tmp_path: Path) -> None:
    world = funding.funded(database, tmp_path, "prepaid", "courtesy")
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        courtesy_call time=2{HOLD}
        paid_by_courtesy time=2
        sign_up{MENU}
        > 3
        cost_free{MENU}
        > 1
        connecting
    talks 83 s
    inmate:
        ending.completed
        another_call
        > 1
        enter_number
        > 3
        ending.funds_too_low needed=0.06
        another_call
        > silence
        goodbye
    record:
        completed courtesy 83 s 1 call
    record:
        funds_too_low nobody 0 s 0.00
    """)


class Checks:
    """Stands for whoever asks the card processor: what came of each card that was to be authorised."""

    def __init__(self, outcome: payments.Outcome) -> None:
        self.outcome = outcome
        self.asked: list[tuple[str, OnFile, Money]] = []

    async def authorise(self, payment_id: str, card: OnFile, amount: Money, **_: Any) -> payments.Outcome:
        """Note what is asked."""
        self.asked.append((payment_id, card, amount))
        return self.outcome


def takes_cards(world: World, outcome: payments.Outcome) -> Checks:
    """A card processor is set up, and the number's account has a card on file."""
    funding.put_card_on_file(world)
    checks = Checks(outcome)
    world.node = replace(world.node, paying=cast(Paying, checks))
    return checks


AUTHORISED = payments.Done(PaymentState.AUTHORISED, "pi_1")


def test_a_card_on_file_is_charged_for_one_call(database: Database, tmp_path: Path) -> None:
    world = funding.funded(database, tmp_path, "prepaid", "paid_call", "collect")
    checks = takes_cards(world, AUTHORISED)
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        price_and_time price=0.06 time=15
        called_party_is_charged{HOLD}
        paid_by_card_on_file total=0.90{MENU}
        > 3
        cost_by_prepaid minute=0.06 time=15 total=0.90
        charged_offer{MENU}
        > 1
        one_moment{AFTERWARDS}
        completed paid_call 83 s 0.083
    """)
    [(_, card, amount)] = checks.asked
    assert (card, amount) == (OnFile("cus_1", "pm_ok"), 900_000)


@pytest.mark.parametrize("outcome", [payments.Declined("lost_card"), payments.Unknown("no answer in time")])
def test_a_card_that_is_not_accepted_connects_nobody(
    database: Database, tmp_path: Path, outcome: payments.Outcome
) -> None:
    world = funding.funded(database, tmp_path, "prepaid", "paid_call", "collect")
    takes_cards(world, outcome)
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        price_and_time price=0.06 time=15
        called_party_is_charged{HOLD}
        paid_by_card_on_file total=0.90{MENU}
        > 1
        one_moment
        card_not_accepted
    inmate:
        ending.card_declined
        another_call
        > silence
        goodbye
    record:
        card_declined paid_call 0 s 0.00
    """)


def test_no_card_is_asked_before_the_key(database: Database, tmp_path: Path) -> None:
    world = funding.funded(database, tmp_path, "prepaid", "paid_call", "collect")
    checks = takes_cards(world, AUTHORISED)
    world.plays(f"""
    inmate:{LOG_IN}
        > 3
        price_and_time price=0.06 time=15
        called_party_is_charged{HOLD}
        paid_by_card_on_file total=0.90{MENU}
        > 2
        refused
    inmate:
        ending.refused
        another_call
        > silence
        goodbye
    record:
        refused paid_call 0 s 0.00
    """)
    assert checks.asked == []


NOBODY_PAYS = f"""
    inmate:{LOG_IN}
        > 3
        link_is_offered
    called party:
        accept_menu_language
        provider_greeting
        > silence
        call_from facility=example-county-jail
        nobody_pays"""
LINK_MENU = """
        cost_key.3
        link_menu amount=0.90
        link_key.1
        block_key.9
        accept_menu_language"""


@pytest.fixture
def linking(database: Database, tmp_path: Path) -> World:
    """Single calls are offered, nobody has paid, and links can be sent."""
    world = funding.funded(database, tmp_path, "prepaid", "paid_call")
    world.node = replace(world.node, paying=cast(Paying, Checks(AUTHORISED)), sends_sms=True)
    return world


def test_where_nobody_pays_a_link_is_offered_once_a_day_and_nobody_connected(linking: World) -> None:
    linking.plays(f"""{NOBODY_PAYS}{LINK_MENU}
        > 3
        cost_by_prepaid minute=0.06 time=15 total=0.90
        charged_offer{LINK_MENU}
        > 1
        link_sent
    inmate:
        ending.payment_offered
        another_call
        > 1
        enter_number
        > 3
        ending.funds_too_low needed=0.06
        another_call
        > silence
        goodbye
    record:
        payment_offered nobody 0 s 0.00
    record:
        funds_too_low nobody 0 s 0.00
    """)


def test_an_offered_link_is_refused(linking: World) -> None:
    linking.plays(f"""{NOBODY_PAYS}{LINK_MENU}
        > 2
        refused
    inmate:
        ending.refused
        another_call
        > silence
        goodbye
    record:
        refused nobody 0 s 0.00
    """)


def test_an_offered_link_is_answered_by_blocking_calls(linking: World) -> None:
    linking.plays(f"""{NOBODY_PAYS}{LINK_MENU}
        > 9
        block_confirm.6
        > 6
        blocked
    inmate:
        ending.blocked_by_key
        another_call
        > silence
        goodbye
    record:
        blocked_by_key nobody 0 s 0.00
    """)


def test_a_machine_is_offered_a_link_and_never_connected(linking: World) -> None:
    linking.plays(f"""{NOBODY_PAYS}{LINK_MENU}
        > silence
        nobody_pays{LINK_MENU}
        > silence
        nobody_pays{LINK_MENU}
        > silence
        not_accepted
    inmate:
        ending.not_accepted
        another_call
        > silence
        goodbye
    record:
        not_accepted nobody 0 s 0.00
    """)
