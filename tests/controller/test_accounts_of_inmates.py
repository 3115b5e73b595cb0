"""Inmates' own money: handed over by files, each reference once, and offered and given back when they leave."""

import stat
from functools import partial
from pathlib import Path
from time import perf_counter

import pytest
from sqlalchemy import insert, select

from accounts import ledger, payers
from accounts.payment_tables import notice
from accounts.tables import inmate_account
from ivr.facility.tables import inmate
from ivr.records.alerts import open_alerts
from ivr.staff.desk import StaffError
from tests.controller import steps
from tests.controller.conftest import Ivr
from tests.controller.test_cli import JAIL, is_one_line
from tests.controller.test_feed import fed
from tests.controller.test_staff import does
from tests.transcripts.play import KEY, World

ALEX = f"debit/{JAIL}/1001"
TRUST, COMMISSARY = f"system/trust/{JAIL}", f"system/commissary/{JAIL}"
NOTE = ("--note", "From the trust")
NOBODY, PLACE = "nobody is known who could be told (`ivr account owed`)", "Example County Jail"
HEADER = "reference,inmate_id,amount,kind\n"
TWO = HEADER + "t1,1001,12.50,trust\nt2,1002,3.00,commissary\n"


def handed_over(world: World, text: str) -> str:
    return does(world, "account transfer-file", file="trust.csv", csv=text)


def balance(world: World, account_id: str) -> ledger.Balance:
    return world.database.read_now(ledger.balance, account_id)


def alerts(world: World) -> list[str]:
    return [row.text for row in world.database.read_now(open_alerts)]


def test_a_file_is_booked_once_however_often_it_comes(
    ivr: Ivr, world: World, on_database: str, tmp_path: Path
) -> None:
    path = tmp_path / "trust.csv"
    path.write_text(TWO, "utf-8")
    told = ivr("account", "transfer-file", str(path), *NOTE).out
    assert told == "trust.csv: 2 transfers booked, $15.50 in all\n"
    again = ivr("account", "transfer-file", str(path), *NOTE).out
    assert again == "trust.csv: 0 transfers booked, $0.00 in all, 2 known before\n"
    assert balance(world, ALEX).available == 12_500_000
    assert (balance(world, TRUST).debits, balance(world, COMMISSARY).debits) == (12_500_000, 3_000_000)
    owner = select(inmate.c.inmate_id).join(inmate_account, inmate_account.c.inmate == inmate.c.id)
    mine = owner.where(inmate_account.c.account_id == ALEX)
    assert world.database.read_now(lambda conn: conn.scalar(mine)) == "1001"
    steps.assert_books_are_right(world)


def test_every_bad_row_is_told_and_nothing_is_booked(
    ivr: Ivr, world: World, on_database: str, tmp_path: Path
) -> None:
    handed_over(world, TWO)
    path = tmp_path / "trust.csv"
    rows = (
        "t1,1001,12.51,trust\n"  # another amount
        "t2,1002,3.00,trust\n"  # another source
        "t3,9999,1.00,\n"
        "t4,1001,1.00,\n"
        "t4,1001,1.00,\n"
        "t5,1001,0,\n"
    )
    path.write_text(HEADER + rows, "utf-8")
    said = ivr("account", "transfer-file", str(path), *NOTE)
    assert said.status == 1
    assert said.err.splitlines() == [
        "ivr: line 2: reference: t1 was another transfer",
        "line 3: reference: t2 was another transfer",
        "line 4: inmate_id: example-county-jail has no inmate 9999",
        "line 6: reference: t4 stands there twice",
        "line 7: amount: expected dollars and cents above 0, such as 12.50, found 0",
        "nothing was imported; 5 mistakes",
    ]
    path.write_text(HEADER, "utf-8")
    said = ivr("account", "transfer-file", str(path), *NOTE)
    assert said.err.splitlines()[0] == "ivr: line 2: expected at least one transfer"
    path.write_text(HEADER + "t6,1001,0,\nt7,1001,1.005,\nt 8,1001,5,\nt9,1001,5,cash\n", "utf-8")
    said = ivr("account", "transfer-file", str(path), *NOTE)
    assert said.err.count("expected dollars and cents above 0") == 2
    assert "line 4: reference: " in said.err
    assert "line 5: kind: Input should be 'trust' or 'commissary'" in said.err
    assert balance(world, ALEX).available == 12_500_000


def test_a_deposit_by_staff_opens_an_inmates_account(ivr: Ivr, world: World, on_database: str) -> None:
    told = ivr("account", "deposit", ALEX, "5", *NOTE).out
    assert told == f"{ALEX}: paid in: $5.00; available $5.00\n"
    assert is_one_line(ivr("account", "deposit", f"debit/{JAIL}/9999", "5", *NOTE), "has no inmate 9999")
    assert is_one_line(ivr("account", "deposit", "debit/x", "5", *NOTE), "x has no inmate without an ID")
    assert ivr("account", "refund", ALEX, *NOTE).out == f"{ALEX}: given back: $5.00; available $0.00\n"
    steps.assert_books_are_right(world)


def test_who_is_released_is_offered_their_money_and_gets_it_by_file(
    ivr: Ivr, world: World, on_database: str, tmp_path: Path
) -> None:
    handed_over(world, TWO)
    does(world, "inmate release", inmate_id="1001")
    assert alerts(world) == [f"inmate 1001 of {JAIL} is released: $12.50 is theirs, {NOBODY}"]
    assert ALEX in ivr("account", "owed").out
    out = tmp_path / "release.csv"
    asked = ("account", "release-file", "--file", str(out), "--reference", "w1", *NOTE)
    told = ivr(*asked).out
    assert told.startswith(f"{JAIL}: given back to the trust: $12.50 of 1 inmates; written to ")
    assert out.read_text("utf-8") == "reference,inmate_id,amount\nw1.1001,1001,12.50\n"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert is_one_line(ivr(*asked), "File exists; nothing was done")
    first = out.read_text("utf-8")
    out.unlink()
    assert "was given back before" in ivr(*asked).out
    assert out.read_text("utf-8") == first
    assert ivr("account", "owed").out == "Nothing is owed.\n"
    other = tmp_path / "other.csv"
    nothing = ivr("account", "release-file", "--file", str(other), *NOTE)
    assert is_one_line(nothing, "nothing of those who have left is available")
    assert not other.exists()
    assert (balance(world, TRUST).credits, balance(world, ALEX).available) == (12_500_000, 0)
    steps.assert_books_are_right(world)


def test_a_part_of_a_cent_goes_back_as_a_cent(world: World) -> None:
    handed_over(world, HEADER + "t1,1001,1.00,\n")
    spent = partial(ledger.post, transfer_id="talk", debit_id=ALEX, credit_id=payers.REVENUE)
    world.database.transact_now(lambda conn: spent(conn, amount=1_000, at=world.at))
    told = does(world, "account release-file", reference="w1", inmates=["1001"])
    assert told == f"{JAIL}: given back to the trust: $1.00 of 1 inmates"
    assert told.once.endswith("w1.1001,1001,1.00\n")  # type: ignore[attr-defined] # ToldOnce
    assert balance(world, ALEX).available == 0
    steps.assert_books_are_right(world)


def test_the_feed_offers_back_too_once_for_each_who_left_now(world: World) -> None:
    handed_over(world, TWO)
    contact = {"mobile": "+12175550109", "email": "ana@example.org", "language": "es"}
    does(world, "account edit", account_id=ALEX, reference="contact", **contact)
    header = "event_id,at,event,inmate_id\n"
    fed(world, "e1,2026-11-23T08:00,released,1001\n", header)
    fed(world, "e1,2026-11-23T08:00,released,1001\ne2,2026-11-23T08:10,transferred,1002\n", header)
    assert alerts(world) == [
        f"inmate 1001 of {JAIL} is released: $12.50 is theirs, a notice to its holder is written (`ivr account owed`)",
        f"inmate 1002 of {JAIL} is transferred: $3.00 is theirs, {NOBODY}",
    ]
    told = select(notice.c.kind, notice.c.channel, notice.c.recipient, notice.c.language, notice.c.told)
    facts = f'{{"balance": "12.50", "facility": "{PLACE}"}}'
    assert world.database.read_now(lambda conn: conn.execute(told.order_by(notice.c.id)).all()) == [
        ("money_left", "sms", "+12175550109", "es", facts),
        ("money_left", "email", "ana@example.org", "es", facts),
    ]


def test_money_that_comes_for_who_has_left_is_owed_to_them(ivr: Ivr, world: World, on_database: str) -> None:
    does(world, "inmate release", inmate_id="1001")
    handed_over(world, TWO)
    assert f"{ALEX}" in ivr("account", "owed", "--facility", JAIL, "--json").out


def test_one_file_that_comes_twice_at_once_is_booked_once(world: World) -> None:
    lines = HEADER + "".join(f"t{n},100{1 + n % 2},1.00,\n" for n in range(40))
    told = steps.at_once([lambda: handed_over(world, lines)] * 4)
    assert sorted(told) == ["trust.csv: 0 transfers booked, $0.00 in all, 40 known before"] * 3 + [
        "trust.csv: 40 transfers booked, $40.00 in all"
    ]
    assert balance(world, ALEX).available == 20_000_000
    steps.assert_books_are_right(world)


def attempt(world: World, change: str, **given: object) -> str:
    try:
        return does(world, change, **given)
    except StaffError as refused:
        return str(refused)


@pytest.mark.parametrize("round_", range(3))
def test_a_deposit_and_a_closing_at_once_leave_nothing_behind(world: World, round_: int) -> None:
    paid = {"account_id": steps.PREPAID, "amount": "2.00"}
    deposits = [
        lambda n=n: attempt(world, "account deposit", reference=f"d{round_}{n}", **paid) for n in range(4)
    ]
    close = {"account_id": steps.PREPAID, "reference": f"c{round_}"}
    closing = [lambda: attempt(world, "account close", **close)]
    told = steps.at_once([*deposits[:2], *closing, *deposits[2:]])
    booked = [each for each in told if "paid in" in each]
    refused = [each for each in told if "was closed on" in each]
    assert len(booked) + len(refused) == 4
    assert f"closed, given back: ${5 + 2 * len(booked)}.00" in told[2]
    assert steps.available(world) == 0
    steps.assert_books_are_right(world)


def test_ten_thousand_rows_take_seconds(world: World) -> None:
    alex = select(inmate).where(inmate.c.inmate_id == "1001")
    mine = world.database.read_now(lambda conn: conn.execute(alex).one()._mapping)
    people = [
        {**mine, "id": n, "inmate_id": f"{n}", "pin_hash": KEY.hash(JAIL, str(n), "2468")}
        for n in range(2000, 3000)
    ]
    world.database.transact_now(lambda conn: conn.execute(insert(inmate), people))
    lines = "".join(f"t{n},{2000 + n % 1000},{n % 50 + 1}.25,\n" for n in range(10_000))
    began = perf_counter()
    told = handed_over(world, HEADER + lines)
    took = perf_counter() - began
    assert told.startswith("trust.csv: 10000 transfers booked, ")
    began = perf_counter()
    assert handed_over(world, HEADER + lines).endswith("10000 known before")
    print(f"{world.database.backend}: {took:.1f} s, again {perf_counter() - began:.1f} s")
    assert took < 30
