"""Subscriptions are bought out of a prepaid account: paid once, never on credit, and never for a day without calls."""

import pytest
from sqlalchemy import Connection

from accounts import ledger, payers
from accounts.db import Database
from accounts.holders import holder_of
from accounts.payers import PayerConflict
from accounts.subscribed import Terms
from accounts.subscription_ends import cancel
from accounts.subscriptions import Purchase, agree, bought, buy, near_limit
from accounts.tables import Renewal
from rating.money import Money
from tests.ledger import sales
from tests.ledger.sales import FAMILY, NOON, PLAN, local, run

SMALL = Terms("family-25", Money(6_000_000), 25)


def test_without_a_card_the_account_pays_at_once(database: Database) -> None:
    run(database, sales.open_family, 2_500)
    held = run(database, sales.begin)
    assert run(database, sales.days, held.id) == [("2026-11-23", "2026-12-22")]
    period = run(database, sales.newest_period, held.id)
    assert period.account_id == f"subscription/{sales.JAIL}/{sales.NUMBER}/2026-11-23"
    assert (period.price, run(database, sales.left, period.account_id)) == (PLAN.price, 100)
    assert run(database, sales.left) == 500
    facts = run(
        database, payers.payer_facts, facility_id=sales.JAIL, number=sales.NUMBER, on=period.last_date
    )
    assert facts.subscription.period.calls_left == 100
    renewed = '{"calls": 100, "date": "2026-12-22", "number": "+12175550102", "price": "20.00"}'
    assert run(database, sales.told) == [("renewed", renewed)]
    sales.assert_proved(database)


def test_an_account_that_cannot_pay_buys_nothing(database: Database) -> None:
    run(database, sales.open_family, 1_999)
    with pytest.raises(ledger.InsufficientFunds):
        run(database, sales.begin)
    assert run(database, sales.left) == 1_999
    sales.assert_proved(database)


def test_a_card_is_asked_first_and_the_period_begins_when_it_has_paid(database: Database) -> None:
    run(database, sales.open_family, 5_000, card=True)
    held = run(database, sales.begin)
    (payment_id,) = run(database, sales.asked)
    assert payment_id == f"subscription/{held.id}/2026-11-23"
    assert run(database, sales.days, held.id) == []
    at = local("2026-11-25", 4)  # still the 24th at the jail
    assert run(database, sales.succeed, payment_id, at) is True
    assert run(database, sales.days, held.id) == [("2026-11-24", "2026-12-23")]
    assert run(database, sales.left) == 5_000
    sales.assert_proved(database)


def test_a_payment_that_is_told_many_times_buys_one_period(database: Database) -> None:
    run(database, sales.open_family, 10_000, card=True)
    held = run(database, sales.begin)
    (payment_id,) = run(database, sales.asked)
    outcomes = [run(database, sales.succeed, payment_id, local("2026-11-23")) for _ in range(3)]
    outcomes.append(run(database, bought, held.id, payment_id, local("2027-03-01")))
    assert outcomes == [True, False, False, False]
    assert len(run(database, sales.days, held.id)) == 1
    assert run(database, sales.left) == 10_000
    sales.assert_proved(database)


def test_asking_again_while_the_card_is_asked_asks_for_nothing_more(database: Database) -> None:
    run(database, sales.open_family, card=True)
    held = run(database, sales.begin)
    assert run(database, buy, held.id, NOON) is Purchase.ASKED
    assert len(run(database, sales.asked)) == 1


def test_the_next_period_adjoins_and_keeps_its_anchor(database: Database) -> None:
    run(database, sales.open_family, 8_000)
    held = run(database, sales.begin, local("2027-01-31"))
    for day in ("2027-02-26", "2027-03-30", "2027-04-29"):
        run(database, buy, held.id, local(day))
    assert run(database, sales.days, held.id) == [
        ("2027-01-31", "2027-02-27"),
        ("2027-02-28", "2027-03-30"),
        ("2027-03-31", "2027-04-29"),
        ("2027-04-30", "2027-05-30"),
    ]
    sales.assert_proved(database)


def test_one_period_ahead_can_be_bought_and_no_more(database: Database) -> None:
    run(database, sales.open_family, 9_000)
    held = run(database, sales.begin)
    run(database, buy, held.id, local("2026-12-01"))
    with pytest.raises(PayerConflict, match="the next period is bought: 2026-12-23 to 2027-01-22"):
        run(database, buy, held.id, local("2026-12-01"))
    assert run(database, sales.left) == 5_000
    sales.assert_proved(database)


def test_a_period_after_a_gap_begins_today_and_has_an_anchor_of_its_own(database: Database) -> None:
    run(database, sales.open_family, 4_000)
    held = run(database, sales.begin)
    run(database, buy, held.id, local("2026-12-31"))
    assert run(database, sales.days, held.id)[1] == ("2026-12-31", "2027-01-30")
    assert run(database, sales.stands, held.id).anchor_day == 31
    sales.assert_proved(database)


def test_paid_on_the_day_after_its_end_a_period_adjoins_and_keeps_its_anchor(database: Database) -> None:
    run(database, sales.open_family, 4_000)
    held = run(database, sales.begin, local("2027-01-31"))
    run(database, buy, held.id, local("2027-02-28"))
    assert run(database, sales.days, held.id)[1] == ("2027-02-28", "2027-03-30")
    assert run(database, sales.stands, held.id).anchor_day == 31


def test_a_change_of_plan_and_renewal_holds_from_the_next_period_on(database: Database) -> None:
    run(database, sales.open_family, 4_000)
    held = run(database, sales.begin)
    changed = run(database, agree, held.id, NOON, terms=SMALL, renewal=Renewal.MANUAL)
    assert (changed.terms, changed.next_terms, changed.renewal) == (PLAN, SMALL, Renewal.AUTO)
    run(database, buy, changed.id, local("2026-12-21"))
    period = run(database, sales.newest_period, held.id)
    assert (period.price, run(database, sales.left, period.account_id)) == (SMALL.price, 25)
    then = run(database, sales.stands, held.id)
    assert (then.terms, then.next_terms, then.renewal) == (SMALL, SMALL, Renewal.MANUAL)
    assert run(database, sales.left) == 1_400
    sales.assert_proved(database)


def test_choosing_what_holds_now_undoes_a_change(database: Database) -> None:
    run(database, sales.open_family, 4_000)
    held = run(database, sales.begin)
    changed = run(database, agree, held.id, NOON, terms=SMALL, renewal=Renewal.MANUAL)
    undone = run(database, agree, changed.id, NOON, terms=PLAN, renewal=Renewal.AUTO)
    assert (undone.next_terms, undone.next_renewal) == (PLAN, Renewal.AUTO)


def test_a_number_has_one_live_subscription_with_a_facility(database: Database) -> None:
    run(database, sales.open_family, 9_000)
    run(database, sales.begin)
    with pytest.raises(PayerConflict, match="has another subscription"):
        run(database, sales.begin)
    assert run(database, sales.left) == 7_000


def test_money_that_comes_after_a_cancellation_stays_the_holders(database: Database) -> None:
    run(database, sales.open_family, card=True)
    held = run(database, sales.begin)
    run(database, cancel, held.id, NOON)
    (payment_id,) = run(database, sales.asked)
    assert run(database, sales.succeed, payment_id, NOON) is False
    assert run(database, sales.days, held.id) == []
    assert run(database, sales.left) == 2_000
    sales.assert_proved(database)


def test_few_calls_left_are_told_once_a_period(database: Database) -> None:
    run(database, sales.open_family, 4_000)
    held = run(database, sales.begin)
    period = run(database, sales.newest_period, held.id)
    run(database, sales.use, period, 94)
    assert run(database, near_limit, period.account_id, sales.NUMBER, NOON) is False
    run(database, sales.hold_call, period, "last")
    outcomes = [run(database, near_limit, period.account_id, sales.NUMBER, NOON) for _ in range(3)]
    assert outcomes == [True, False, False]
    assert run(database, sales.told)[-1] == ("near_call_limit", '{"calls": 5, "number": "+12175550102"}')


def test_calls_of_a_files_subscription_are_nobodys_to_be_told_of(database: Database) -> None:
    given = {"subscription_id": "s", "facility_id": sales.JAIL, "number": sales.NUMBER, "state": "US-IL"}
    run(database, payers.open_subscription, **given, calls_each_period=2, at=NOON)
    days = {"first_date": NOON.date(), "last_date": NOON.date()}
    run(database, payers.open_period, account_id="p", subscription_id="s", **days, calls=2, at=NOON)
    hold = {"transfer_id": "h", "debit_id": "p", "credit_id": payers.CALLS_USED, "amount": 1}
    run(database, ledger.hold, **hold, at=NOON)
    assert run(database, near_limit, "p", sales.NUMBER, NOON) is False
    assert run(database, sales.told) == []


def test_a_purchase_counts_as_activity_of_the_account(database: Database) -> None:
    run(database, sales.open_family, 4_000)
    held = run(database, sales.begin)
    run(database, buy, held.id, local("2026-12-20"))

    def touched(conn: Connection) -> object:
        holder = holder_of(conn, FAMILY)
        assert holder is not None
        return holder.touched_at

    assert run(database, touched) == local("2026-12-20")
