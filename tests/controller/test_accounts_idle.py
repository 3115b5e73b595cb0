"""Idle money stays its holder's: they are warned, given it back, or a state has it, and it is never revenue."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, select, update

from accounts import ledger, payers, payment_effects, payments, refunds
from accounts.payment_tables import PaymentKind, PaymentState, notice, payment, unclaimed
from accounts.tables import account, transfer
from ivr.idling import EARLIEST, NAME, idle_accounts
from ivr.jobs import Round, do_round
from rating.money import Money
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_cli import JAIL, is_one_line
from tests.controller.test_staff import does
from tests.transcripts.play import World

FAMILY = steps.PREPAID
ALEX = f"debit/{JAIL}/1001"
PERIOD = 1096  # of Illinois
HELD = "system/unclaimed/US-IL"
NOTE = ("--note", "The period is over")


def looks(world: World, days: float) -> int:
    """What the job does so many days after now."""
    at = world.at + timedelta(days=days)
    return world.database.transact_now(idle_accounts, at)


def notices(world: World) -> list[str]:
    told = select(notice.c.key).where(notice.c.kind == "idle_account").order_by(notice.c.id)
    return [
        each.rpartition("/")[0].rpartition("/")[2]
        for each in world.database.read_now(lambda c: list(c.scalars(told)))
    ]


def credited_to_revenue(world: World) -> int:
    return world.database.read_now(ledger.balance, payers.REVENUE).credits


def set_aside(world: World) -> list[tuple[str, str, int]]:
    rows = select(unclaimed.c.account_id, unclaimed.c.state, unclaimed.c.amount)
    return [tuple(row) for row in world.database.read_now(lambda conn: conn.execute(rows).all())]


def reach(world: World) -> None:
    does(world, "account edit", account_id=FAMILY, reference="r", mobile="2175550170", state="IL")


def test_a_holder_is_told_each_time_once_and_then_the_state_has_the_money(world: World) -> None:
    reach(world)
    before = credited_to_revenue(world)
    days = (89.9, 90, 91, 150, 151, 170, 180, PERIOD - 30, PERIOD - 10, PERIOD - 1)
    assert [looks(world, each) for each in days] == [0, 1, 0, 1, 0, 1, 0, 1, 1, 0]
    assert notices(world) == ["90", "150", "170", str(PERIOD - 30), str(PERIOD - 10)]
    assert set_aside(world) == []
    assert looks(world, PERIOD) == 1
    assert set_aside(world) == [(FAMILY, "US-IL", 5_000_000)]
    assert looks(world, PERIOD) == looks(world, PERIOD + 500) == 0
    assert world.database.read_now(ledger.balance, HELD).available == 5_000_000
    assert steps.available(world) == 0
    assert credited_to_revenue(world) == before
    steps.assert_books_are_right(world)


@pytest.mark.parametrize("touch", ["deposit", "charge", "refund", "edit", "hold"])
def test_every_touch_begins_the_time_again(world: World, touch: str) -> None:
    reach(world)
    began = world.at
    world.at += timedelta(days=170)
    match touch:
        case "deposit":
            steps.deposit(world, 1, "d1")
        case "charge" | "hold":
            given = {"transfer_id": "h", "debit_id": FAMILY, "credit_id": payers.REVENUE, "amount": 10}
            world.database.transact_now(ledger.hold, **given, at=world.at)  # type: ignore[arg-type]
            if touch == "charge":
                settled = {"transfer_id": "s", "hold_id": "h", "amount": 10}
                world.database.transact_now(ledger.settle, **settled, at=world.at)  # type: ignore[arg-type]
        case "refund":
            does(world, "account refund", account_id=FAMILY, amount="1.00", reference="x")
        case _:
            does(world, "account edit", account_id=FAMILY, reference="y")
    touched, world.at = world.at, began
    assert looks(world, 180) == looks(world, 170 + 89.9) == 0
    assert looks(world, 170 + 90) == 1
    assert notices(world) == ["90"]
    assert touched - began == timedelta(days=170)


def pay_by_card(conn: Connection, world: World) -> None:
    """What is in the account has come from a card: its opening is given back first."""
    refunds.give_back(conn, account_id=FAMILY, amount=Money(5_000_000), reference="opening", at=world.at)
    payments.ask(
        conn,
        payment_id="reload/1",
        kind=PaymentKind.RELOAD,
        amount=Money(10_000_000),
        at=world.at,
        account_id=FAMILY,
    )
    payment_effects.record(conn, "reload/1", payments.Done(PaymentState.SUCCEEDED, "pi_1"), world.at)
    conn.execute(delete(notice))


def test_money_goes_back_by_itself_where_there_is_a_way(world: World) -> None:
    reach(world)
    before = credited_to_revenue(world)

    world.database.transact_now(pay_by_card, world)
    looks(world, PERIOD - 10)
    assert looks(world, PERIOD) == 1
    assert set_aside(world) == []
    assert steps.available(world) == 0
    kinds = world.database.read_now(lambda conn: list(conn.scalars(select(notice.c.kind))))
    assert kinds == ["idle_account", "refunded"]
    back = select(payment.c.of_id, payment.c.amount).where(payment.c.kind == PaymentKind.REFUND)
    asked = world.database.read_now(lambda conn: conn.execute(back).all())
    assert [tuple(row) for row in asked] == [("reload/1", 10_000_000)]
    assert credited_to_revenue(world) == before
    steps.assert_books_are_right(world)


def test_nothing_goes_before_the_last_warning_is_ten_days_old(world: World) -> None:
    reach(world)
    late = PERIOD + 400
    assert [looks(world, late + each) for each in (0, 1, 9.9)] == [1, 0, 0]
    assert set_aside(world) == []
    assert looks(world, late + 10) == 1
    assert [each[0] for each in set_aside(world)] == [FAMILY]


def test_without_a_word_from_the_holder_the_numbers_state_counts(world: World) -> None:
    assert looks(world, PERIOD - 1) == 0
    assert looks(world, PERIOD) == 1  # +1 217 is in Illinois
    assert set_aside(world) == [(FAMILY, "US-IL", 5_000_000)]


def test_an_inmates_money_is_left_alone_while_they_are_there(world: World) -> None:
    does(world, "account deposit", account_id=ALEX, amount="3.00", reference="d")
    does(world, "account refund", account_id=FAMILY, reference="x")
    assert looks(world, PERIOD + 1) == 0
    does(world, "inmate release", inmate_id="1001")
    assert looks(world, PERIOD) == 1
    assert set_aside(world) == [(ALEX, "US-IL", 3_000_000)]


def test_a_state_gets_each_line_once_and_can_have_the_file_again(
    ivr: Ivr, world: World, on_database: str, tmp_path: Path
) -> None:
    does(world, "account edit", account_id=FAMILY, reference="r", name="Ana Example", state="IL")
    looks(world, PERIOD)
    assert FAMILY in ivr("account", "unclaimed").out
    out, again = tmp_path / "il.csv", tmp_path / "again.csv"
    told = ivr("account", "unclaimed", "--state", "IL", "--export", str(out), *NOTE).out
    assert told.startswith("IL: 1 accounts, $5.00 in all; written to ")
    header, line = out.read_text("utf-8").splitlines()
    assert header == "account,name,mobile,email,amount,set_aside_on"
    assert line.startswith(f"{FAMILY},Ana Example,,,5.00,20")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    nothing = ivr("account", "unclaimed", "--state", "IL", "--export", str(again), *NOTE)
    assert is_one_line(nothing, "nothing is unclaimed for IL")
    assert not again.exists()
    day = world.database.read_now(lambda conn: conn.scalar(select(unclaimed.c.exported_at)))
    assert day is not None
    same = ("--exported-on", f"{day:%Y-%m-%d}")
    assert ivr("account", "unclaimed", "--state", "IL", "--export", str(again), *same, *NOTE).status == 0
    assert again.read_text("utf-8") == out.read_text("utf-8")
    assert is_one_line(ivr("account", "reclaim", FAMILY, *NOTE), "or a state was told of it")
    assert f"{day:%Y-%m-%d}" in ivr("account", "unclaimed").out


def test_what_a_state_was_paid_is_booked_once_and_can_come_back_from_it(
    ivr: Ivr, world: World, on_database: str, tmp_path: Path
) -> None:
    does(world, "account edit", account_id=FAMILY, reference="r", state="IL")
    does(world, "account adjust", account_id=FAMILY, credit="0.001", reference="part-of-a-cent")
    looks(world, PERIOD)
    before = credited_to_revenue(world)
    paid = ("account", "handed-over", "IL", "5.01", "--paid-on", "2026-11-03", *NOTE)
    assert is_one_line(ivr(*paid, "--reference", "check-7"), "nothing is due to IL")
    assert ivr("account", "unclaimed", "--state", "IL", "--export", str(tmp_path / "il"), *NOTE).status == 0
    too_little = ("account", "handed-over", "IL", "5.00", *paid[4:], "--reference", "check-7")
    assert is_one_line(ivr(*too_little), "amount: expected $5.01, what IL was told of and not paid")
    assert is_one_line(ivr("account", "reclaim", FAMILY, "--returned", "x", *NOTE), "is a state's")
    assert ivr(*paid, "--reference", "check-7").out == "IL: handed over: $5.01, as check-7\n"
    assert ivr(*paid, "--reference", "check-7").out == "IL: was booked before: $5.01, as check-7\n"
    assert is_one_line(ivr(*too_little), "check-7 was $5.01 for IL: nothing was booked")
    assert is_one_line(ivr(*paid, "--reference", "check-8"), "nothing is due to IL")
    assert ivr("account", "unclaimed").out == "Nothing is unclaimed.\n"
    assert world.database.read_now(ledger.balance, HELD).available == 0
    back = ("account", "reclaim", FAMILY, "--returned", "il-99", *NOTE)
    told = ivr(*back).out
    assert told == f"{FAMILY}: returned by the state, as il-99: $5.001; available $5.001\n"
    assert "was returned by the state before, as il-99: $5.001" in ivr(*back).out
    assert is_one_line(ivr("account", "reclaim", FAMILY, "--returned", "il-98", *NOTE), "is a state's")
    assert (steps.available(world), credited_to_revenue(world)) == (5_001_000, before)
    assert world.database.read_now(ledger.balance, HELD).available == 0
    steps.assert_books_are_right(world)


def test_a_holder_who_comes_back_in_time_has_it_again(ivr: Ivr, world: World, on_database: str) -> None:
    looks(world, PERIOD)
    told = ivr("account", "reclaim", FAMILY, *NOTE).out
    assert told == f"{FAMILY}: is the holder's again: $5.00; available $5.00\n"
    assert set_aside(world) == []
    assert is_one_line(ivr("account", "reclaim", FAMILY, *NOTE), f"nothing of {FAMILY} waits")
    assert world.database.read_now(ledger.balance, HELD).available == 0
    steps.assert_books_are_right(world)


def test_who_claims_and_who_exports_at_once_do_not_both_have_it(world: World) -> None:
    looks(world, PERIOD)

    def tries(change: str, **given: object) -> str:
        try:
            return does(world, change, **given)
        except Exception as refused:  # whichever comes second
            return f"refused: {refused}"

    told = steps.at_once(
        [
            lambda: tries("account reclaim", account_id=FAMILY),
            lambda: tries("account unclaimed", state="IL"),
        ]
    )
    assert sum(each.startswith("refused: nothing") for each in told) == 1
    has_it = steps.available(world) == 5_000_000
    assert has_it is told[1].startswith("refused")
    steps.assert_books_are_right(world)


def test_where_the_state_is_not_known_nothing_moves_and_somebody_is_told(world: World) -> None:
    def elsewhere(conn: Connection) -> None:
        payers.open_prepaid(conn, account_id="prepaid/nobody", at=world.at)
        given = {"transfer_id": "d", "account_id": "prepaid/nobody", "amount": Money(7)}
        payers.deposit(conn, at=world.at, **given)  # type: ignore[arg-type]

    world.database.transact_now(elsewhere)
    does(world, "account refund", account_id=FAMILY, reference="x")
    assert looks(world, 181) == looks(world, 182) == 0
    assert set_aside(world) == []
    assert steps.available(world, "prepaid/nobody") == 7


def test_many_accounts_are_looked_at_some_at_a_time(world: World) -> None:
    people = [f"prepaid/p{n}" for n in range(1_500)]
    opened = {"unit": "USD", "kind": "prepaid", "opened_at": world.at}
    entries = [
        {
            "id": f"e/{each}/{n}",
            "kind": "payment",
            "unit": "USD",
            "debit_id": payers.CASH,
            "credit_id": each,
            "amount": 1_000,
            "posted_at": world.at,
        }
        for each in people
        for n in range(4)
    ]

    def fill(conn: Connection) -> None:
        conn.execute(account.insert(), [{"id": each, **opened, "credits": 4_000} for each in people])
        conn.execute(transfer.insert(), entries)
        paid_in = 4_000 * len(people)
        conn.execute(
            update(account).where(account.c.id == payers.CASH).values(debits=account.c.debits + paid_in)
        )

    world.database.transact_now(fill)
    before = world.database.counts().statements
    at = world.at + EARLIEST + timedelta(days=1)
    rounds: list[Round] = []
    while not rounds or rounds[-1].more:
        rounds.append(world.database.transact_now(do_round, NAME, at))
    assert [each.did for each in rounds] == [0] * 4
    assert world.database.counts().statements - before < 75
