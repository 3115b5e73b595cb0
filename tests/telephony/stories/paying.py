"""The payers that no other story has, on one stack: what both heard, the records, and the book to the cent."""

import csv
import http.client
import re
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, select

from accounts import holders, payers
from accounts.tables import AccountKind, account
from ivr.clock import utc_now
from ivr.demonstration.party import Party
from ivr.keyring import Keyring
from ivr.notices.senders import TOKEN_FILE
from ivr.policy.reasons import Outcome
from ivr.processor.setup import KEY_FILE, WEBHOOK_FILE
from ivr.processor.webhooks import PATH
from tests.fakes import twilio
from tests.fakes.twilio import FakeTwilio, twilio_server
from tests.payments import stripe_server
from tests.payments.stripe_server import Books
from tests.telephony.acting import accepts, does_not_call_again, identifies, is_asked, said_to, talk
from tests.telephony.cast import COLLECT_LIMIT, JAIL, Cast
from tests.telephony.faults import Theatre
from tests.telephony.registry import fault
from tests.telephony.scene import INTRODUCTION, KNOWN, MENU, PROLOGUE, Scene

OFFERS = ("debit", "card", "prepaid", "paid_call", "direct_bill", "collect", "courtesy")
#: A minute at the facility's price, in millionths of a dollar: what each of these calls costs.
MINUTE = 60_000
PRICE = "price_and_time price=0.06 time=15"
RUNG = ["call_recorded", "please_hold"]
NOTE = ("--note", "for a test")
PUBLIC_URL = "https://calls.example"


@fault
def every_payer_pays_what_a_call_costs_and_the_book_tells_it_to_the_cent(theatre: Theatre) -> None:
    plots = (
        an_inmate_pays_from_their_own_account_and_then_by_a_card,
        the_called_party_pays_by_a_monthly_bill,
        a_collect_call_uses_up_the_limit_and_a_courtesy_call_follows,
    )
    casts = [Cast(offers=OFFERS) for _ in plots]
    linked, carded = (Cast(offers=OFFERS, only_payer="paid_call") for _ in range(2))
    filled = Cast(offers=OFFERS, only_payer="prepaid", prepaid="1.00")
    with (
        outside(theatre.folder) as (settings, books, texts),
        theatre.scenes_of(*casts, linked, carded, filled, controller_settings=settings) as scenes,
    ):
        with ThreadPoolExecutor(len(scenes)) as pool:
            acts = [pool.submit(plot, scene) for plot, scene in zip(plots, scenes, strict=False)]
            link, card, fill = scenes[len(plots) :]
            acts.append(pool.submit(a_link_is_sent_and_the_call_paid_by_it_made, link, books, texts))
            acts.append(pool.submit(a_card_on_file_pays_for_the_talk_and_one_declined_for_none, card, books))
            acts.append(pool.submit(a_talk_takes_an_account_below_its_threshold_and_the_card_fills_it, fill))
            for each in acts:
                each.result()
        the_book_has_all_of_it(scenes[0])


@contextmanager
def outside(folder: Path) -> Iterator[tuple[dict[str, str], Books, FakeTwilio]]:
    """A card processor and a carrier of SMS on loopback, and how the controller knows of them."""
    Keyring(folder / "secrets")
    for name, secret in (
        (KEY_FILE, stripe_server.SECRET_KEY),
        (WEBHOOK_FILE, stripe_server.WEBHOOK_SECRET),
        (TOKEN_FILE, twilio.TOKEN),
    ):
        path = folder / "secrets" / name
        path.write_text(secret)
        path.chmod(0o600)
    with stripe_server.serving() as (address, books), twilio_server() as texts:
        settings = {
            "public_url": PUBLIC_URL,
            "card_processor": "stripe",
            "stripe_api": address,
            "notices_name": "Example",
            "twilio_account": twilio.ACCOUNT,
            "twilio_sender": twilio.FROM,
            "twilio_api": texts.url,
        }
        yield settings, books, texts


def an_inmate_pays_from_their_own_account_and_then_by_a_card(scene: Scene) -> None:
    own_account = f"debit/{JAIL}/{scene.role.inmate_id}"
    scene.staff("account", "deposit", own_account, "3.00", "--reference", "1", *NOTE)
    pins = scene.stage.settings.state_dir / "pins.csv"
    made = ("--count", "1", "--value", "10.00", "--file", str(pins), "--facility", JAIL)
    scene.staff("card", "batch", "one", *made, *NOTE)
    [card] = csv.DictReader(pins.read_text("utf-8").splitlines())

    with scene.both() as (inmate, family):
        identifies(scene, inmate)
        inmate.presses("1#")
        inmate.begins_to_hear("pay_otherwise")
        inmate.presses("1")
        talks(scene, inmate, family)
        calls_again(inmate)
        inmate.begins_to_hear("pay_otherwise")
        inmate.presses("2")
        inmate.begins_to_hear("enter_card")
        inmate.presses(f"{card['pin']}#")
        talks(scene, inmate, family)
        does_not_call_again(inmate)

    menu = ["pay_by_own_account", "pay_by_card", "pay_otherwise"]
    assert said_to(inmate) == [
        *[*PROLOGUE, *menu, PRICE, "own_account_pays balance=3.00", *RUNG, *OVER],
        *["enter_number", *menu, "enter_card", PRICE, "card_pays balance=10.00", *RUNG, *OVER],
    ]
    heard = ["paid_by_caller", *MENU, "connecting"]
    assert (said_to(family, 0), said_to(family, 1)) == ([*INTRODUCTION, *heard], [*KNOWN, *heard])
    by_own, by_card = scene.calls(2)
    is_charged(by_own, "debit", own_account, 3_000_000, 2_940_000)
    is_charged(by_card, "card", only(scene, AccountKind.CARD), 10_000_000, 9_940_000)


def the_called_party_pays_by_a_monthly_bill(scene: Scene) -> None:
    bill = f"direct/{JAIL}/office"
    terms = ("--number", f"+{scene.role.number}", "--credit-limit", "50.00")
    scene.staff("account", "open", bill, *terms, *NOTE)

    with scene.both() as (inmate, family):
        leaves_it_to_others(scene, inmate)
        talks(scene, inmate, family)
        does_not_call_again(inmate)

    billed = ["pay_by_card", "pay_otherwise", PRICE, "called_party_is_billed"]
    assert said_to(inmate) == [*PROLOGUE, *billed, *RUNG, *OVER]
    told = ["paid_by_bill", *MENU, "bill_left left=50.00", "connecting"]
    assert said_to(family) == [*INTRODUCTION, *told]
    [cdr] = scene.calls()
    is_charged(cdr, "direct_bill", bill, 50_000_000, 49_940_000)


def a_collect_call_uses_up_the_limit_and_a_courtesy_call_follows(scene: Scene) -> None:
    with scene.both() as (inmate, family):
        leaves_it_to_others(scene, inmate)
        talks(scene, inmate, family)
        calls_again(inmate)
        inmate.begins_to_hear("pay_otherwise")
        inmate.presses("0")
        talks(scene, inmate, family)
        does_not_call_again(inmate)

    menu = ["pay_by_card", "pay_otherwise"]
    assert said_to(inmate) == [
        *[*PROLOGUE, *menu, "price_and_time price=0.06 time=1", "called_party_is_billed", *RUNG, *OVER],
        *["enter_number", *menu, "courtesy_call time=2", *RUNG, *OVER],
    ]
    told = ["paid_by_collect", *MENU, f"bill_left left={COLLECT_LIMIT}", "connecting"]
    assert said_to(family, 0) == [*INTRODUCTION, *told]
    told = ["paid_by_courtesy time=2", "sign_up", *MENU, "connecting"]
    assert said_to(family, 1) == [*KNOWN, *told]
    collect, courtesy = scene.calls(2)
    number = f"+{scene.role.number}"
    is_charged(collect, "collect", f"collect/{JAIL}/{number}", 100_000, 40_000)
    assert (courtesy.reason, courtesy.payer, courtesy.account_id) == (
        Outcome.COMPLETED,
        "courtesy",
        f"courtesy/{number}",
    )
    assert (courtesy.charge, courtesy.calls_charged, courtesy.limit_ms) == (0, 1, 120_000)


def a_link_is_sent_and_the_call_paid_by_it_made(scene: Scene, books: Books, texts: FakeTwilio) -> None:
    with scene.both() as (inmate, family):
        identifies(scene, inmate)
        inmate.presses("1#")
        inmate.hears("link_is_offered")
        family.is_called()
        family.begins_to_hear("link_key.1")
        family.presses("1")
        [text] = scene.wait(lambda _: texts.to(f"+{scene.role.number}"), bool)
        is_paid(scene, books, text)
        family.is_hung_up_on()
        calls_again(inmate)
        talks(scene, inmate, family)
        does_not_call_again(inmate)

    assert said_to(inmate) == [
        *[*PROLOGUE, "link_is_offered", "ending.payment_offered", "another_call"],
        *["enter_number", PRICE, "called_party_has_paid", *RUNG, *OVER],
    ]
    link = ["nobody_pays", "cost_key.3", "link_menu amount=0.90", "link_key.1", "link_sent"]
    assert said_to(family, 0) == [*INTRODUCTION[:3], *link]
    told = ["paid_before", *MENU, "paid_before_left left=0.90", "connecting"]
    assert said_to(family, 1) == [*KNOWN, *told]
    offered, paid = scene.calls(2)
    assert (offered.reason, offered.payer, offered.charge) == (Outcome.PAYMENT_OFFERED, None, 0)
    is_charged(paid, "paid_call", only(scene, AccountKind.PAID_CALL), 900_000, 840_000)
    scene.wait(lambda _: books.done["refunded"], bool)  # what is left goes back to the card
    [refund] = [each for each in books.objects.values() if each["object"] == "refund"]
    assert refund["amount"] == 84


def a_card_on_file_pays_for_the_talk_and_one_declined_for_none(scene: Scene, books: Books) -> None:
    account_id = f"prepaid/{JAIL}/cardholder"
    scene.staff("account", "open", account_id, "--number", f"+{scene.role.number}", *NOTE)
    has_card(scene, account_id, "pm_ok")

    with scene.both() as (inmate, family):
        identifies(scene, inmate)
        inmate.presses("1#")
        talks(scene, inmate, family)
        scene.wait(lambda _: books.done["captured"], bool)
        has_card(scene, account_id, "pm_declined")
        calls_again(inmate)
        inmate.hears("please_hold")
        is_asked(family)
        family.presses("1")
        family.is_hung_up_on()
        does_not_call_again(inmate)

    charged = [PRICE, "called_party_is_charged", *RUNG]
    assert said_to(inmate) == [
        *[*PROLOGUE, *charged, *OVER],
        *["enter_number", *charged, "ending.card_declined", "another_call"],
    ]
    asked = ["paid_by_card_on_file total=0.90", *MENU, "one_moment"]
    assert said_to(family, 0) == [*INTRODUCTION, *asked, "connecting"]
    assert said_to(family, 1) == [*KNOWN, *asked, "card_not_accepted"]
    paid, declined = scene.calls(2)
    assert (paid.reason, paid.payer, paid.by_card, paid.account_id) == (
        *(Outcome.COMPLETED, "paid_call", True, account_id),
    )
    assert (paid.held, paid.charge, paid.balance_before, paid.balance_after) == (900_000, MINUTE, None, None)
    assert (declined.reason, declined.charge, declined.by_card) == (Outcome.CARD_DECLINED, 0, True)
    [intent] = [
        each
        for each in books.objects.values()
        if each.get("metadata", {}).get("payment_id") == (f"call/{paid.id}/card")
    ]
    assert (intent["amount"], intent["amount_received"]) == (90, 6)
    assert (books.done["authorised"], books.done["captured"], books.done["voided"]) == (1, 1, 0)


def a_talk_takes_an_account_below_its_threshold_and_the_card_fills_it(scene: Scene) -> None:
    terms = ("--reload-below", "0.95", "--reload-amount", "10.00")
    account_id = scene.role.account
    scene.staff("account", "edit", account_id, *terms, *NOTE)
    has_card(scene, account_id, "pm_ok")

    with scene.both() as (inmate, family):
        identifies(scene, inmate)
        inmate.presses("1#")
        talks(scene, inmate, family)
        does_not_call_again(inmate)

    [cdr] = scene.calls()
    is_charged(cdr, "prepaid", account_id, 1_000_000, 940_000)  # what was held filled nothing
    scene.wait(lambda _: scene.balance().available, lambda left: left == 10_940_000)


def has_card(scene: Scene, account_id: str, card_id: str) -> None:
    """The processor has told of a card: each account's customer has one."""
    card = {"customer_id": f"cus_{account_id}", "card_id": card_id, "card_label": "Visa 4242"}
    known = {**card, "card_expires_on": date(2030, 1, 31)}
    scene.change(lambda conn: holders.put_holder(conn, account_id, utc_now(), **known))


OVER = ["ending.completed", "another_call"]


def leaves_it_to_others(scene: Scene, inmate: Party) -> None:
    """The inmate pays neither from an account nor by a card."""
    identifies(scene, inmate)
    inmate.presses("1#")
    inmate.begins_to_hear("pay_otherwise")
    inmate.presses("0")


def calls_again(inmate: Party) -> None:
    """The same number, without lifting the receiver anew."""
    inmate.begins_to_hear("another_call")
    inmate.presses("1")
    inmate.begins_to_hear("enter_number")
    inmate.presses("1#")


def talks(scene: Scene, inmate: Party, family: Party) -> None:
    """From the ringing to the end of the talk."""
    inmate.hears("please_hold")
    is_asked(family)
    accepts(family)
    talk(scene, inmate, family)
    family.hangs_up()


def is_paid(scene: Scene, books: Books, text: str) -> None:
    """Somebody pays on the page that the SMS names, and the processor tells the controller."""
    [page] = [each for each in books.objects.values() if each["object"] == "checkout.session"]
    assert opened(scene, text) == page["url"]
    assert page["amount_total"] == 90
    body, proof = stripe_server.signed(stripe_server.pays(books, page), time.time())
    address = f"http://127.0.0.1:{scene.stage.settings.web_port}{PATH}"
    asked = urllib.request.Request(address, body, proof)
    with urllib.request.urlopen(asked, timeout=5) as answer:
        assert answer.status == 200


def opened(scene: Scene, text: str) -> str | None:
    """Where the address in an SMS leads to, asked of the controller as its proxy asks."""
    [path] = re.findall(rf"{PUBLIC_URL}(/pay/[\w-]+) ", text)
    asked = http.client.HTTPConnection("127.0.0.1", scene.stage.settings.web_port, timeout=5)
    asked.request("GET", path)
    answer = asked.getresponse()
    asked.close()
    return answer.getheader("Location")


def is_charged(cdr: Row[Any], payer: str, account_id: str, before: int, after: int) -> None:
    """The record says who paid a minute out of what."""
    assert (cdr.reason, cdr.payer, cdr.account_id) == (Outcome.COMPLETED, payer, account_id)
    assert (cdr.charge, cdr.billed_seconds, cdr.calls_charged) == (MINUTE, 60, 0)
    assert (cdr.balance_before, cdr.balance_after) == (before, after)


def only(scene: Scene, kind: AccountKind) -> str:
    """The id of the one account of a kind."""
    wanted = select(account.c.id).where(account.c.kind == kind)
    found: str = scene.read(lambda conn: conn.scalars(wanted).one())
    return found


def the_book_has_all_of_it(scene: Scene) -> None:
    """Nothing is held, all adds up, and each account has what seven paid minutes, a gift and a reload left."""
    held = select(func.count()).where(account.c.held != 0)
    scene.wait(lambda conn: conn.scalar(held), lambda count: count == 0)
    assert "no fault" in scene.staff("ledger", "verify")
    stands = select(account.c.id, account.c.kind, account.c.credits - account.c.debits)
    found = scene.read(lambda conn: conn.execute(stands).all())
    assert sorted((kind, left) for _, kind, left in found if kind != AccountKind.SYSTEM) == [
        (AccountKind.BILLED, 40_000),  # collect
        (AccountKind.BILLED, 49_940_000),
        (AccountKind.CARD, 9_940_000),
        (AccountKind.COURTESY, 0),
        (AccountKind.DEBIT, 2_940_000),
        (AccountKind.PAID_CALL, 0),
        (AccountKind.PREPAID, 0),  # its holder's card has paid
        (AccountKind.PREPAID, 10_940_000),
    ]
    ours = {account_id: left for account_id, kind, left in found if kind == AccountKind.SYSTEM and left}
    assert ours == {
        # 3.00, 10.00, 0.90, 1.00, 10.00 and 0.06 came in, 0.84 went back to the card
        payers.CASH: -24_120_000,
        payers.REVENUE: 7 * MINUTE,
        payers.CREDIT_GRANTED: -50_100_000,
        payers.COURTESY_GIVEN: -1,
        payers.CALLS_USED: 1,
    }
