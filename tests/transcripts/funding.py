"""A facility that offers every payer, and accounts of each to pay with."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from accounts import holders, ledger, payers
from accounts.billed import open_billed
from accounts.cards import make_batch
from accounts.db import Database
from accounts.tables import (
    AccountKind,
    BilledKind,
    Unit,
    billed_number,
    inmate_account,
    paid_call,
)
from ivr.facility.tables import inmate
from rating.money import Money
from tests.transcripts.play import KEY, World, demonstration

JAIL = "example-county-jail"
FUNDING = "[funding]\n"
#: Keyed for, and the number of, somebody for whom nobody has opened an account.
NOBODYS, NUMBER = "3", "+13125550103"
DEBIT, BILL, PAID_CALL = f"debit/{JAIL}/1001", f"direct/{JAIL}/office", "paid_call/1"
COLLECT, COURTESY = f"collect/{JAIL}/{NUMBER}", f"courtesy/{NUMBER}"
CARDHOLDERS = f"prepaid/{JAIL}/card"  # an account with nothing on it
LIMIT = Money(2_000_000)  # of a number's collect calls
EVERYBODY = ("subscription", "debit", "card", "prepaid", "paid_call", "direct_bill", "collect", "courtesy")


def funded(database: Database, folder: Path, *offered: str, payer: str = "") -> World:
    """The demonstration, its facility offering these payers; where it is given, `payer` alone pays."""
    words = ", ".join(f'"{each}"' for each in offered)
    terms = f'payers = [{words}]\ncollect_limit = "2.00"\ncourtesy_minutes = 2\n'
    changes = [(FUNDING, FUNDING + terms)]
    if payer:
        entry = f'{{ number = "+1 312 555 0103", speed_dial = "{NOBODYS}"'
        changes.append((entry, f'{entry}, payer = "{payer}"'))
    return World(database, folder, demonstration(*changes))


def open_debit(world: World, dollars: str) -> None:
    """Alex's own account, with so much."""
    world.database.transact_now(_open_debit, world, _money(dollars))


def _open_debit(conn: Connection, world: World, amount: Money) -> None:
    ledger.open_account(conn, account_id=DEBIT, unit=Unit.USD, kind=AccountKind.DEBIT, at=world.at)
    key = conn.scalar(select(inmate.c.id).where(inmate.c.inmate_id == "1001"))
    conn.execute(insert(inmate_account).values(inmate=key, account_id=DEBIT))
    payers.deposit(conn, transfer_id="debit/1", account_id=DEBIT, amount=amount, at=world.at)


def make_card(world: World, dollars: str) -> tuple[str, str]:
    """A calling card of so much: its account and its PIN."""
    [card] = world.database.transact_now(
        make_batch,
        batch_id="one",
        facility_id=JAIL,
        cards=1,
        value=_money(dollars),
        hashed=lambda pin: KEY.card_hash(JAIL, pin),
        key_id=KEY.id,
        at=world.at,
    )
    return card.account_id, card.pin


def open_bill(world: World, dollars: str) -> None:
    """A bill for the number, with a limit of so much."""
    world.database.transact_now(_open_bill, world, _money(dollars))


def _open_bill(conn: Connection, world: World, limit: Money) -> None:
    open_billed(
        conn,
        account_id=BILL,
        kind=BilledKind.DIRECT_BILL,
        facility_id=JAIL,
        credit_limit=limit,
        at=world.at,
    )
    row = {"account_id": BILL, "number": NUMBER, "facility_id": JAIL, "added_at": world.at}
    conn.execute(insert(billed_number).values(row))


def pay_for_a_call(world: World, dollars: str) -> None:
    """Somebody has paid so much for one call to the number."""
    world.database.transact_now(_pay_for_a_call, world, _money(dollars))


def _pay_for_a_call(conn: Connection, world: World, amount: Money) -> None:
    ledger.open_account(conn, account_id=PAID_CALL, unit=Unit.USD, kind=AccountKind.PAID_CALL, at=world.at)
    conn.execute(
        insert(paid_call).values(
            account_id=PAID_CALL,
            facility_id=JAIL,
            number=NUMBER,
            payment_id="1",
            expires_at=world.at + timedelta(hours=24),
        )
    )
    payers.deposit(conn, transfer_id="payment/1", account_id=PAID_CALL, amount=amount, at=world.at)


def put_card_on_file(
    world: World, card_id: str = "pm_ok", account_id: str = CARDHOLDERS, **known: Any
) -> None:
    """The holder of the number's prepaid account has a card on file."""
    card = {"customer_id": "cus_1", "card_id": card_id, "card_label": "Visa 4242"}
    until = {"card_expires_on": date(2030, 1, 31)}

    def put(conn: Connection) -> None:
        payers.open_prepaid(conn, account_id=account_id, at=world.at)
        payers.add_number(conn, account_id=account_id, number=NUMBER, at=world.at)
        holders.put_holder(conn, account_id, world.at, **{**card, **until, **known})

    world.database.transact_now(put)


def use_up_collect(world: World) -> None:
    """The number may owe no more for collect calls."""
    world.database.transact_now(_use_up_collect, world)


def _use_up_collect(conn: Connection, world: World) -> None:
    open_billed(
        conn,
        account_id=COLLECT,
        kind=BilledKind.COLLECT,
        facility_id=JAIL,
        credit_limit=LIMIT,
        at=world.at,
    )
    ledger.post(
        conn,
        transfer_id="talked",
        debit_id=COLLECT,
        credit_id=payers.REVENUE,
        amount=LIMIT - 10_000,
        at=world.at,
    )


def _money(dollars: str) -> Money:
    whole, cents = dollars.split(".")
    return Money(int(whole) * 1_000_000 + int(cents) * 10_000)
