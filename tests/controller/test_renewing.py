"""Renewals by time alone: periods adjoin, nothing is charged twice, and what can't be paid leaves calls to prepaid."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from sqlalchemy import Connection, delete, update

from accounts.db import Database
from accounts.holders import put_holder
from accounts.subscribed import Subscription, Terms
from accounts.subscription_ends import cancel, undo_cancel
from accounts.subscriptions import Purchase, agree, buy
from accounts.tables import Renewal
from ivr.facility.tables import facility, plan
from ivr.renewing import close_ended, renew_due, tell_renewals, terms_to_renew
from rating.money import Money
from tests.ledger import sales
from tests.ledger.sales import FAMILY, PLAN, run
from tests.ledger.test_races import at_once
from tests.transcripts.play import World

START = "2027-01-31"
Processor = Callable[[Connection, str, datetime], object]


@pytest.fixture
def database(world: World) -> Database:
    """The demonstration facility, with a plan of 100 calls for 20.00."""
    return world.database


def later(day: str, days: int) -> str:
    return str(date.fromisoformat(day) + timedelta(days=days))


def until(database: Database, since: str, day: str, card: Processor | None = None) -> list[int]:
    """All jobs twice a day from one day to another, the processor in between; how much they did in all."""
    did = [0, 0, 0]
    for n in range((date.fromisoformat(day) - date.fromisoformat(since)).days + 1):
        for hour in (12, 18):
            at = sales.local(later(since, n), hour)
            did = [
                before + run(database, job, at)
                for before, job in zip(did, (renew_due, close_ended, tell_renewals), strict=True)
            ]
            for payment_id in run(database, sales.asked) if card else []:
                run(database, card, payment_id, at)
    return did


def begun(
    database: Database, cents: int, *, card: bool = False, renewal: Renewal = Renewal.AUTO
) -> Subscription:
    """A subscription whose first period was paid on the last of January."""
    run(database, sales.open_family, cents, card=card)
    held: Subscription = run(database, sales.begin, sales.local(START), renewal)
    for payment_id in run(database, sales.asked):
        run(database, sales.succeed, payment_id, sales.local(START))
    return held


def kinds(database: Database) -> list[str]:
    return [kind for kind, _ in run(database, sales.told)]


@pytest.mark.parametrize("card", [False, True])
def test_a_year_of_renewals_leaves_no_day_out_and_charges_each_period_once(
    database: Database, card: bool
) -> None:
    held = begun(database, 0 if card else 26_000, card=card)
    for _ in range(12):
        last = str(run(database, sales.newest_period, held.id).last_date)
        until(database, later(last, -4), last, sales.succeed if card else None)
    periods = run(database, sales.days, held.id)
    assert [first for first, _ in periods] == [
        *("2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31", "2027-06-30"),
        *("2027-07-31", "2027-08-31", "2027-09-30", "2027-10-31", "2027-11-30", "2027-12-31", "2028-01-31"),
    ]
    assert all(later(last, 1) == first for (_, last), (first, _) in pairwise(periods))
    assert run(database, sales.left) == 0
    assert kinds(database).count("renewal_soon") == 12
    assert kinds(database).count("renewed") == 13
    assert "renewal_failed" not in kinds(database)
    sales.assert_proved(database)


def test_a_renewal_is_told_a_week_before_with_its_price(database: Database) -> None:
    begun(database, 4_000)
    assert until(database, START, "2027-02-19")[2] == 0
    assert until(database, "2027-02-20", "2027-02-21")[2] == 1
    told = '{"date": "2027-02-28", "number": "+12175550102", "price": "20.00"}'
    assert run(database, sales.told)[-1] == ("renewal_soon", told)


def test_an_account_that_cannot_pay_is_told_and_tried_for_three_days_more(database: Database) -> None:
    held = begun(database, 2_500)
    until(database, START, "2027-02-27")
    assert kinds(database) == ["renewed", "renewal_soon", "renewal_failed"]
    run(database, sales.pay_in, 2_000, "late")
    until(database, "2027-03-02", "2027-03-02")
    periods = run(database, sales.days, held.id)
    assert periods[1:] == [("2027-03-02", "2027-04-01")]  # no day without a period was paid
    assert run(database, sales.stands, held.id).anchor_day == 2
    sales.assert_proved(database)


def test_after_three_days_without_money_it_is_closed_and_calls_go_by_prepaid(database: Database) -> None:
    held = begun(database, 2_500)
    assert until(database, START, "2027-03-05") == [1, 0, 1]
    now = run(database, sales.stands, held.id)
    assert (now.close_reason, now.closed_at) == ("renewal_failed", sales.local("2027-03-03", 12))
    assert kinds(database) == ["renewed", "renewal_soon", "renewal_failed", "renewal_failed"]
    run(database, sales.pay_in, 2_000, "too late")
    assert until(database, "2027-03-06", "2027-03-09") == [0, 0, 0]
    assert run(database, sales.left) == 2_500
    sales.assert_proved(database)


def test_a_refused_card_is_asked_once_a_day_four_times_in_all(database: Database) -> None:
    held = begun(database, 0, card=True)
    asked: list[tuple[str, str]] = []

    def refuse(conn: Connection, payment_id: str, at: datetime) -> None:
        asked.append((payment_id, str(at.date())))
        sales.fail(conn, payment_id, at)

    until(database, START, "2027-03-09", refuse)
    base = f"subscription/{held.id}/2027-02-28"
    assert asked == [
        (base, "2027-02-26"),
        (f"{base}/2", "2027-02-27"),
        (f"{base}/3", "2027-02-28"),
        (f"{base}/4", "2027-03-01"),
    ]
    assert run(database, sales.stands, held.id).close_reason == "renewal_failed"
    assert kinds(database).count("renewal_failed") == 2
    assert run(database, sales.left) == 0
    sales.assert_proved(database)


def test_a_card_that_pays_late_opens_a_period_on_that_day(database: Database) -> None:
    held = begun(database, 0, card=True)
    until(database, START, "2027-02-27")
    (payment_id,) = run(database, sales.asked)
    until(
        database, "2027-02-28", "2027-03-15"
    )  # the processor is silent: nothing more is asked, nothing closed
    assert run(database, sales.asked) == [payment_id]
    run(database, sales.succeed, payment_id, sales.local("2027-03-15"))
    assert run(database, sales.days, held.id)[1:] == [("2027-03-15", "2027-04-14")]
    sales.assert_proved(database)


def test_a_first_payment_that_fails_leaves_no_subscription(database: Database) -> None:
    run(database, sales.open_family, card=True)
    held = run(database, sales.begin)
    (payment_id,) = run(database, sales.asked)
    run(database, sales.fail, payment_id, sales.NOON)
    assert run(database, renew_due, sales.NOON) == 1
    assert run(database, renew_due, sales.NOON) == 0
    assert run(database, sales.stands, held.id).close_reason == "unpaid"
    assert kinds(database) == ["renewal_failed"]
    assert run(database, sales.begin).id == f"{held.id}/2"


@pytest.mark.parametrize(("how", "word"), [("manual", "not_renewed"), ("cancelled", "cancelled")])
def test_what_is_not_to_renew_is_closed_after_its_last_day(database: Database, how: str, word: str) -> None:
    held = begun(database, 9_000, renewal=Renewal.MANUAL if how == "manual" else Renewal.AUTO)
    if how == "cancelled":
        run(database, cancel, held.id, sales.local("2027-02-10"))
    assert until(database, START, "2027-02-27") == [0, 0, 0]
    assert until(database, "2027-02-28", "2027-03-01") == [0, 1, 0]
    assert run(database, sales.stands, held.id).close_reason == word
    assert run(database, sales.left) == 7_000


def test_cancelled_and_undone_it_renews_without_a_gap(database: Database) -> None:
    held = begun(database, 4_000)
    run(database, cancel, held.id, sales.local("2027-02-10"))
    until(database, START, "2027-02-26")
    run(database, undo_cancel, held.id)
    until(database, "2027-02-27", "2027-02-27")
    assert run(database, sales.days, held.id)[1] == ("2027-02-28", "2027-03-30")


def test_money_of_a_card_that_came_while_it_was_cancelled_renews_it_once_that_is_undone(
    database: Database,
) -> None:
    held = begun(database, 0, card=True)
    until(database, START, "2027-02-26")
    (payment_id,) = run(database, sales.asked)
    run(database, cancel, held.id, sales.local("2027-02-26"))
    assert run(database, sales.succeed, payment_id, sales.local("2027-02-26")) is False
    run(database, undo_cancel, held.id)
    until(database, "2027-02-27", "2027-02-27")
    assert run(database, sales.asked) == []
    assert run(database, sales.days, held.id)[1] == ("2027-02-28", "2027-03-30")
    assert run(database, sales.left) == 0
    sales.assert_proved(database)


def test_a_renewal_by_hand_that_its_card_refuses_is_told(database: Database) -> None:
    held = begun(database, 0, card=True, renewal=Renewal.MANUAL)
    at = sales.local("2027-02-20")
    assert run(database, buy, held.id, at) is Purchase.ASKED
    (payment_id,) = run(database, sales.asked)
    run(database, sales.fail, payment_id, at)
    until(database, "2027-02-26", "2027-02-27")
    assert kinds(database).count("renewal_failed") == 1
    assert run(database, sales.asked) == []


def change_plan(conn: Connection, **values: object) -> None:
    conn.execute(update(plan).values(**values))


DEARER = {"price": Money(21_000_000)}
CHEAPER = {"price": Money(15_000_000), "calls": 100}


@pytest.mark.parametrize(
    ("offered", "cents"), [(DEARER, None), ({"calls": 99}, None), (CHEAPER, 1_500), ({}, 2_000)]
)
def test_by_itself_it_renews_on_terms_no_worse_than_those_agreed_to(
    database: Database, offered: dict[str, object], cents: int | None
) -> None:
    held = begun(database, 9_000)
    run(database, change_plan, **(offered or {"calls": 100}))
    until(database, START, "2027-02-28")
    periods = run(database, sales.days, held.id)
    assert len(periods) == 1 + (cents is not None)
    assert run(database, sales.left) == 7_000 - (cents or 0)
    assert ("renewal_failed" in kinds(database)) == (cents is None)
    assert ("renewal_soon" in kinds(database)) == (cents is not None)
    assert run(database, sales.stands, held.id).close_reason == ("not_offered" if cents is None else None)


def test_terms_to_renew_are_those_offered_where_they_are_no_worse() -> None:
    assert terms_to_renew(PLAN, None) is None
    assert terms_to_renew(PLAN, Terms("family-100", PLAN.price, 101)) == Terms("family-100", PLAN.price, 101)


def stop_offering(conn: Connection) -> None:
    conn.execute(update(facility).values(payers="prepaid"))


def withdraw_plan(conn: Connection) -> None:
    conn.execute(delete(plan))


@pytest.mark.parametrize("gone", [stop_offering, withdraw_plan])
def test_what_a_facility_offers_no_more_is_not_renewed(
    database: Database, gone: Callable[[Connection], None]
) -> None:
    held = begun(database, 9_000)
    run(database, gone)
    until(database, START, "2027-03-01")
    assert run(database, sales.stands, held.id).close_reason == "not_offered"
    assert run(database, sales.left) == 7_000


def test_a_change_to_manual_renewal_holds_at_the_periods_end(database: Database) -> None:
    held = begun(database, 9_000)
    run(database, agree, held.id, sales.local(START), terms=PLAN, renewal=Renewal.MANUAL)
    until(database, START, "2027-03-01")
    assert run(database, sales.stands, held.id).close_reason == "not_renewed"
    assert run(database, sales.left) == 7_000


def test_a_replaced_card_is_asked_from_then_on(database: Database) -> None:
    begun(database, 4_000)
    run(database, put_holder, FAMILY, sales.local("2027-02-01"), card_id="card_2")
    until(database, START, "2027-02-27")
    assert len(run(database, sales.asked)) == 1
    assert run(database, sales.left) == 2_000


def test_no_card_of_a_closed_account_is_asked(database: Database) -> None:
    begun(database, 0, card=True)
    run(database, put_holder, FAMILY, sales.local("2027-02-01"), closed_at=sales.local("2027-02-01"))
    until(database, "2027-02-26", "2027-03-03")
    assert run(database, sales.asked) == []
    assert kinds(database).count("renewal_failed") == 2


def test_a_job_that_runs_many_times_at_once_buys_one_period(database: Database) -> None:
    held = begun(database, 9_000)
    at_once([partial(run, database, renew_due, sales.local("2027-02-27"))] * 4)
    assert len(run(database, sales.days, held.id)) == 2
    assert run(database, sales.left) == 5_000
    sales.assert_proved(database)


def test_a_card_is_asked_once_by_a_job_that_runs_many_times_at_once(database: Database) -> None:
    begun(database, 0, card=True)
    at_once([partial(run, database, renew_due, sales.local("2027-02-27"))] * 4)
    assert len(run(database, sales.asked)) == 1


def test_few_calls_left_are_told_by_the_job_too(database: Database) -> None:
    held = begun(database, 2_000)
    run(database, sales.use, run(database, sales.newest_period, held.id), 96)
    assert until(database, "2027-02-01", "2027-02-03")[2] == 1
    assert kinds(database)[-1] == "near_call_limit"
