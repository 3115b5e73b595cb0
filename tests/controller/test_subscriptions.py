"""Subscriptions by the commands: told before they are bought, refused with the reason, the rest given back."""

import asyncio
import json
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update

from accounts import ledger, payers
from accounts.db import Database
from accounts.holders import put_holder
from accounts.subscribed import newest_of, periods_of
from accounts.verification import verify
from ivr.cli import subscription as cli
from ivr.controls.settlement import Ending, settle
from ivr.facility.audit import audit
from ivr.facility.tables import facility, plan
from ivr.loading import load
from ivr.policy.reasons import Outcome
from ivr.policy.talk import Evidence, Kind
from ivr.records.tables import call as call_table
from ivr.renewing import close_ended, renew_due, tell_renewals
from ivr.staff import changes
from ivr.staff.desk import StaffError
from rating.money import Money
from tests.controller import steps
from tests.controller.conftest import Ivr, Said
from tests.ledger import sales
from tests.transcripts.play import KEY, World, demonstration

JAIL, FAMILY, NUMBER = "example-county-jail", steps.PREPAID, "+12175550102"
GIVEN = "+12175550101"  # by the facility's file
PAYS = ("--account", FAMILY, "--renewal", "auto")
NOTE = ("--note", "The holder asked")
START = ("subscription", "start", JAIL, NUMBER, "family-100", *PAYS, *NOTE)
TERMS = """\
plan: family-100; nobody needs one, calls can be paid for by the minute
price: $20.00 a period in all; taxes and fees are included, and nothing else is charged
included: 100 calls from example-county-jail to +12175550102, each as long as the facility permits (15 minutes at \
most); further calls are charged by the minute, at the facility's rate
period: from Nov 23, 2026 to Dec 22, 2026, both included
break-even: it pays from 334 minutes of talk a period on, or 23 calls of 15 minutes; less talk is cheaper by the minute
dropped calls: a call that the network or we break off in its first 60 seconds is given back at once, and one in which \
nobody talks does not count
cancellation: at any time and without a fee; the plan goes on to its period's end, and until then the cancellation \
can be undone
given back: the unused part of the price, where the person called from there is released, transferred, dies or may \
call no more, or where the facility is served no longer
renewal: by itself, each period, until cancelled: $20.00 are taken from Dec 21, 2026 on, of the card on file or else \
of the account; told 7 days before the period ends
"""


@pytest.fixture
def ivr(ivr: Ivr, world: World, on_database: str, monkeypatch: pytest.MonkeyPatch) -> Ivr:
    """Commands use the test's own database and its time."""
    for module in (cli, changes):
        monkeypatch.setattr(module, "utc_now", lambda: world.at)
    return ivr


@pytest.fixture
def rich(world: World) -> World:
    """The family has 45.00."""
    steps.deposit(world, 40, "deposit/rich")
    return world


def shown(ivr: Ivr, number: str = NUMBER) -> dict[str, object]:
    found: dict[str, object] = json.loads(ivr("subscription", "show", JAIL, number, "--json").out)
    return found


def refused(said: Said, why: str) -> None:
    assert said.status == 1
    assert why in said.err
    assert said.err.count("\n") == 1


def test_all_terms_are_told_before_anything_is_bought(ivr: Ivr, rich: World) -> None:
    bought = ivr(*START, "--agree")
    assert bought.out == (
        f"{TERMS}{NUMBER}: 100 calls from 2026-11-23 to 2026-12-22 for $20.00 out of {FAMILY}\n"
    )
    assert steps.available(rich) == 25_000_000
    logged = rich.database.read_now(lambda conn: conn.execute(select(audit)).one())
    assert (logged.verb, logged.about, logged.note) == (
        "subscription start",
        f"subscription {NUMBER}",
        "The holder asked",
    )
    steps.assert_books_are_right(rich)


def test_terms_are_told_in_the_language_of_whoever_pays(ivr: Ivr, rich: World) -> None:
    rich.database.transact_now(lambda conn: put_holder(conn, FAMILY, rich.at, language="es"))
    told = ivr(*START, "--agree").out.splitlines()
    assert len(told) == len(TERMS.splitlines()) + 1
    assert told[0] == "plan: family-100; nadie necesita uno, las llamadas se pueden pagar por minuto"
    assert "período: del 23 nov 2026 al 22 dic 2026, ambos incluidos" in told
    assert "se cobran $20.00 desde el 21 dic 2026, de la tarjeta registrada" in told[8]


def test_without_consent_nothing_is_bought(ivr: Ivr, rich: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    said = ivr(*START)
    assert "Does the payer agree to these terms?" in said.out
    assert said.status == 1
    assert steps.available(rich) == 45_000_000
    given = {"number": NUMBER, "plan": "family-100", "account_id": FAMILY, "renewal": "auto"}
    who = {"note": "why", "author": "staff"}
    with pytest.raises(StaffError, match="not_agreed: expected the payer's consent"):
        changes.read("subscription start", {**given, **who, "agreed": False})


def offers_no_subscriptions(conn: Connection) -> None:
    conn.execute(update(facility).values(payers="prepaid"))


def is_free_by_law(conn: Connection) -> None:
    conn.execute(update(facility).values(state="MA"))


def is_closed(conn: Connection) -> None:
    put_holder(conn, FAMILY, sales.NOON, closed_at=sales.NOON)


def has_a_card(conn: Connection) -> None:
    put_holder(conn, FAMILY, sales.NOON, card_id="card_1")


def has_nothing(conn: Connection) -> None:
    amount = ledger.balance(conn, FAMILY).available
    sides = {"debit_id": FAMILY, "credit_id": payers.CASH}
    ledger.post(conn, transfer_id="gone", **sides, amount=amount, at=sales.NOON)


def nothing_else(conn: Connection) -> None:
    """As it is."""


@pytest.mark.parametrize(
    ("words", "before", "told"),
    [
        ((JAIL, "+1 617 555 0104", "family-100", *PAYS), nothing_else, "out_of_state: +16175550104 is no number"),
        ((JAIL, "+1 800 555 0104", "family-100", *PAYS), nothing_else, "number: expected a number such as"),
        ((JAIL, "555 0104", "family-100", *PAYS), nothing_else, "number: expected a number such as"),
        ((JAIL, NUMBER, "family-100", *PAYS), offers_no_subscriptions, "not_offered: example-county-jail offers"),
        ((JAIL, "+16175550104", "family-100", *PAYS), is_free_by_law, "not_offered: example-county-jail offers no"),
        ((JAIL, NUMBER, "family-50", *PAYS), nothing_else, "plan_not_offered: example-county-jail offers family-100"),
        ((JAIL, GIVEN, "family-100", *PAYS), nothing_else, "already_subscribed: +12175550101 has a subscription"),
        ((JAIL, NUMBER, "family-100", "--account", "x", "--renewal", "auto"), nothing_else, "account_unknown: there"),
        (
            (JAIL, NUMBER, "family-100", "--account", "system/cash", "--renewal", "auto"),
            nothing_else,
            "account_not_prepaid: system/cash is no prepaid account",
        ),
        ((JAIL, NUMBER, "family-100", *PAYS), is_closed, "account_closed: "),
        ((JAIL, NUMBER, "family-100", *PAYS), has_nothing, "not_paid: prepaid/example-county-jail/family-one has $0"),
        (("nowhere", NUMBER, "family-100", *PAYS), nothing_else, "there is no facility nowhere"),
    ],
)  # fmt: skip
def test_a_refusal_tells_its_reason(
    ivr: Ivr, rich: World, words: tuple[str, ...], before: object, told: str
) -> None:
    rich.database.transact_now(before)  # type: ignore[arg-type]
    refused(ivr("subscription", "start", *words, *NOTE, "--agree"), told)
    assert rich.database.read_now(newest_of, JAIL, NUMBER) is None
    assert rich.database.read_now(verify).faults == ()


def test_with_a_card_on_file_the_period_waits_for_it(ivr: Ivr, rich: World) -> None:
    rich.database.transact_now(has_a_card)
    assert "the card on file is asked for $20.00" in ivr(*START, "--agree").out
    for verb in (("renew", "--agree"), ("change", "--renewal", "manual", "--agree")):
        refused(ivr("subscription", verb[0], JAIL, NUMBER, *verb[1:], *NOTE), "under_way: a payment for")
    (payment_id,) = rich.database.transact_now(sales.asked)
    rich.database.transact_now(sales.succeed, payment_id, rich.at)
    assert shown(ivr)["calls left"] == 100
    assert steps.available(rich) == 45_000_000
    steps.assert_books_are_right(rich)


def test_what_stands_is_shown(ivr: Ivr, rich: World) -> None:
    ivr(*START, "--agree")
    call_id = asyncio.run(steps.accepted(rich))
    assert steps.record(rich, call_id).payer == "subscription"
    assert shown(ivr) == {
        "subscription": f"{JAIL}/{NUMBER}",
        "state": "live",
        "plan": "family-100",
        "calls each period": 100,
        "price": "20.00",
        "paid by": FAMILY,
        "renewal": "auto",
        "period": "2026-11-23 to 2026-12-22",
        "calls used": 0,
        "calls held": 1,
        "calls left": 99,
        "bought ahead": None,
        "renews on": "2026-12-23",
        "changes": [],
    }
    keyed = NUMBER.removeprefix("+1")
    assert "calls left: 99\n" in ivr("subscription", "show", JAIL, keyed).out
    given = shown(ivr, GIVEN)
    assert (given["renewal"], given["calls left"]) == ("none, it is given by the facility's file", 57)
    refused(ivr("subscription", "show", JAIL, "+12175550109"), "not_subscribed: +12175550109 has no")


def test_a_change_is_told_holds_at_the_periods_end_and_can_be_undone(ivr: Ivr, rich: World) -> None:
    ivr(*START, "--agree")
    other = {"facility_id": JAIL, "id": "family-25", "price": Money(6_000_000), "calls": 25}
    rich.database.transact_now(lambda conn: conn.execute(plan.insert().values(other)))
    words = ("subscription", "change", JAIL, NUMBER, *NOTE, "--agree")
    said = ivr(*words, "--plan", "family-25", "--renewal", "manual").out
    assert "price: $6.00 a period in all" in said
    assert "period: from Dec 23, 2026 to Jan 22, 2027" in said
    changes_told = ["from 2026-12-23 plan family-25, 25 calls for $6.00", "from 2026-12-23 manual renewal"]
    assert said.endswith(f"{NUMBER}: {'; '.join(changes_told)}\n")
    assert (shown(ivr)["changes"], shown(ivr)["renews on"]) == (changes_told, None)
    undone = ivr(*words, "--plan", "family-100", "--renewal", "auto").out
    assert undone.endswith(f"{NUMBER}: nothing changes at the period's end\n")
    assert shown(ivr)["changes"] == []
    refused(ivr(*words), "expected --plan or --renewal")
    refused(ivr(*words, "--plan", "family-7"), "plan_not_offered: ")


def test_cancelled_it_keeps_its_calls_and_can_be_undone(ivr: Ivr, rich: World) -> None:
    ivr(*START, "--agree")
    words = ("subscription", "cancel", JAIL, NUMBER, *NOTE)
    assert ivr(*words).out == f"{NUMBER}: cancelled; calls until 2026-12-22\n"
    assert ivr(*words).out == f"{NUMBER}: cancelled; calls until 2026-12-22\n"
    assert (shown(ivr)["state"], shown(ivr)["calls left"]) == ("cancelled", 100)
    refused(ivr("subscription", "renew", JAIL, NUMBER, *NOTE, "--agree"), "cancelled: the subscription of")
    assert ivr(*words, "--undo").out == f"{NUMBER}: goes on, auto renewal\n"
    assert (shown(ivr)["state"], shown(ivr)["renews on"]) == ("live", "2026-12-23")


def test_by_hand_the_next_period_is_bought_once_ahead_and_after_a_gap_from_that_day_on(
    ivr: Ivr, rich: World
) -> None:
    ivr(*START, "--renewal", "manual", "--agree")
    renewing = ("subscription", "renew", JAIL, NUMBER, *NOTE, "--agree")
    bought = ivr(*renewing).out
    assert bought.endswith(f"100 calls from 2026-12-23 to 2027-01-22 for $20.00 out of {FAMILY}\n")
    assert shown(ivr)["bought ahead"] == "2026-12-23 to 2027-01-22"
    refused(ivr(*renewing), "already_bought: the next period is bought: 2026-12-23 to 2027-01-22")
    cancelled = ivr("subscription", "cancel", JAIL, NUMBER, *NOTE).out
    assert cancelled == f"{NUMBER}: cancelled; calls until 2026-12-22; given back to {FAMILY}: $20.00\n"
    ivr("subscription", "cancel", JAIL, NUMBER, "--undo", *NOTE)
    rich.at += timedelta(days=40)
    assert rich.database.transact_now(close_ended, rich.at) == 1
    assert shown(ivr)["state"] == "ended, not_renewed"
    assert "period: from Jan 2, 2027 to Feb 1, 2027" in ivr(*renewing).out
    assert (shown(ivr)["state"], shown(ivr)["period"]) == ("live", "2027-01-02 to 2027-02-01")
    steps.assert_books_are_right(rich)


def test_a_closed_account_has_a_period_that_was_paid_ahead_given_back(ivr: Ivr, rich: World) -> None:
    ivr(*START, "--renewal", "manual", "--agree")
    ivr("subscription", "renew", JAIL, NUMBER, *NOTE, "--agree")
    closed = ivr("account", "close", FAMILY, *NOTE, "--yes").out
    assert closed.startswith(f"{FAMILY}: closed, given back: $25.00; ")
    assert f"the subscription of {NUMBER} ends with its period" in closed
    assert shown(ivr)["bought ahead"] is None
    steps.assert_books_are_right(rich)


def test_ended_early_what_is_unused_is_given_back(ivr: Ivr, rich: World) -> None:
    ivr(*START, "--agree")
    ending = ("subscription", "end", JAIL, NUMBER, *NOTE, "--because")
    rich.at += timedelta(days=14)
    assert ivr(*ending, "released").out == f"{NUMBER}: ended, released; given back to {FAMILY}: $20.00\n"
    refused(ivr(*ending, "released"), "not_subscribed: ")
    assert shown(ivr)["state"] == "ended, released"
    for verb in ("cancel", "renew", "change"):
        words = () if verb == "cancel" else ("--agree",)
        refused(ivr("subscription", verb, JAIL, NUMBER, *NOTE, *words), "not_subscribed: ")
    assert ivr(*ending, "no reason").status == 2
    assert steps.available(rich) == 45_000_000
    assert ivr(*START, "--agree").status == 0
    steps.assert_books_are_right(rich)


def test_all_of_a_facility_end_when_it_leaves(ivr: Ivr, rich: World) -> None:
    ivr(*START, "--agree")
    ending = ("subscription", "end", JAIL, *NOTE, "--because")
    refused(ivr(*ending, "released"), "name a number")
    assert ivr(*ending, "facility_left").out == f"{JAIL}: 3 ended\n"
    assert steps.available(rich) == 45_000_000
    rich.at += timedelta(days=1)
    changed = rich.database.transact_now(load, demonstration(), KEY, rich.at)
    assert not [line for line in changed if "subscription" in line]  # no load gives calls again
    steps.assert_books_are_right(rich)


def test_one_can_be_bought_once_the_files_calls_are_over_and_no_load_undoes_that(
    ivr: Ivr, rich: World
) -> None:
    words = ("subscription", "start", JAIL, GIVEN, "family-100", *PAYS, *NOTE, "--agree")
    refused(ivr("subscription", "cancel", JAIL, GIVEN, *NOTE), "not_subscribed: ")
    rich.at += timedelta(days=29)  # the last day
    refused(ivr(*words), "already_subscribed: ")
    rich.at += timedelta(days=1)
    assert ivr(*words).status == 0
    assert not [
        line for line in rich.database.transact_now(load, demonstration(), KEY, rich.at) if "calls" in line
    ]
    assert (shown(ivr, GIVEN)["plan"], shown(ivr, GIVEN)["calls left"]) == ("family-100", 100)
    steps.assert_books_are_right(rich)


def test_a_plan_that_a_file_names_is_kept(database: Database, tmp_path: Path) -> None:
    named = World(database, tmp_path, demonstration(("calls = 57", 'plan = "family-100"')))
    row = named.database.read_now(newest_of, JAIL, GIVEN)
    assert row is not None
    assert (row.plan_id, row.calls_each_period, row.price) == ("family-100", 100, None)


def end_talk(world: World, call_id: str, since: datetime) -> None:
    ended = Ending(Outcome.CALLER_HUNG_UP)
    seen = [Evidence(Kind.TALK_FROM, since), Evidence(Kind.TALK_TO, world.at)]
    world.database.transact_now(
        settle, call_id, ended, at=world.at, version="test", seen=seen, source="event"
    )


def test_the_call_that_leaves_few_tells_so_at_once_and_neither_the_next_nor_the_job_again(
    ivr: Ivr, rich: World
) -> None:
    ivr(*START, "--agree")
    rich.database.transact_now(lambda conn: put_holder(conn, FAMILY, rich.at, mobile=NUMBER))
    row = rich.database.read_now(newest_of, JAIL, NUMBER)
    assert row is not None
    rich.database.transact_now(sales.use, rich.database.read_now(periods_of, row.id)[0], 93)
    told = []
    for _ in range(3):
        call_id = asyncio.run(steps.accepted(rich))
        since, rich.at = rich.at, rich.at + timedelta(minutes=1)
        end_talk(rich, call_id, since)
        told.append(rich.database.read_now(sales.told))
    few = ("near_call_limit", f'{{"calls": 5, "number": "{NUMBER}"}}')
    assert [list(each).count(few) for each in told] == [0, 1, 1]
    assert rich.database.transact_now(tell_renewals, rich.at) == 0
    assert [kind for kind, _ in rich.database.read_now(sales.told)].count("near_call_limit") == 1


def test_a_call_over_the_end_of_a_period_counts_once_where_it_was_held(ivr: Ivr, rich: World) -> None:
    ivr(*START, "--agree")
    rich.at = datetime.fromisoformat("2026-12-22T23:58-06:00")
    rich.database.transact_now(renew_due, rich.at)
    call_id = asyncio.run(steps.accepted(rich))
    since, rich.at = rich.at, rich.at + timedelta(minutes=4)
    end_talk(rich, call_id, since)
    row = rich.database.read_now(newest_of, JAIL, NUMBER)
    assert row is not None
    used = [
        rich.database.read_now(ledger.balance, each.account_id).debits
        for each in rich.database.read_now(periods_of, row.id)
    ]
    assert used == [1, 0]
    assert shown(ivr)["period"] == "2026-12-23 to 2027-01-22"
    assert shown(ivr)["calls left"] == 100
    sealed = select(call_table.c.calls_charged, call_table.c.charge).where(call_table.c.id == call_id)
    assert rich.database.read_now(lambda conn: tuple(conn.execute(sealed).one())) == (1, 0)
    steps.assert_books_are_right(rich)
