"""A call soon after the last one to the same number goes on with it: nobody pays for its start a second time."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from accounts.db import Database
from accounts.tables import subscription_period
from ivr.controls import CalledPartyControls, Grant, Refused
from ivr.controls.explaining import Question, explain
from ivr.controls.settlement import Ending, settle_call
from ivr.policy.reasons import Cutoff, Outcome
from ivr.policy.request import Payer
from ivr.policy.talk import Evidence, Kind
from ivr.records import calls
from tests.controller import steps
from tests.controller.test_dropped import BROKEN, COMPLETED, Talk, ledger_of
from tests.transcripts.play import World, demonstration

WITHIN = ("continues_within_seconds = 0", "continues_within_seconds = 120")
CHICAGO = ZoneInfo("America/Chicago")
UNANSWERED = Ending(Outcome.NO_ANSWER, "NOANSWER")


def going_on(database: Database, folder: Path, *changes: tuple[str, str]) -> World:
    """The demonstration, where calls are continued within two minutes."""
    return World(database, folder, demonstration(WITHIN, *changes))


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return going_on(database, tmp_path)


def later(world: World, seconds: float) -> None:
    world.at += timedelta(seconds=seconds)


def talked(world: World, seconds: float, keys: str = steps.SUBSCRIBED, ending: Ending = COMPLETED) -> Talk:
    """A call that is over; the clock stands at its end."""
    talk = Talk(world, asyncio.run(steps.accepted(world, keys)), seconds)
    talk.ends(ending)
    later(world, seconds)
    return talk


def last_date_of(world: World, period: str) -> date:
    """The last day of a period, in the facility's time."""
    of_it = select(subscription_period.c.last_date).where(subscription_period.c.account_id == period)
    found: date = world.database.read_now(lambda conn: conn.execute(of_it).scalar_one())
    return found


def rung(world: World, keys: str = steps.SUBSCRIBED) -> str:
    """A call that nobody answers."""
    call_id = asyncio.run(steps.dialled(world, keys)).call_id
    Talk(world, call_id, 0).ends(UNANSWERED, seen=False)
    return call_id


def test_a_continuation_uses_no_second_call(world: World) -> None:
    period = steps.period_of(world)
    before = steps.available(world, period)
    first = talked(world, 80)
    later(world, 119)
    second = talked(world, 70)
    row = second.record
    assert (row.continues_id, row.payer, row.account_id) == (first.call_id, Payer.SUBSCRIPTION, period)
    assert (row.held, row.calls_charged, row.charge, row.talk_ms) == (0, 0, 0, 70_000)
    assert row.renews_on == first.record.renews_on
    assert ledger_of(world, second.call_id) == [("hold", 0), ("release", 0)]
    assert steps.available(world, period) == before - 1
    steps.assert_books_are_right(world)


def test_a_continuation_by_the_minute_costs_its_seconds_alone(world: World) -> None:
    first = talked(world, 10, steps.PAID)
    later(world, 30)
    second = talked(world, 10, steps.PAID)
    assert (first.record.charge, first.record.continues_id) == (60_000, None)  # a first minute
    assert (second.record.charge, second.record.continues_id) == (10_000, first.call_id)
    assert second.record.held == (900 - 10) * 1_000
    steps.assert_books_are_right(world)


def test_it_begins_anew_when_the_time_is_over(world: World) -> None:
    talked(world, 80)
    later(world, 121)
    second = talked(world, 70)
    assert (second.record.continues_id, second.record.calls_charged) == (None, 1)


def test_a_facility_that_sets_no_time_continues_nothing(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    talked(world, 80)
    assert talked(world, 70).record.continues_id is None


def test_an_attempt_in_between_changes_nothing(world: World) -> None:
    first = talked(world, 80)
    tried = rung(world)
    assert steps.record(world, tried).continues_id == first.call_id
    assert talked(world, 70).record.continues_id == first.call_id
    steps.assert_books_are_right(world)


def test_a_chain_of_continuations_is_one_call_and_no_longer_than_one(world: World) -> None:
    period = steps.period_of(world)
    before = steps.available(world, period)
    chain = [talked(world, 300).record for _ in range(2)]
    chain.append(talked(world, 235).record)
    assert [row.limit_ms for row in chain] == [900_000, 600_000, 300_000]
    assert [row.continues_id for row in chain] == [None, chain[0].id, chain[1].id]
    assert [row.limit_set_by for row in chain] == [Cutoff.LONGEST_CALL] * 3
    assert [row.calls_charged for row in chain] == [1, 0, 0]
    last = talked(world, 66)  # the last minute of the chain
    assert (last.record.reason, last.record.continues_id) == (Outcome.LIMIT_REACHED, chain[2].id)
    assert talked(world, 70).record.continues_id is None
    assert steps.available(world, period) == before - 2


def test_what_a_limit_ended_is_not_continued(world: World) -> None:
    talked(world, 900)
    assert talked(world, 70).record.continues_id is None


def test_what_a_switch_ended_is_not_continued(world: World) -> None:
    first = Talk(world, asyncio.run(steps.accepted(world, steps.SUBSCRIBED)), 80)
    off_at = world.at + timedelta(seconds=80)
    world.database.transact_now(lambda conn: calls.set_values(conn, first.call_id, switched_off_at=off_at))
    first.ends()
    later(world, 80)
    assert (first.record.reason, first.record.ended_by) == (Outcome.LIMIT_REACHED, "staff")
    assert talked(world, 70).record.continues_id is None


def test_a_call_that_was_given_back_is_not_continued(world: World) -> None:
    lost = talked(world, 30, ending=BROKEN)
    assert lost.record.given_back
    second = talked(world, 70)
    assert (second.record.continues_id, second.record.calls_charged) == (None, 1)


def test_a_continuation_that_was_given_back_is_continued_like_the_call_before_it(world: World) -> None:
    first = talked(world, 80)
    later(world, 100)
    lost = talked(world, 30, ending=BROKEN)
    later(world, 100)  # too late for the first
    third = talked(world, 70)
    assert lost.record.given_back
    assert (lost.record.continues_id, third.record.continues_id) == (first.call_id, lost.call_id)
    assert [talk.record.calls_charged for talk in (first, lost, third)] == [1, 0, 0]


def test_one_that_was_dropped_late_is_continued(world: World) -> None:
    dropped = talked(world, 300, ending=BROKEN)
    assert (dropped.record.dropped_by, dropped.record.calls_charged) == ("network", 1)
    assert talked(world, 70).record.continues_id == dropped.call_id


def test_another_number_and_another_inmate_continue_nothing(world: World) -> None:
    steps.crowd(world, 1)
    talked(world, 80)
    assert talked(world, 70, steps.PAID).record.continues_id is None
    other = Talk(world, asyncio.run(steps.accepted(world, steps.SUBSCRIBED, who="20002468")), 70)
    assert other.record.continues_id is None
    other.ends()


def test_the_time_that_an_outage_of_ours_took_is_not_the_callers_loss(world: World) -> None:
    call_id = asyncio.run(steps.accepted(world, steps.SUBSCRIBED))
    last_seen_at = world.at + timedelta(seconds=300)
    world.database.transact_now(calls.still_alive, [call_id], last_seen_at)
    began = [Evidence(Kind.TALK_FROM, world.at)]
    later(world, 600)  # by then it is known that Asterisk was killed
    asyncio.run(settle_call(world.node, call_id, Ending(Outcome.SYSTEM_FAULT), seen=began))
    later(world, 100)
    row = steps.record(world, call_id)
    assert (row.dropped_by, row.ended_at) == ("us", last_seen_at)
    assert talked(world, 70).record.continues_id == call_id


@pytest.mark.parametrize("keys", [steps.SUBSCRIBED, steps.PAID])
def test_of_several_at_once_one_continues(world: World, keys: str) -> None:
    first = talked(world, 80, keys)
    answers = steps.at_once([lambda: asyncio.run(steps.decided(world, keys))] * 6)
    granted = [call_id for call_id, answer in answers if isinstance(answer, Grant)]
    assert len(granted) == 1
    assert all(isinstance(answer, Refused) for call_id, answer in answers if call_id not in granted)
    assert steps.record(world, granted[0]).continues_id == first.call_id
    Talk(world, granted[0], 0).ends(UNANSWERED, seen=False)
    steps.assert_books_are_right(world)


def test_settling_a_continuation_again_and_again_changes_nothing(world: World) -> None:
    talked(world, 80)
    second = Talk(world, asyncio.run(steps.accepted(world, steps.SUBSCRIBED)), 70)
    answers = steps.at_once([second.ends] * 6)
    assert answers == [answers[0]] * 6
    assert ledger_of(world, second.call_id) == [("hold", 0), ("release", 0)]
    steps.assert_books_are_right(world)


def test_the_last_call_of_a_period_is_continued(database: Database, tmp_path: Path) -> None:
    world = going_on(database, tmp_path, ("calls = 57", "calls = 1"))
    period = steps.period_of(world)
    assert steps.available(world, period) == 1
    first = talked(world, 80)
    second = talked(world, 70)
    assert (second.record.payer, second.record.continues_id) == (Payer.SUBSCRIPTION, first.call_id)
    assert steps.available(world, period) == 0
    third = asyncio.run(steps.decided(world, steps.SUBSCRIBED))[0]
    assert steps.record(world, third).continues_id == second.call_id


def test_a_call_over_the_end_of_its_period_counts_once_and_is_continued_after_it(world: World) -> None:
    period = steps.period_of(world)
    before, last_date = steps.available(world, period), last_date_of(world, period)
    world.at = datetime.combine(last_date, time(23, 55), CHICAGO).astimezone(UTC)
    first = talked(world, 400)
    assert (first.record.calls_charged, first.record.account_id) == (1, period)
    later(world, 60)  # the period is over, and nothing was renewed
    assert world.at.astimezone(CHICAGO).date() > last_date
    second = talked(world, 70).record
    assert (second.payer, second.account_id, second.calls_charged) == (Payer.SUBSCRIPTION, period, 0)
    assert second.continues_id == first.call_id
    assert steps.available(world, period) == before - 1
    later(world, 121)
    call_id, _ = asyncio.run(steps.decided(world, steps.SUBSCRIBED))
    assert steps.record(world, call_id).payer != Payer.SUBSCRIPTION
    steps.assert_books_are_right(world)


def test_what_is_told_of_a_continuation(world: World) -> None:
    talked(world, 80)
    called = asyncio.run(steps.dialled(world, steps.SUBSCRIBED))
    offer = asyncio.run(CalledPartyControls(world.node, called.call_id, "PJSIP/carrier-1").offer())
    assert (offer.continues, offer.payer, offer.not_covered) == (True, Payer.SUBSCRIPTION, None)


def test_explain_names_the_call_that_would_be_continued(world: World) -> None:
    first = talked(world, 80)
    asked = Question("1001", "+12175550101", "demo-a1")
    answer = world.database.read_now(explain, asked, world.at).as_dict()
    assert (answer["continues"], answer["price"]) == (first.call_id, "no further call")
    later(world, 121)
    assert world.database.read_now(explain, asked, world.at).as_dict()["continues"] is None
